//! The Secrets of the tunnel's namespace, followed.

use std::collections::BTreeSet;

use futures::StreamExt;
use k8s_openapi::api::core::v1::Secret;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};
use kubekit::WatchBackoff;
use service::Health;

use crate::registry::Registry;
use crate::tenant::{SECRET_PREFIX, ServerPair, Tenant};

/// Secret of the tunnel's own certificate; no tenant's uid is this word.
const OWN: &str = "tunnel-server";

/// Keeps the registry as the Secrets are, for ever. Ready when all have been seen, the own one too.
pub(crate) async fn follow(client: Client, namespace: &str, registry: Registry, health: Health) {
    let secrets = Api::<Secret>::namespaced(client, namespace);
    let mut events = watcher(secrets, watcher::Config::default()).backoff(WatchBackoff::default()).boxed();
    let mut listed = BTreeSet::new();
    let mut has_listed = false;
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => listed.clear(),
            Ok(Event::InitApply(secret)) => {
                listed.extend(secret.metadata.name.as_deref().and_then(uid).map(str::to_owned));
                take(&secret, &registry);
            }
            Ok(Event::InitDone) => {
                registry.retain(&std::mem::take(&mut listed));
                has_listed = true;
            }
            Ok(Event::Apply(secret)) => take(&secret, &registry),
            Ok(Event::Delete(secret)) => drop_tenant(&secret, &registry),
            Err(error) => tracing::warn!(%error, "the watch of Secrets broke off, it is tried again"),
        }
        if has_listed && registry.own().is_some() {
            health.set_ready(true);
        }
    }
}

fn take(secret: &Secret, registry: &Registry) {
    let name = secret.metadata.name.as_deref().unwrap_or_default();
    let outcome = if name == OWN {
        ServerPair::read(secret).map(|pair| registry.set_own(pair))
    } else if uid(name).is_some() {
        Tenant::read(secret).map(|tenant| registry.put(tenant))
    } else {
        Ok(())
    };
    if let Err(error) = outcome {
        // What was read before stays: a bad write must not end streams.
        tracing::warn!(error = &error as &dyn std::error::Error, "a Secret cannot be used");
    }
}

fn drop_tenant(secret: &Secret, registry: &Registry) {
    if let Some(uid) = secret.metadata.name.as_deref().and_then(uid) {
        registry.remove(uid);
    }
}

fn uid(name: &str) -> Option<&str> {
    (name != OWN).then(|| name.strip_prefix(SECRET_PREFIX)).flatten()
}
