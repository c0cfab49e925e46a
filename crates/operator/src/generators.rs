//! Reconciles `KubeconfigGenerator`s: one pass over all of them whenever something that they look at changes.
//!
//! A change of a control plane may concern every generator, and a change of a selector every control
//! plane; so a pass looks at all, and [`memory`] keeps it cheap.

mod kubeconfigs;
mod memory;
mod removal;
mod watched;

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::names::{annotations, labels};
use api::{KubeconfigGenerator, TenantControlPlane};
use desired::generator::{Selection, faulty_status, status};
use futures::{FutureExt, StreamExt};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kubekit::{StatusError, replace_status};
use tokio::sync::Notify;

use crate::caches::Caches;
use crate::context::Context;
use crate::events::{Notice, publish};
use kubeconfigs::Found;
use memory::Memory;
use watched::Watched;

/// How soon a pass that could not finish is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(2);
/// Longest time without a pass.
const LOOK_EVERY: Duration = Duration::from_hours(1);
/// Shortest time between two passes: changes that come together are gone over together.
const PAUSE: Duration = Duration::from_millis(500);
/// Most kubeconfigs of one generator that are written at the same time.
const CONCURRENCY: usize = 16;

/// Passes over all generators: at once after `changed`, and when a certificate has to be renewed. Ends
/// only when a watch ends, which does not happen in good order.
pub(crate) async fn run(context: Arc<Context>, changed: Arc<Notify>) {
    let (watched, news) = Watched::begin(context.client.clone());
    let tell = changed.clone();
    let telling = news.for_each(move |()| {
        tell.notify_one();
        std::future::ready(())
    });
    tokio::select! {
        () = telling => {}
        () = keep(context, watched, changed) => {}
    }
}

async fn keep(context: Arc<Context>, watched: Arc<Watched>, changed: Arc<Notify>) {
    context.caches.filled().await;
    watched.filled().await;
    let mut memory = Memory::default();
    loop {
        let again = pass(&context, &watched, &mut memory).await;
        tokio::time::sleep(PAUSE).await;
        tokio::select! {
            () = changed.notified() => {}
            () = tokio::time::sleep(again) => {}
        }
    }
}

/// One pass over all generators; returns how long until the next one is due.
async fn pass(context: &Context, watched: &Watched, memory: &mut Memory) -> Duration {
    let generators = watched.generators.state();
    let mut again = removal::remove_orphans(&generators, watched, context).await;
    for generator in &generators {
        if is_paused(generator.annotations()) || generator.metadata.deletion_timestamp.is_some() {
            continue;
        }
        let began = Instant::now();
        let outcome = reconcile(generator, watched, context, memory).await;
        context.metrics.observe("kubeconfiggenerator", began.elapsed(), outcome.is_err());
        again = again.min(outcome.unwrap_or_else(|error| {
            let generator = generator.name_any();
            tracing::warn!(generator, error = &error as &dyn std::error::Error, "retrying");
            RETRY_AFTER
        }));
    }
    memory.keep_only(&generators);
    again
}

/// One pass over one generator; returns how long until the next one is due.
async fn reconcile(
    generator: &Arc<KubeconfigGenerator>,
    watched: &Watched,
    context: &Context,
    memory: &mut Memory,
) -> Result<Duration, StatusError> {
    let now = context.clock.now();
    let selection = match Selection::of(generator) {
        Ok(selection) => selection,
        Err(fault) => {
            write_status(generator, faulty_status(generator, &fault), context).await?;
            return Ok(LOOK_EVERY);
        }
    };
    let tenants = selected(&selection, watched, &context.caches);
    let known: &Memory = memory;
    let keeping: Vec<_> = tenants
        .iter()
        .map(|tenant| {
            let found = Found::look(generator, tenant, watched, &context.caches);
            let outcome = kubeconfigs::keep(generator, tenant, found, known, context, now);
            outcome.map(move |outcome| (tenant, outcome))
        })
        .collect();
    let mut made: Vec<_> = futures::stream::iter(keeping).buffer_unordered(CONCURRENCY).collect().await;
    made.sort_by_key(|(tenant, _)| resource(tenant));

    let mut again = removal::remove_deselected(generator, &tenants, watched, context).await;
    let mut outcomes = Vec::with_capacity(made.len());
    for (tenant, outcome) in made {
        let outcome = match outcome {
            Ok(entry) => {
                again = again.min(until(entry.renew_at, now));
                memory.note(generator, tenant, entry);
                Ok(())
            }
            Err(error) => {
                if error.is_transient() {
                    again = RETRY_AFTER;
                }
                Err(crate::data_stores::chain(&error))
            }
        };
        outcomes.push((resource(tenant), outcome));
    }
    write_status(generator, status(generator.metadata.generation, &outcomes), context).await?;
    Ok(again)
}

/// The control planes that a generator selects.
fn selected(selection: &Selection, watched: &Watched, caches: &Caches) -> Vec<Arc<TenantControlPlane>> {
    let namespaces = watched.namespaces.state();
    let labels_of = |name: Option<String>| {
        let found = namespaces.iter().find(|namespace| namespace.metadata.name == name);
        found.and_then(|namespace| namespace.metadata.labels.as_ref())
    };
    let tenants = caches.tenants.state().into_iter();
    tenants.filter(|tenant| selection.selects(tenant, labels_of(tenant.namespace()))).collect()
}

async fn write_status(
    generator: &KubeconfigGenerator,
    stands: api::KubeconfigGeneratorStatus,
    context: &Context,
) -> Result<(), StatusError> {
    if generator.status.as_ref() == Some(&stands) {
        return Ok(());
    }
    let mut changed = generator.clone();
    changed.status = Some(stands);
    match replace_status(&context.client, &changed).await {
        Ok(_) => tell(generator, &changed, context).await,
        // The change that made it stale brings the next pass.
        Err(StatusError::Gone { .. } | StatusError::Stale { .. }) => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Tells of kubeconfigs that could not be made, when others could not before.
async fn tell(before: &KubeconfigGenerator, after: &KubeconfigGenerator, context: &Context) {
    let errors = |generator: &KubeconfigGenerator| {
        generator.status.as_ref().map(|status| status.errors.clone()).unwrap_or_default()
    };
    let now = errors(after);
    let Some(first) = now.first().filter(|_| now != errors(before)) else { return };
    let note = match now.len() - 1 {
        0 => format!("{}: {}", first.resource, first.message),
        more => format!("{}: {}; {more} more in status.errors", first.resource, first.message),
    };
    let notice = Notice { is_trouble: true, reason: "KubeconfigMissing", action: "Generate", note };
    publish(context, after, notice).await;
}

/// Whether a change of the Secret concerns generators.
pub(crate) fn concerns(secret: &Secret) -> bool {
    use api::names::Component::{AdminKubeconfig, Ca};
    let component = secret.labels().get(labels::COMPONENT);
    component.is_some_and(|found| found == Ca.label() || found == AdminKubeconfig.label())
}

fn is_paused(annotations: &std::collections::BTreeMap<String, String>) -> bool {
    annotations.contains_key(annotations::PAUSED)
}

fn resource(tenant: &TenantControlPlane) -> String {
    format!("{}/{}", tenant.namespace().unwrap_or_default(), tenant.name_any())
}

fn until(due: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(due.duration_since(now)).unwrap_or_default().min(LOOK_EVERY)
}
