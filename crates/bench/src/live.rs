//! What happens to a control plane that lives: a newer version, sleep and waking.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use api::VersionState;
use serde_json::json;

use crate::arguments::Arguments;
use crate::figures::{Figure, Figures};
use crate::load::Load;
use crate::tenants::{Tenants, state};

/// Requests a second during an upgrade.
const RATE: u32 = 50;
/// Time between two looks for the first answer after waking.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Longest time of one step of these measurements.
const PATIENCE: Duration = Duration::from_mins(3);

/// An upgrade under requests, for each number of replicas.
pub(crate) async fn upgrades(tenants: &Tenants, arguments: &Arguments, figures: &mut Figures) -> Result<()> {
    for replicas in [1, 2] {
        let (mut seconds, mut failed, mut slowest) = (Vec::new(), Vec::new(), Vec::new());
        let mut reasons = Vec::new();
        for round in 1..=arguments.live_samples {
            let upgrade = Box::pin(upgrade(tenants, arguments, replicas, round)).await?;
            eprintln!(
                "upgrade with {replicas} replicas, {round} of {}: {:.2} s, {} of {} requests failed",
                arguments.live_samples,
                upgrade.took.as_secs_f64(),
                upgrade.requests.failed.len(),
                upgrade.requests.sent
            );
            seconds.push(upgrade.took.as_secs_f64());
            failed.push(count(upgrade.requests.failed.len()));
            slowest.push(upgrade.requests.slowest.as_secs_f64() * 1000.0);
            reasons.extend(upgrade.requests.failed.into_iter().next());
        }
        let name = |what: &str| format!("upgrade{replicas}_{what}");
        figures.insert(name("ready_seconds"), Figure::new("seconds", seconds));
        let note = reasons.into_iter().next();
        figures.insert(name("failed_requests"), Figure::new("requests", failed).noted(note));
        figures.insert(name("slowest_request_milliseconds"), Figure::new("milliseconds", slowest));
    }
    Ok(())
}

struct Upgrade {
    took: Duration,
    requests: crate::load::Requests,
}

async fn upgrade(tenants: &Tenants, arguments: &Arguments, replicas: u32, round: usize) -> Result<Upgrade> {
    tenants.remove_control_planes().await?;
    let name = format!("upgrade-{replicas}-{round}");
    let spec = json!({
        "kubernetes": {"version": arguments.upgrade_from},
        "controlPlane": {"deployment": {"replicas": replicas}},
    });
    tenants.create_one(&name, &spec).await?;
    tenants.wait(&name, PATIENCE, |live| state(live) == Some(VersionState::Ready)).await?;
    let load = Load::start(tenants.client_of(&name).await?, RATE);
    // The requests must be under way, not begin with the upgrade.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let started = Instant::now();
    tenants.change(&name, &json!({"kubernetes": {"version": arguments.version}})).await?;
    let wanted = arguments.version.as_str();
    let ready = tenants.wait(&name, PATIENCE, |live| {
        let version = live.status.as_ref().map(|status| &status.kubernetes_resources.version);
        version.is_some_and(|version| {
            version.status == Some(VersionState::Ready) && version.version.as_deref() == Some(wanted)
        })
    });
    let outcome = ready.await;
    let took = started.elapsed();
    // Pods of the old version drain for a while after the new ones are ready.
    tokio::time::sleep(arguments.drain()).await;
    let requests = load.stop().await;
    outcome.with_context(|| format!("upgrade of {name}"))?;
    Ok(Upgrade { took, requests })
}

/// From the request to wake until the API server answers.
pub(crate) async fn wakes(tenants: &Tenants, arguments: &Arguments, figures: &mut Figures) -> Result<()> {
    tenants.remove_control_planes().await?;
    tenants.create_one("wake", &json!({})).await?;
    tenants.wait("wake", PATIENCE, |live| state(live) == Some(VersionState::Ready)).await?;
    let client = tenants.client_of("wake").await?;
    let (mut answers, mut readies) = (Vec::new(), Vec::new());
    for round in 1..=arguments.live_samples {
        tenants.change("wake", &replicas(0)).await?;
        tenants.wait("wake", PATIENCE, |live| state(live) == Some(VersionState::Sleeping)).await?;
        tenants.wait_for_no_pods().await?;
        let started = Instant::now();
        tenants.change("wake", &replicas(1)).await?;
        loop {
            let answer = tokio::time::timeout(Duration::from_secs(1), client.apiserver_version()).await;
            if matches!(answer, Ok(Ok(_))) {
                break;
            }
            if started.elapsed() > PATIENCE {
                bail!("no answer within {PATIENCE:?} after waking");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        answers.push(started.elapsed().as_secs_f64());
        tenants.wait("wake", PATIENCE, |live| state(live) == Some(VersionState::Ready)).await?;
        readies.push(started.elapsed().as_secs_f64());
        eprintln!(
            "wake {round} of {}: first answer after {:.2} s",
            arguments.live_samples,
            answers[round - 1]
        );
    }
    figures.insert("wake_first_answer_seconds".to_owned(), Figure::new("seconds", answers));
    figures.insert("wake_ready_seconds".to_owned(), Figure::new("seconds", readies));
    Ok(())
}

fn replicas(count: u32) -> serde_json::Value {
    json!({"controlPlane": {"deployment": {"replicas": count}}})
}

#[expect(clippy::cast_precision_loss, reason = "no run fails 2^52 requests")]
fn count(number: usize) -> f64 {
    number as f64
}
