//! Brings tenants about: one pass over all of them whenever one of them, a namespace of theirs or a control plane
//! changes. What one may do hangs on those above it, so that a pass looks at all.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use api::names::{finalizers, labels};
use api::{Tenant, TenantControlPlane, TenantState};
use authz::quota::Amounts;
use futures::{Stream, StreamExt};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher;
use kube::{Api, ResourceExt};
use kubekit::{ApplyError, cached, has_finalizer, set_finalizers, trimmed};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::forest::Forest;
use super::namespace::Wanted;
use super::status::Found;
use super::{View, clusters, ledger, namespace, quota, status};
use crate::backups::{self, object};
use crate::context::Context;
use crate::data_stores::chain;
use crate::events::{Notice, publish};

/// How soon a pass that could not finish is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(2);
/// How soon it is looked again at a namespace that is not the tenant's: nobody tells when it is gone, such as that of an
/// earlier tenant of the same name.
const TAKEN_AGAIN: SignedDuration = SignedDuration::from_secs(5);
/// Longest time without a pass.
const LOOK_EVERY: Duration = Duration::from_mins(10);
/// Shortest time between two passes: changes that come together are gone over together.
const PAUSE: Duration = Duration::from_millis(200);

/// Why a tenant could not be brought about.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Apply(#[from] ApplyError),
    #[error(transparent)]
    Object(#[from] backups::Error),
}

impl Error {
    /// Whether the next pass, which a change brings, does better.
    fn is_usual(&self) -> bool {
        matches!(self, Self::Object(error) if error.is_overtaken())
    }
}

fn failed(action: &'static str) -> impl FnOnce(kube::Error) -> Error {
    move |source| backups::Error::Cluster { action, source: Box::new(source) }.into()
}

async fn set_finalizer(tenant: &Tenant, api: &Api<Tenant>, wanted: &[&str]) -> Result<(), Error> {
    set_finalizers(api, tenant, &[finalizers::TENANT], wanted)
        .await
        .map_err(|error| backups::Error::from(error).into())
}

/// What a pass goes by.
struct Pass<'a> {
    context: &'a Context,
    namespaces: &'a Store<Namespace>,
    clusters: HashMap<String, Vec<Arc<TenantControlPlane>>>,
    forest: Arc<Forest>,
    own: HashMap<String, Amounts>,
    totals: HashMap<String, Amounts>,
    now: Timestamp,
}

/// Passes over all tenants, at once after `changed` and after each change of `owners`, which keeps the view current.
/// Ends only when a watch ends, which does not happen in good order.
pub(crate) async fn run<C>(context: Arc<Context>, view: View, owners: C, changed: Arc<Notify>)
where
    C: Stream<Item = Result<Tenant, watcher::Error>>,
{
    let client = &context.client;
    let (namespaces, namespaces_filled, namespace_changes) = cached::<Namespace>(
        Api::all(client.clone()),
        watcher::Config::default().labels(labels::TENANT),
        trimmed,
    );
    let seen = owners.for_each(|_| {
        view.changed();
        changed.notify_one();
        std::future::ready(())
    });
    let moved = namespace_changes.for_each(|_| {
        changed.notify_one();
        std::future::ready(())
    });
    let keeping = async {
        context.caches.filled().await;
        namespaces_filled.wait().await;
        loop {
            let again = pass(&context, &view, &namespaces).await;
            tokio::time::sleep(PAUSE).await;
            tokio::select! {
                () = changed.notified() => {}
                () = tokio::time::sleep(again) => {}
            }
        }
    };
    tokio::select! {
        () = seen => {}
        () = moved => {}
        () = keeping => {}
    }
}

/// One pass over all tenants; returns how long until the next one is due.
async fn pass(context: &Context, view: &View, namespaces: &Store<Namespace>) -> Duration {
    let tenants = view.tenants.state();
    if tenants.is_empty() {
        return LOOK_EVERY;
    }
    let forest = view.forest();
    let own = ledger::sum(&forest, view.demands(&forest).iter());
    let totals = ledger::totals(&forest, &own);
    let clusters = view.clusters_by_namespace();
    let pass = Pass { context, namespaces, clusters, forest, own, totals, now: context.clock.now() };
    let mut again = LOOK_EVERY;
    for tenant in tenants {
        match pass.reconcile(&tenant).await {
            Ok(Some(due)) => again = again.min(until(due, pass.now)),
            Ok(None) => {}
            Err(error) => {
                if !error.is_usual() {
                    let tenant = tenant.name_any();
                    tracing::warn!(tenant, error = &error as &dyn std::error::Error, "retrying");
                }
                again = again.min(RETRY_AFTER);
            }
        }
    }
    again
}

