//! Figures of the operator alone, with many control planes: API server and etcd are real, pods and
//! tenants' API servers are played (crate `stage`), since a machine cannot hold a thousand real ones.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use api::TenantControlPlane;
use futures::{StreamExt, TryStreamExt, stream};
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use launcher::Distribution;
use serde_json::json;
use stage::{Operator, Options, Stage, eventually, manifest};

use crate::arguments::Arguments;
use crate::figures::{Figure, Figures};
use crate::memory::Memory;

/// Namespace of the control planes.
const NAMESPACE: &str = "played";
/// Requests of this program under way at the same time.
const AT_ONCE: usize = 16;
/// Control planes of the restart.
const RESTART: usize = 100;
/// Longest time for all control planes to become Ready.
const PATIENCE: Duration = Duration::from_mins(15);
/// Steps in which the memory is read, as shares of all control planes.
const STEPS: usize = 4;
/// What the table says of these figures.
const NOTE: &str = "pods and tenants are played";

/// Memory from no control plane to many, then a restart over a hundred of them.
pub(crate) async fn all(arguments: &Arguments, figures: &mut Figures) -> Result<()> {
    let program = Distribution::find(None)?.program("flotilla-operator")?;
    eprintln!("playing {} control planes", arguments.played_tenants);
    restart(&program, figures).await?;
    memory(&program, arguments, figures).await
}

async fn set(program: &Path) -> Result<(Stage, Operator)> {
    let stage = Stage::set(Options::default()).await?;
    stage.create_namespace(NAMESPACE).await?;
    // Slots bound real starts; here they would bound the playing.
    let operator = stage.operator_directly(program, &["--start-slots=64"]).await?;
    Ok((stage, operator))
}

/// The operator's memory after each step, and its slope.
async fn memory(program: &Path, arguments: &Arguments, figures: &mut Figures) -> Result<()> {
    let (stage, operator) = set(program).await?;
    let mut steps = vec![(0, read(&operator, arguments).await?)];
    for step in 1..=STEPS {
        let (from, to) = (steps[step - 1].0, arguments.played_tenants * step / STEPS);
        create(&stage, from..to).await?;
        steps.push((to, read(&operator, arguments).await?));
    }
    for (count, memory) in &steps {
        eprintln!("{count} control planes: {:.1} MiB anonymous", memory.anonymous.mib());
        let name = |what: &str| format!("operator_played{count}_{what}_mib");
        figures.insert(name("rss"), played("MiB", memory.rss.mib()));
        figures.insert(name("anonymous"), played("MiB", memory.anonymous.mib()));
    }
    if let (Some((_, none)), Some((count, many))) = (steps.first(), steps.last())
        && let Ok(count) = u32::try_from(*count)
        && count > 0
    {
        let slope = (many.anonymous.mib() - none.anonymous.mib()) / f64::from(count);
        figures.insert("operator_mib_per_tenant".to_owned(), played("MiB", slope));
    }
    Ok(())
}

/// A change of each control plane waits for the operator; it starts, and all are brought about.
async fn restart(program: &Path, figures: &mut Figures) -> Result<()> {
    let (stage, mut operator) = set(program).await?;
    create(&stage, 0..RESTART).await?;
    operator.kill().await;
    drop_admission(&stage).await?;
    let change =
        json!({"spec": {"controlPlane": {"service": {"additionalMetadata": {"labels": {"a": "b"}}}}}});
    let api = stage.tenants(NAMESPACE);
    stream::iter(0..RESTART)
        .map(|number| {
            let (api, change) = (&api, &change);
            async move { api.patch(&name(number), &PatchParams::default(), &Patch::Merge(change)).await }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<_>>()
        .await
        .context("change the control planes")?;
    let started = Instant::now();
    operator.restart().await?;
    all_brought_about(&api, RESTART).await?;
    let took = started.elapsed().as_secs_f64();
    eprintln!("{RESTART} control planes reconciled {took:.2} s after the operator's start");
    figures.insert(format!("restart{RESTART}_reconciled_seconds"), played("seconds", took));
    Ok(())
}

/// While no operator runs nothing answers for the webhooks.
async fn drop_admission(stage: &Stage) -> Result<()> {
    use k8s_openapi::api::admissionregistration::v1::{
        MutatingWebhookConfiguration as Mutating, ValidatingWebhookConfiguration as Validating,
    };
    let all = ListParams::default();
    let options = kube::api::DeleteParams::default();
    Api::<Mutating>::all(stage.client()).delete_collection(&options, &all).await?;
    Api::<Validating>::all(stage.client()).delete_collection(&options, &all).await?;
    // The API server asks those that it knows for a moment more.
    let trial = PatchParams { dry_run: true, ..PatchParams::default() };
    let nothing = Patch::Merge(json!({"metadata": {"labels": {"trial": "1"}}}));
    eventually("nobody is asked for admission", Duration::from_secs(30), || async {
        stage.tenants(NAMESPACE).patch(&name(0), &trial, &nothing).await?;
        Ok(())
    })
    .await
}

async fn create(stage: &Stage, numbers: std::ops::Range<usize>) -> Result<()> {
    let api = stage.tenants(NAMESPACE);
    let count = numbers.end;
    stream::iter(numbers)
        .map(|number| {
            let api = &api;
            async move {
                let tenant = manifest(&name(number), json!({}))?;
                api.create(&PostParams::default(), &tenant).await.context("create a control plane")
            }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<_>>()
        .await?;
    all_brought_about(&api, count).await
}

async fn all_brought_about(api: &Api<TenantControlPlane>, count: usize) -> Result<()> {
    eventually("all control planes are brought about", PATIENCE, || async {
        let all = api.list(&ListParams::default()).await?;
        let done = all.iter().filter(|tenant| is_brought_about(tenant)).count();
        ensure!(done == count, "{done} of {count}");
        Ok(())
    })
    .await
}

fn is_brought_about(tenant: &TenantControlPlane) -> bool {
    let generation = tenant.metadata.generation;
    tenant.status.as_ref().is_some_and(|status| {
        let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready");
        status.observed_generation == generation && ready.is_some_and(|ready| ready.status == "True")
    })
}

/// Memory after a rest.
async fn read(operator: &Operator, arguments: &Arguments) -> Result<Memory> {
    tokio::time::sleep(arguments.played_settle()).await;
    Memory::of(operator.pid()).context("the operator ended")
}

fn played(unit: &'static str, sample: f64) -> Figure {
    Figure::new(unit, [sample]).noted(Some(NOTE.to_owned()))
}

fn name(number: usize) -> String {
    format!("played-{number}")
}
