//! Data stores compared: how fast a control plane becomes Ready on each, and how writes fare there.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use api::{TenantControlPlane, VersionState};
use backing::{Backing, Kind, Written};
use kube::Client;
use serde_json::json;

use crate::archives::Archives;
use crate::arguments::Arguments;
use crate::figures::{Figure, Figures};
use crate::tenants::{Tenants, state};

/// Longest time until a control plane is Ready.
const PATIENCE: Duration = Duration::from_mins(3);
/// Longest time of a move.
const MOVE_PATIENCE: Duration = Duration::from_mins(5);
/// Stores beside the default one: name, server.
const STORES: [(&str, Kind); 3] =
    [("postgresql", Kind::PostgreSql), ("mysql", Kind::MySql), ("nats", Kind::Nats)];

/// All drivers, one after the other: etcd is the DataStore that control planes use anyway.
pub(crate) async fn all(
    client: Client,
    tenants: &Tenants,
    arguments: &Arguments,
    figures: &mut Figures,
) -> Result<()> {
    tenants.remove_control_planes().await?;
    let archives = Archives::new(client.clone(), &arguments.namespace);
    archives.make_room().await?;
    let newest = measure(tenants, arguments, "etcd", &arguments.data_store, figures).await?;
    Box::pin(archives.measure("etcd", &newest, figures)).await?;
    for (name, kind) in STORES {
        let store = format!("bench-{name}");
        let backing =
            Box::pin(Backing::deploy(client.clone(), &arguments.namespace, &store, kind, true)).await?;
        let newest = measure(tenants, arguments, name, &store, figures).await?;
        Box::pin(archives.measure(name, &newest, figures)).await?;
        let began = Instant::now();
        tenants.change(&newest, &json!({"dataStore": arguments.data_store})).await?;
        tenants.wait(&newest, MOVE_PATIENCE, |live| is_in(live, &arguments.data_store)).await?;
        let moved = began.elapsed().as_secs_f64();
        eprintln!("{name}: moved to {} in {moved:.1} s", arguments.data_store);
        figures.insert(format!("store_{name}_move_seconds"), Figure::new("seconds", [moved]));
        tenants.remove_control_planes().await?;
        backing.remove().await?;
    }
    Ok(())
}

/// Returns the control plane that was written to.
async fn measure(
    tenants: &Tenants,
    arguments: &Arguments,
    driver: &str,
    store: &str,
    figures: &mut Figures,
) -> Result<String> {
    let mut ready = Vec::new();
    let mut newest = String::new();
    for round in 1..=arguments.live_samples {
        tenants.remove_control_planes().await?;
        newest = format!("{driver}-{round}");
        let began = Instant::now();
        tenants.create_one(&newest, &json!({"dataStore": store})).await?;
        let ready_now = |live: &_| state(live) == Some(VersionState::Ready);
        tenants.wait(&newest, PATIENCE, ready_now).await.with_context(|| format!("on {driver}"))?;
        ready.push(began.elapsed().as_secs_f64());
        eprintln!(
            "{driver}: create → Ready {round} of {}: {:.2} s",
            arguments.live_samples,
            ready[round - 1]
        );
    }
    let client = tenants.client_of(&newest).await?;
    let (rate, time) = (arguments.store_writes, arguments.store_time());
    let written = Written::write(client.clone(), "bench", rate, time).await;
    let lost = written.missing(client).await?.lost;
    eprintln!(
        "{driver}: {:.0} of {rate} writes a second, 99 of 100 within {:.1} ms, {} failed, {} lost",
        written.rate(),
        written.p99().unwrap_or_default(),
        written.failures.len(),
        lost.len()
    );
    let mut note = |what: &str, figure| figures.insert(format!("store_{driver}_{what}"), figure);
    note("ready_seconds", Figure::new("seconds", ready));
    note("writes_per_second", Figure::new("writes/s", [written.rate()]));
    note("write_p99_milliseconds", Figure::new("milliseconds", written.p99()));
    let reason = written.failures.first().cloned();
    note("failed_writes", Figure::new("writes", [count(written.failures.len())]).noted(reason));
    note("lost_writes", Figure::new("writes", [count(lost.len())]));
    Ok(newest)
}

/// Whether a control plane has arrived in a store and serves there.
fn is_in(live: &TenantControlPlane, store: &str) -> bool {
    let storage = live.status.as_ref().map(|status| &status.storage);
    storage.is_some_and(|storage| {
        storage.data_store_name.as_deref() == Some(store) && storage.migration.is_none()
    }) && state(live) == Some(VersionState::Ready)
}

#[expect(clippy::cast_precision_loss, reason = "no run makes 2^52 writes")]
fn count(number: usize) -> f64 {
    number as f64
}
