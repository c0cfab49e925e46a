//! Reconciles DataStores: reaches each one, says who uses it, keeps it while it is used.

mod status;

pub(crate) use status::{VALIDATION, chain};

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::names::{annotations, finalizers};
use api::{DataStore, TenantControlPlane};
use datastore::Health;
use kube::ResourceExt;
use kube::api::Api;
use kube::runtime::controller::Action;
use kubekit::{FinalizerError, StatusError, has_finalizer, replace_status, set_finalizers};

use crate::context::Context;
use crate::events::{Notice, publish};
use crate::stores::{StoreError, connection};

/// How often a store is asked whether it still answers.
const CHECK_EVERY: Duration = Duration::from_secs(10);
/// How soon a store that does not answer is asked again.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// Why a DataStore could not be reconciled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The finalizer could not be changed.
    #[error(transparent)]
    Finalizer(#[from] FinalizerError),
    /// The status could not be written.
    #[error(transparent)]
    Status(#[from] StatusError),
    /// The DataStore could not be read again.
    #[error("failed to read a DataStore that changed meanwhile")]
    Read(#[source] Box<kube::Error>),
}

/// One pass over one DataStore.
pub(crate) async fn reconcile(object: Arc<DataStore>, context: Arc<Context>) -> Result<Action, Error> {
    context.caches.filled().await;
    let began = Instant::now();
    let outcome = pass(&object, &context).await;
    context.metrics.observe("datastore", began.elapsed(), outcome.is_err());
    outcome
}

/// When a failed pass is tried again.
#[expect(clippy::needless_pass_by_value, reason = "the controller's signature")]
pub(crate) fn retry(object: Arc<DataStore>, error: &Error, _: Arc<Context>) -> Action {
    tracing::warn!(datastore = object.name_any(), error = error as &dyn std::error::Error, "retrying");
    Action::requeue(RETRY_AFTER)
}

async fn pass(object: &DataStore, context: &Context) -> Result<Action, Error> {
    let name = object.name_any();
    // The cache may be behind by this one.
    let others = context.caches.data_stores.all();
    let others = others.iter().map(AsRef::as_ref).filter(|other| other.name_any() != name);
    context.secret_watches.follow(others.chain([object]));
    let tenants = context.caches.tenants.state();
    // Kept only while somebody needs it, so that an unused platform can be uninstalled in any order.
    let is_needed = tenants.iter().any(|tenant| needs(tenant, &name, context.settings.default_store()));
    if has_finalizer(object, finalizers::DATA_STORE) != is_needed {
        set_finalizer(object, context, is_needed).await?;
    }
    if object.metadata.deletion_timestamp.is_some() && !is_needed {
        context.connections.forget(&name).await;
        return Ok(Action::await_change());
    }
    let used_by = users(&name, &tenants);
    let reached = reach(object, context).await;
    let healthy = reached.is_ok();
    let desired = status::status(object, used_by, reached.as_ref(), context.clock.now());
    if object.status.as_ref() != Some(&desired) {
        let mut changed = object.clone();
        changed.status = Some(desired);
        match replace_status(&context.client, &changed).await {
            Ok(_) | Err(StatusError::Gone { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        tell(object, &changed, context).await;
    }
    Ok(Action::requeue(if healthy { CHECK_EVERY } else { RETRY_AFTER }))
}

/// Tells of a store that can be used from now on, or no longer.
async fn tell(before: &DataStore, after: &DataStore, context: &Context) {
    let is_ready = |store: &DataStore| store.status.as_ref().map(|status| status.ready);
    if is_ready(before) == is_ready(after) {
        return;
    }
    let is_trouble = is_ready(after) != Some(true);
    let mut conditions = after.status.iter().flat_map(|status| &status.conditions);
    let telling = conditions.find(|condition| {
        if is_trouble {
            status::decides_readiness(&condition.type_) && condition.status != "True"
        } else {
            condition.type_ == status::REACHABLE
        }
    });
    let Some(telling) = telling else { return };
    let (reason, note) = (telling.reason.as_str(), telling.message.clone());
    publish(context, after, Notice { is_trouble, reason, action: "Reach", note }).await;
}

/// Reads the credentials anew and asks the store for an answer.
async fn reach(object: &DataStore, context: &Context) -> Result<Health, StoreError> {
    let name = object.name_any();
    let wanted = connection(&context.client, object).await?;
    let store = context.connections.open(&name, &wanted).await?;
    match store.health().await {
        Ok(health) => Ok(health),
        Err(source) => {
            context.connections.forget(&name).await;
            Err(StoreError::Store { name, source })
        }
    }
}

/// Keeps a store from being deleted before a control plane leaves anything in it.
pub(crate) async fn hold(object: &DataStore, context: &Context) -> Result<(), Error> {
    if has_finalizer(object, finalizers::DATA_STORE) {
        return Ok(());
    }
    match set_finalizer(object, context, true).await {
        // A store that has just been made changes often; its users are not told of that.
        Err(Error::Finalizer(FinalizerError::Stale { .. })) => {}
        outcome => return outcome,
    }
    let all: Api<DataStore> = Api::all(context.client.clone());
    match all.get_opt(&object.name_any()).await.map_err(|source| Error::Read(Box::new(source)))? {
        Some(live) if !has_finalizer(&live, finalizers::DATA_STORE) => {
            set_finalizer(&live, context, true).await
        }
        _ => Ok(()),
    }
}

/// Name of the store that has the control plane's state, or shall have it.
pub(crate) fn store_of<'a>(tenant: &'a TenantControlPlane, default: &'a str) -> &'a str {
    active(tenant).unwrap_or_else(|| wished(tenant, default))
}

fn active(tenant: &TenantControlPlane) -> Option<&str> {
    tenant.status.as_ref().and_then(|status| status.storage.data_store_name.as_deref())
}

/// Name of the store that the spec asks for, or the operator's default; empty if one is to be chosen.
pub(crate) fn wished<'a>(tenant: &'a TenantControlPlane, default: &'a str) -> &'a str {
    let default =
        if tenant.annotations().contains_key(annotations::DATA_STORE_SELECTOR) { "" } else { default };
    tenant.spec.data_store.as_deref().filter(|wished| !wished.is_empty()).unwrap_or(default)
}

/// Stores that hold something of the control plane, as far as its status knows.
pub(crate) fn held_in(tenant: &TenantControlPlane) -> BTreeSet<&str> {
    let Some(storage) = tenant.status.as_ref().map(|status| &status.storage) else { return BTreeSet::new() };
    let moved = storage.migration.iter().flat_map(|record| [record.from.as_str(), record.to.as_str()]);
    let further = storage.overrides.iter().map(String::as_str);
    active(tenant).into_iter().chain(further).chain(moved).collect()
}

/// Stores that hold something of the control plane, or are about to.
pub(crate) fn used_by<'a>(tenant: &'a TenantControlPlane, default: &'a str) -> BTreeSet<&'a str> {
    let mut names = held_in(tenant);
    names.extend(Some(wished(tenant, default)).filter(|name| !name.is_empty()));
    names.extend(tenant.spec.data_store_overrides.iter().filter_map(|entry| entry.data_store.as_deref()));
    names
}

/// Whether the control plane has something in the store, or is about to.
fn needs(tenant: &TenantControlPlane, name: &str, default: &str) -> bool {
    let may_have_begun = has_finalizer(tenant, finalizers::DATA_STORE_SETUP);
    held_in(tenant).contains(name) || (may_have_begun && used_by(tenant, default).contains(name))
}

/// Control planes that have something in the store, `namespace/name`, sorted.
fn users(name: &str, tenants: &[Arc<TenantControlPlane>]) -> Vec<String> {
    let mut users: Vec<String> = tenants
        .iter()
        .filter(|tenant| held_in(tenant).contains(name))
        .map(|tenant| format!("{}/{}", tenant.namespace().unwrap_or_default(), tenant.name_any()))
        .collect();
    users.sort();
    users
}

async fn set_finalizer(object: &DataStore, context: &Context, is_wanted: bool) -> Result<(), Error> {
    let wanted: &[&str] = if is_wanted { &[finalizers::DATA_STORE] } else { &[] };
    let api = Api::all(context.client.clone());
    Ok(set_finalizers(&api, object, &[finalizers::DATA_STORE], wanted).await?)
}
