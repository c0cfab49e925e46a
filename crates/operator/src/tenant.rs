//! Reconciles TenantControlPlanes: one pass brings everything about that can be, then says how it stands.

mod certificates;
mod configuration;
mod delete;
mod events;
mod exposure;
mod inside;
mod migration;
mod pass;
mod placement;
mod rivals;
mod rollout;
mod sleeping;
mod storage;
mod tunnel;

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::names::{Component, annotations};
use api::{DataStore, Driver, TenantControlPlane};
use desired::{Observed, status, validate};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::Api;
use kube::runtime::controller::Action;
use kubekit::{StatusError, replace_status};

use crate::caches::Caches;
use crate::context::Context;
use crate::controllers::TenantRef;
use crate::data_stores::{store_of, used_by};
pub(crate) use inside::Sessions;
use sleeping::{Followed, follow};

/// How soon a pass that could not finish is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(2);
/// Longest time without a pass: certificates are looked at this often at least.
const LOOK_EVERY: Duration = Duration::from_hours(1);

/// Why a control plane could not be reconciled; everything else is said in its status.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The control plane could not be taken away, or protected from being taken away too early.
    #[error(transparent)]
    Delete(#[from] delete::DeleteError),
    /// The status could not be written.
    #[error(transparent)]
    Status(#[from] StatusError),
    /// The installation's tunnel is not there yet.
    #[error(transparent)]
    Tunnel(#[from] crate::tunnel::NotYet),
    /// What the installation's hub shows is not known yet.
    #[error(transparent)]
    Hub(#[from] crate::hub::NotYet),
    /// It could not be found out whether the control plane has a place in a store already.
    #[error("failed to read Secret `{name}`, which may say where the tenant's data are")]
    Place {
        /// Name of the Secret.
        name: String,
        /// The API server's reason.
        #[source]
        source: Box<kube::Error>,
    },
}

/// One pass over one control plane.
pub(crate) async fn reconcile(
    tenant: Arc<TenantControlPlane>,
    context: Arc<Context>,
) -> Result<Action, Error> {
    context.metrics.state.note_begun(&tenant);
    if tenant.annotations().contains_key(annotations::PAUSED) {
        return Ok(Action::await_change());
    }
    // What it is made of is brought by a transfer, whose end is a change.
    if tenant.annotations().contains_key(annotations::AWAITED_BY)
        && tenant.metadata.deletion_timestamp.is_none()
    {
        return Ok(Action::await_change());
    }
    context.caches.filled().await;
    let began = Instant::now();
    let outcome = if tenant.metadata.deletion_timestamp.is_some() {
        take_away(&tenant, &context).await
    } else {
        Box::pin(bring_about(&tenant, &context)).await
    };
    context.metrics.observe("tenantcontrolplane", began.elapsed(), outcome.is_err());
    context.metrics.set_starts_waiting(context.gate.wake_next(&context.caches, context.clock.now()));
    outcome
}

/// When a failed pass is tried again.
#[expect(clippy::needless_pass_by_value, reason = "the controller's signature")]
pub(crate) fn retry(tenant: Arc<TenantControlPlane>, error: &Error, _: Arc<Context>) -> Action {
    let (namespace, name) = (tenant.namespace().unwrap_or_default(), tenant.name_any());
    if matches!(error, Error::Status(StatusError::Stale { .. } | StatusError::Gone { .. })) {
        // The change that made it stale brings the next pass; this one is for a lost event.
        tracing::debug!(namespace, name, %error, "again from the newest version");
    } else {
        tracing::warn!(namespace, name, error = error as &dyn std::error::Error, "retrying");
    }
    Action::requeue(RETRY_AFTER)
}

/// Control planes that have something in `store`, or would like to.
pub(crate) fn users_of(caches: &Caches, store: &DataStore, default: &str) -> Vec<TenantRef> {
    let name = store.name_any();
    let uses = |tenant: &&Arc<TenantControlPlane>| used_by(tenant, default).contains(name.as_str());
    caches.tenants.state().iter().filter(uses).map(|tenant| TenantRef::from_obj(tenant.as_ref())).collect()
}

async fn take_away(tenant: &TenantControlPlane, context: &Context) -> Result<Action, Error> {
    match delete::delete(tenant, context).await {
        Ok(()) => Ok(Action::await_change()),
        Err(error) => {
            events::warn(context, tenant, "DeleteFailed", "Delete", &error).await;
            Err(error.into())
        }
    }
}

async fn bring_about(tenant: &TenantControlPlane, context: &Context) -> Result<Action, Error> {
    let now = context.clock.now();
    let generation = tenant.metadata.generation;
    let (schedule, scheduled) = match Box::pin(follow(tenant, context, now)).await {
        // The change brings the next pass; this one is for a lost event.
        Followed::Changed => return Ok(Action::requeue(RETRY_AFTER)),
        Followed::Stands(schedule, again) => (schedule, again.unwrap_or(LOOK_EVERY)),
    };
    let held;
    let has = |key| tenant.annotations().contains_key(key);
    let tenant = if has(annotations::HOLD) || has(annotations::GIVEN_AWAY_BY) {
        held = without_pods(tenant);
        &held
    } else {
        tenant
    };
    let validated = match validate(tenant) {
        Ok(validated) => validated,
        Err(faults) => {
            let previous = tenant.status.as_ref();
            let mut stands = status(previous, Err(&faults), generation, &Observed::default(), now);
            stands.sleep_schedule = schedule.map(|schedule| *schedule);
            Box::pin(write_status(tenant, context, stands)).await?;
            return Ok(Action::await_change());
        }
    };
    let validated = Box::pin(with_place(tenant, validated, context)).await?;
    let validated = if desired::shared_tunnel::is_wished(&tenant.spec) {
        validated.with_shared_tunnel(context.tunnel.shared().await?)
    } else {
        validated
    };
    let validated = validated.with_hub(context.hub.shown().await?);
    delete::protect(tenant, context).await?;
    let pass = Box::pin(pass::run(tenant, &validated, context, now)).await;
    let observed = pass.observed();
    let mut stands = status(tenant.status.as_ref(), Ok(&validated), generation, &observed, now);
    stands.sleep_schedule = schedule.map(|schedule| *schedule);
    Box::pin(write_status(tenant, context, stands)).await?;
    Ok(Action::requeue(pass.again(now).min(LOOK_EVERY).min(scheduled)))
}

/// The control plane as it is while a restore or a transfer holds it: nothing of it runs, and what it is made of stands.
fn without_pods(tenant: &TenantControlPlane) -> TenantControlPlane {
    let mut held = tenant.clone();
    held.spec.control_plane.deployment.get_or_insert_default().replicas = Some(0);
    held
}

/// Finds the place in the store of a control plane whose status knows of none: it may have come back from
/// a backup. The API server is asked, since the cache may not have seen the Secret yet.
async fn with_place(
    tenant: &TenantControlPlane,
    validated: desired::Validated,
    context: &Context,
) -> Result<desired::Validated, Error> {
    if tenant.status.as_ref().is_some_and(|status| status.storage.setup.user.is_some()) {
        return Ok(validated);
    }
    let name = Component::DataStoreConfig.object_name(validated.name());
    let secrets: Api<Secret> = Api::namespaced(context.client.clone(), validated.namespace());
    match secrets.get_opt(&name).await {
        Ok(config) => {
            let store = context.caches.data_stores.get(store_of(tenant, context.settings.default_store()));
            let has_users = store.is_none_or(|store| store.spec.driver != Driver::Nats);
            Ok(validated.restored_from(config.as_ref(), has_users))
        }
        Err(source) => Err(Error::Place { name, source: Box::new(source) }),
    }
}

/// Writes the status if it differs, and tells of what changed by it.
async fn write_status(
    tenant: &TenantControlPlane,
    context: &Context,
    stands: api::TenantControlPlaneStatus,
) -> Result<(), Error> {
    if tenant.status.as_ref() == Some(&stands) {
        return Ok(());
    }
    let mut changed = tenant.clone();
    changed.status = Some(stands);
    match replace_status(&context.client, &changed).await {
        Ok(_) | Err(StatusError::Gone { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    events::tell(context, tenant, &changed).await;
    Ok(())
}
