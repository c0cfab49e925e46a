//! The installation's half of the shared tunnel: its authority and own certificate, its pods, and what it
//! still knows of control planes that are gone.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use api::names::{Component, labels};
use desired::Renewal;
use desired::shared_tunnel::{self, SharedTunnel};
use futures::{StreamExt, TryStreamExt};
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{Pod, Secret};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{Api, ListParams, ObjectMeta};
use kube::runtime::reflector::Store;
use kube::runtime::watcher;
use kube::{Client, ResourceExt};
use kubekit::{Filled, cached, trimmed};
use tokio::sync::{Notify, mpsc, watch};

use crate::Settings;
use crate::context::Context;
use crate::controllers::TenantRef;

/// How often the certificates are looked at, and what is left of control planes that are gone.
const KEEP_EVERY: Duration = Duration::from_mins(1);
/// How soon it is tried again after a failure.
const RETRY_AFTER: Duration = Duration::from_secs(2);
/// Certificates are renewed this long before they end.
const DEADLINE: SignedDuration = SignedDuration::from_hours(24 * 60);
/// How long a pass waits for the authority of an operator that has just begun.
const PATIENCE: Duration = Duration::from_secs(10);

/// The shared tunnel as passes see it.
pub(crate) struct Tunnel(Option<Parts>);

struct Parts {
    shared: watch::Sender<Option<SharedTunnel>>,
    pods: Store<Pod>,
    slices: Store<EndpointSlice>,
    filled: [Filled; 2],
    /// Tells that pods or endpoints changed.
    changed: Arc<Notify>,
}

/// The authority of the shared tunnel is not there yet.
#[derive(Debug, thiserror::Error)]
#[error("the shared tunnel's authority is not there yet; if this lasts, see the operator's log")]
pub(crate) struct NotYet;

impl Tunnel {
    /// The caches, and what keeps them current; nothing is asked for where the installation has no tunnel.
    pub(crate) fn begin(
        settings: &Settings,
        client: &Client,
    ) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let changed = Arc::new(Notify::new());
        if settings.tunnel_namespace.is_empty() {
            return (Self(None), futures::future::Either::Left(std::future::pending()));
        }
        let own = watcher::Config::default().labels("app.kubernetes.io/component=tunnel");
        let (pods, pods_filled, pod_changes) =
            cached::<Pod>(Api::namespaced(client.clone(), &settings.namespace), own, trim);
        let (slices, slices_filled, slice_changes) =
            cached::<EndpointSlice>(Api::all(client.clone()), ours(), trimmed);
        let told = changed.clone();
        let events = futures::stream::select(pod_changes.map_ok(|_| ()), slice_changes.map_ok(|_| ()));
        let following = events.for_each(move |_| {
            told.notify_one();
            std::future::ready(())
        });
        let filled = [pods_filled, slices_filled];
        let parts = Parts { shared: watch::Sender::new(None), pods, slices, filled, changed };
        (Self(Some(parts)), futures::future::Either::Right(following))
    }

    /// The installation's tunnel, if it has one.
    pub(crate) async fn shared(&self) -> Result<Option<SharedTunnel>, NotYet> {
        let Some(parts) = &self.0 else { return Ok(None) };
        let mut receiver = parts.shared.subscribe();
        let made = tokio::time::timeout(PATIENCE, receiver.wait_for(Option::is_some)).await;
        Ok(made.map_err(|_| NotYet)?.map_err(|_| NotYet)?.clone())
    }

    /// Pods of the tunnel, and the endpoints of a control plane as they are.
    pub(crate) async fn standing(
        &self,
        namespace: &str,
        name: &str,
    ) -> Option<(Vec<Arc<Pod>>, Option<Arc<EndpointSlice>>)> {
        let parts = self.0.as_ref()?;
        for filled in &parts.filled {
            filled.wait().await;
        }
        Some((parts.pods.state(), crate::caches::Caches::find(&parts.slices, namespace, name)))
    }
}

