//! The installation's hub as control planes see it: who vouches for it, and the roles and projects by which its
//! people have rights inside clusters.

mod index;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::{Project, Role, Tenant};
use desired::hub::Certificate;
use desired::inside::Rights;
use futures::future::Either;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::api::Api;
use kube::runtime::reflector::Store;
use kube::runtime::watcher;
use kubekit::{Filled, cached, trimmed};
use tokio::sync::{Notify, mpsc};

use crate::Settings;
use crate::context::Context;
use crate::controllers::TenantRef;
use index::Index;

/// Key of the Secret with the certificates of those who vouch.
const AUTHORITY: &str = "ca.crt";
/// How long a pass waits for caches of an operator that has just begun.
const PATIENCE: Duration = Duration::from_secs(10);
/// Shortest time between two looks: changes that come together are gone over together.
const PAUSE: Duration = Duration::from_millis(500);

/// The hub as passes see it; none where the installation has no hub.
pub(crate) struct Hub(Option<Parts>);

struct Parts {
    issuer: String,
    discovery: String,
    /// None where operating systems know who vouches.
    secret: Option<(Store<Secret>, Filled)>,
    roles: Store<Role>,
    projects: Store<Project>,
    tenants: Store<Tenant>,
    filled: [Filled; 3],
    index: Mutex<Option<Arc<Index>>>,
    /// What control planes were last told, by namespace and name.
    told: Mutex<HashMap<(String, String), u64>>,
    /// Tells that something changed.
    changed: Arc<Notify>,
}

/// What the hub shows is not known yet.
#[derive(Debug, thiserror::Error)]
#[error("who vouches for the hub is not known yet; if this lasts, see the operator's log")]
pub(crate) struct NotYet;

impl Hub {
    /// The caches, and what keeps them current; nothing is asked for where the installation has no hub.
    pub(crate) fn begin(
        settings: &Settings,
        client: &Client,
    ) -> (Self, impl Future<Output = ()> + Send + use<>) {
        if settings.hub_issuer.is_empty() {
            return (Self(None), Either::Left(std::future::pending()));
        }
        let all = watcher::Config::default;
        let (roles, roles_filled, role_changes) = cached::<Role>(Api::all(client.clone()), all(), trimmed);
        let (projects, projects_filled, project_changes) =
            cached::<Project>(Api::all(client.clone()), all(), trimmed);
        let (tenants, tenants_filled, tenant_changes) =
            cached::<Tenant>(Api::all(client.clone()), all(), trimmed);
        let name = &settings.hub_certificate_secret;
        let (secret, secret_changes) = if name.is_empty() {
            (None, Either::Left(futures::stream::pending()))
        } else {
            let only = all().fields(&format!("metadata.name={name}"));
            let api = Api::namespaced(client.clone(), &settings.namespace);
            let (store, filled, changes) = cached::<Secret>(api, only, authority_alone);
            (Some((store, filled)), Either::Right(changes.map_ok(|_| ())))
        };
        let changed = Arc::new(Notify::new());
        let told = changed.clone();
        let events = futures::stream::select_all([
            role_changes.map_ok(|_| ()).boxed(),
            project_changes.map_ok(|_| ()).boxed(),
            tenant_changes.map_ok(|_| ()).boxed(),
            secret_changes.boxed(),
        ]);
        let following = events.for_each(move |_| {
            told.notify_one();
            std::future::ready(())
        });
        let parts = Parts {
            issuer: settings.hub_issuer.clone(),
            discovery: settings.hub_discovery.clone(),
            secret,
            roles,
            projects,
            tenants,
            filled: [roles_filled, projects_filled, tenants_filled],
            index: Mutex::default(),
            told: Mutex::default(),
            changed,
        };
        (Self(Some(parts)), Either::Right(following))
    }