fn until(due: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(due.duration_since(now)).unwrap_or_default()
}

impl Pass<'_> {
    /// Returns when something is due.
    async fn reconcile(&self, tenant: &Tenant) -> Result<Option<Timestamp>, Error> {
        let name = tenant.name_any();
        let api: Api<Tenant> = Api::all(self.context.client.clone());
        if tenant.metadata.deletion_timestamp.is_some() {
            return self.leave(tenant, &api).await.map(|()| None);
        }
        if !has_finalizer(tenant, finalizers::TENANT) {
            // The change brings the next pass.
            set_finalizer(tenant, &api, &[finalizers::TENANT]).await?;
            return Ok(None);
        }
        let due = self.forest.leaves_at(&name);
        if due.is_some_and(|due| due <= self.now) && self.forest.children(&name).is_empty() {
            return self.delete(tenant, &api).await.map(|()| None);
        }
        let namespace = self.keep_namespace(tenant).await?;
        let hindered = if namespace.is_ok() { self.keep_state(tenant).await } else { None };
        let own_end = self.own_end(tenant);
        let due = [own_end, due].into_iter().flatten().min();
        let look_again = namespace.is_err().then(|| self.now.saturating_add(TAKEN_AGAIN).unwrap_or(self.now));
        self.tell(tenant, namespace, hindered, (own_end, due)).await?;
        Ok([due, look_again].into_iter().flatten().min())
    }

    fn clusters_in(&self, namespace: &str) -> &[Arc<TenantControlPlane>] {
        self.clusters.get(namespace).map(Vec::as_slice).unwrap_or_default()
    }

    /// When the tenant's own grace period is over, if it leaves.
    fn own_end(&self, tenant: &Tenant) -> Option<Timestamp> {
        if tenant.spec.state != TenantState::Leaving {
            return None;
        }
        let begun = tenant.status.as_ref().and_then(|status| Some(status.leaves_at.as_ref()?.0));
        let end = || self.now.saturating_add(tenant.spec.grace()).unwrap_or(Timestamp::MAX);
        Some(begun.unwrap_or_else(|| api::condition::whole_seconds(end())))
    }

    /// Makes the namespace or takes it over; the error says why it is not the tenant's.
    async fn keep_namespace(&self, tenant: &Tenant) -> Result<Result<(), String>, Error> {
        let name = tenant.wanted_namespace();
        let known = self.namespaces.get(&ObjectRef::new(&name)).map(|known| known.as_ref().clone());
        let live = if known.is_some() {
            known
        } else {
            let all: Api<Namespace> = Api::all(self.context.client.clone());
            all.get_opt(&name).await.map_err(failed("read a namespace"))?
        };
        match namespace::wanted(tenant, live.as_ref()) {
            Wanted::Taken { by } => Ok(Err(namespace::taken(tenant, by.as_deref()))),
            Wanted::Apply(wanted) => {
                self.context.applier.apply(wanted.as_ref(), live.as_ref()).await?;
                Ok(Ok(()))
            }
        }
    }

    /// Puts control planes to sleep, or wakes them; what is told if one could not be.
    async fn keep_state(&self, tenant: &Tenant) -> Option<(&'static str, String)> {
        let name = tenant.name_any();
        if self.forest.line(&name).is_empty() {
            return None;
        }
        let held = self.forest.held(&name);
        let mut refused = None;
        for cluster in self.clusters_in(&tenant.wanted_namespace()) {
            let is_going = cluster.metadata.deletion_timestamp.is_some();
            let Some(change) = clusters::change(cluster, held.is_some()).filter(|_| !is_going) else {
                continue;
            };
            if let Err(error) = self.change(cluster, change, held.is_some()).await {
                let message = format!(
                    "TenantControlPlane `{}` could not be changed: {}",
                    cluster.name_any(),
                    chain(&error)
                );
                refused = Some((if held.is_some() { "NotAsleep" } else { "NotAwake" }, message));
            }
        }
        refused
    }

    async fn change(
        &self,
        cluster: &TenantControlPlane,
        change: Value,
        is_held: bool,
    ) -> Result<(), kube::Error> {
        let api: Api<TenantControlPlane> =
            Api::namespaced(self.context.client.clone(), &cluster.namespace().unwrap_or_default());
        match api.patch(&cluster.name_any(), &PatchParams::default(), &Patch::Merge(change)).await {
            // The change that came between brings the next pass.
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => return Ok(()),
            other => other?,
        };
        let notice = if is_held {
            Notice::good("Suspended", "Suspend", "asleep since its tenant is suspended".to_owned())
        } else {
            Notice::good("Resumed", "Resume", "woken since its tenant is active again".to_owned())
        };
        publish(self.context, cluster, notice).await;
        Ok(())
    }

    /// The grace period is over.
    async fn delete(&self, tenant: &Tenant, api: &Api<Tenant>) -> Result<(), Error> {
        // As it was read: somebody may just have said that it stays.
        let preconditions =
            Preconditions { resource_version: tenant.metadata.resource_version.clone(), uid: tenant.uid() };
        let parameters = DeleteParams::default().preconditions(preconditions);
        match api.delete(&tenant.name_any(), &parameters).await {
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => Ok(()),
            other => other.map(|_| ()).map_err(failed("delete a tenant whose grace period is over")),
        }
    }

    /// Removes what the tenant has, and lets it go. Its namespace goes with it if it was made for it.
    async fn leave(&self, tenant: &Tenant, api: &Api<Tenant>) -> Result<(), Error> {
        if !has_finalizer(tenant, finalizers::TENANT) {
            return Ok(());
        }
        let name = tenant.name_any();
        let namespace = tenant.status.as_ref().and_then(|status| status.namespace.clone());
        let left = namespace.as_deref().map(|namespace| self.clusters_in(namespace)).unwrap_or_default();
        for cluster in left.iter().filter(|cluster| cluster.metadata.deletion_timestamp.is_none()) {
            self.remove(cluster).await?;
        }
        let waits_for = match (left.len(), self.forest.children(&name).len()) {
            (0, 0) => None,
            (0, children) => {
                Some(format!("{children} tenants below it; delete them, or give them another spec.parent"))
            }
            (clusters, _) => {
                Some(format!("{clusters} control planes to end; see their conditions if that lasts"))
            }
        };
        if let Some(what) = waits_for {
            let hindered = Some(("Deleting", format!("the tenant is being deleted and waits for {what}")));
            return self
                .tell(tenant, namespace.map(|_| ()).ok_or_else(String::new), hindered, (None, None))
                .await;
        }
        if let Some(namespace) = namespace {
            self.give_back(&name, &namespace).await?;
        }
        let forgotten = quota::forget(&self.context.client, &self.context.settings.namespace, &name).await;
        forgotten.map_err(failed("forget what was granted of a quota"))?;
        set_finalizer(tenant, api, &[]).await
    }

    async fn remove(&self, cluster: &TenantControlPlane) -> Result<(), Error> {
        let api: Api<TenantControlPlane> =
            Api::namespaced(self.context.client.clone(), &cluster.namespace().unwrap_or_default());
        match api.delete(&cluster.name_any(), &DeleteParams::default()).await {
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
            other => other.map(|_| ()).map_err(failed("delete a control plane of a tenant that goes")),
        }
    }

    /// A namespace that stays is nobody's from now on.
    async fn give_back(&self, tenant: &str, namespace: &str) -> Result<(), Error> {
        let live = self.namespaces.get(&ObjectRef::new(namespace));
        let label = live.as_ref().and_then(|live| live.labels().get(labels::TENANT));
        if label.is_none_or(|label| label != tenant) {
            return Ok(());
        }
        let api: Api<Namespace> = Api::all(self.context.client.clone());
        let patch = json!({"metadata": {"labels": {labels::TENANT: null}}});
        match api.patch(namespace, &PatchParams::default(), &Patch::Merge(patch)).await {
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
            other => other.map(|_| ()).map_err(failed("give a namespace back")),
        }
    }

    async fn tell(
        &self,
        tenant: &Tenant,
        namespace: Result<(), String>,
        hindered: Option<(&'static str, String)>,
        (leaves_at, deleted_at): (Option<Timestamp>, Option<Timestamp>),
    ) -> Result<(), Error> {
        let name = tenant.name_any();
        let amounts = |all: &HashMap<String, Amounts>| all.get(&name).copied().unwrap_or_default();
        let found = Found {
            own: amounts(&self.own),
            total: amounts(&self.totals),
            namespace,
            hindered,
            held: self.forest.held(&name),
            leaves_at,
            deleted_at,
        };
        let wanted = status::status(tenant, &self.forest, &found, self.now);
        if tenant.status.as_ref() == Some(&wanted) {
            return Ok(());
        }
        let changed = Tenant { status: Some(wanted), ..tenant.clone() };
        object::write_status(&changed, &self.context.client).await?;
        Ok(())
    }
}