fn ours() -> watcher::Config {
    let component = Component::TunnelEndpoints.label();
    let own = format!("{}={},{}={component}", labels::PROJECT, labels::PROJECT_VALUE, labels::COMPONENT);
    watcher::Config::default().labels(&own)
}

/// Keeps of a pod only where it is and whether it is ready.
fn trim(pod: &mut Pod) {
    trimmed(pod);
    pod.spec = None;
    pod.metadata.annotations = None;
}

/// Keeps the certificates, and has control planes looked at when the tunnel's pods change; for ever.
pub(crate) async fn run(context: Arc<Context>, wake: mpsc::UnboundedSender<TenantRef>) {
    let Some(parts) = &context.tunnel.0 else { return std::future::pending().await };
    let keeping = async {
        loop {
            let pause = match Box::pin(keep(&context, parts)).await {
                Ok(()) => KEEP_EVERY,
                Err(error) => {
                    tracing::warn!("failed to keep the shared tunnel's Secrets, trying again: {error:#}");
                    RETRY_AFTER
                }
            };
            tokio::time::sleep(pause).await;
        }
    };
    let waking = async {
        loop {
            parts.changed.notified().await;
            wake_users(&context, &wake);
        }
    };
    tokio::join!(keeping, waking);
}

fn wake_users(context: &Context, wake: &mpsc::UnboundedSender<TenantRef>) {
    for tenant in
        context.caches.tenants.state().iter().filter(|tenant| shared_tunnel::is_wished(&tenant.spec))
    {
        // A closed channel means that the controllers stop.
        let _ = wake.send(TenantRef::from_obj(tenant.as_ref()));
    }
}

async fn keep(context: &Context, parts: &Parts) -> Result<()> {
    let (namespace, own_namespace) = (&context.settings.namespace, &context.settings.tunnel_namespace);
    let secrets = |namespace: &str| Api::<Secret>::namespaced(context.client.clone(), namespace);
    let name = shared_tunnel::authority_secret();
    let authority =
        secrets(namespace).get_opt(&name).await.with_context(|| format!("read Secret `{name}`"))?;
    let own =
        secrets(own_namespace).get_opt(shared_tunnel::OWN_SECRET).await.context("read its certificate")?;
    let renewal = Renewal { now: context.clock.now(), deadline: DEADLINE };
    let existing = (authority.as_ref(), own.as_ref());
    let wanted = shared_tunnel::platform(namespace, own_namespace, existing, renewal)?;
    // The authority first: what an operator that ends here leaves is never orphaned.
    context.applier.apply(&wanted.0, authority.as_ref()).await?;
    context.applier.apply(&wanted.1, own.as_ref()).await?;
    parts.shared.send_if_modified(|shared| {
        let differs = shared.as_ref() != Some(&wanted.2);
        *shared = Some(wanted.2.clone());
        differs
    });
    context.caches.filled().await;
    sweep(context, &secrets(own_namespace)).await
}

/// Takes from the tunnel what it knows of control planes that are gone: an operator may have been away.
async fn sweep(context: &Context, secrets: &Api<Secret>) -> Result<()> {
    let own = format!("{}={}", labels::COMPONENT, Component::TunnelEndpoints.label());
    for secret in secrets.list(&ListParams::default().labels(&own)).await.context("list tenants' Secrets")? {
        let Some((uid, namespace, name)) = shared_tunnel::told_of(&secret) else { continue };
        let tenant = crate::caches::Caches::find(&context.caches.tenants, namespace, name);
        if tenant.is_none_or(|tenant| tenant.uid().as_deref() != Some(uid)) {
            context.applier.delete(&secret).await?;
        }
    }
    Ok(())
}

/// Takes from the tunnel what it knows of a control plane.
pub(crate) async fn forget(context: &Context, uid: &str) -> Result<(), kube::Error> {
    if context.tunnel.0.is_none() {
        return Ok(());
    }
    let metadata = ObjectMeta {
        name: Some(shared_tunnel::secret_name(uid)),
        namespace: Some(context.settings.tunnel_namespace.clone()),
        ..ObjectMeta::default()
    };
    context.applier.delete(&Secret { metadata, ..Secret::default() }).await
}