    /// What API servers are told of the hub, if the installation has one.
    pub(crate) async fn shown(&self) -> Result<Option<desired::hub::Hub>, NotYet> {
        let Some(parts) = &self.0 else { return Ok(None) };
        let known = tokio::time::timeout(PATIENCE, parts.known()).await;
        known.map_err(|_| NotYet)?;
        Ok(Some(desired::hub::Hub {
            issuer: parts.issuer.clone(),
            discovery: parts.discovery.clone(),
            certificate: parts.certificate(),
        }))
    }

    /// The rights of the hub's people in a control plane's cluster, if the installation has a hub.
    pub(crate) async fn rights(&self, namespace: &str, name: &str) -> Option<Rights> {
        let parts = self.0.as_ref()?;
        parts.known().await;
        let index = parts.index();
        let mark = index.fingerprint(namespace, name);
        let mut told = parts.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.insert((namespace.to_owned(), name.to_owned()), mark);
        Some(index.rights(namespace, name))
    }
}

impl Parts {
    async fn known(&self) {
        for filled in self.filled.iter().chain(self.secret.iter().map(|(_, filled)| filled)) {
            filled.wait().await;
        }
    }

    fn certificate(&self) -> Certificate {
        let Some((secrets, _)) = &self.secret else { return Certificate::Public };
        let found = secrets.state();
        let data = found.first().and_then(|secret| secret.data.as_ref()?.get(AUTHORITY));
        let text = data.and_then(|data| std::str::from_utf8(&data.0).ok());
        // API servers would not start with what is no certificate.
        text.filter(|text| pki::inspect(text).is_ok())
            .map_or(Certificate::Awaited, |text| Certificate::Signed(text.to_owned()))
    }

    /// Roles and projects of now.
    fn index(&self) -> Arc<Index> {
        let mut known = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let read = || {
            let (roles, projects, tenants) =
                (self.roles.state(), self.projects.state(), self.tenants.state());
            Arc::new(Index::new(
                roles.iter().map(AsRef::as_ref),
                projects.iter().map(AsRef::as_ref),
                tenants.iter().map(AsRef::as_ref),
            ))
        };
        known.get_or_insert_with(read).clone()
    }

    /// Control planes whose rights are others than they were told.
    fn outdated(&self) -> Vec<TenantRef> {
        *self.index.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let index = self.index();
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_outdated = |((namespace, name), mark): &(&(String, String), &u64)| {
            index.fingerprint(namespace, name) != **mark
        };
        let outdated = told.iter().filter(is_outdated);
        outdated.map(|((namespace, name), _)| TenantRef::new(name).within(namespace)).collect()
    }

    /// Forgets control planes that are gone.
    fn forget(&self, context: &Context) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|(namespace, name), _| {
            crate::caches::Caches::find(&context.caches.tenants, namespace, name).is_some()
        });
    }
}

/// Keeps of the Secret the certificates alone: a key may lie beside them.
fn authority_alone(secret: &mut Secret) {
    trimmed(secret);
    if let Some(data) = &mut secret.data {
        data.retain(|key, _| key == AUTHORITY);
    }
}

/// Has control planes looked at whose rights change, and all of them when who vouches for the hub does; for ever.
pub(crate) async fn run(context: Arc<Context>, wake: mpsc::UnboundedSender<TenantRef>) {
    let Some(parts) = &context.hub.0 else { return std::future::pending().await };
    context.caches.filled().await;
    parts.known().await;
    let mut certificate = parts.certificate();
    loop {
        let concerned = if std::mem::replace(&mut certificate, parts.certificate()) == certificate {
            parts.outdated()
        } else {
            parts.outdated();
            context.caches.tenants.state().iter().map(|tenant| TenantRef::from_obj(tenant.as_ref())).collect()
        };
        for tenant in concerned {
            // A closed channel means that the controllers stop.
            let _ = wake.send(tenant);
        }
        parts.forget(&context);
        tokio::time::sleep(PAUSE).await;
        parts.changed.notified().await;
    }
}
