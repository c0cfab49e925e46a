//! Takes away kubeconfigs that nobody asks for any more: of generators that are gone, and of control
//! planes that are no longer selected. Those of a control plane that is gone go with it.

use std::sync::Arc;
use std::time::Duration;

use api::names::labels;
use api::{KubeconfigGenerator, TenantControlPlane};
use desired::generator::{is_made_by, secret_name};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;

use super::watched::Watched;
use super::{LOOK_EVERY, RETRY_AFTER, is_paused};
use crate::caches::Caches;
use crate::context::Context;

/// Removes kubeconfigs of generators that do not exist; returns how long until this is tried again.
pub(super) async fn remove_orphans(
    generators: &[Arc<KubeconfigGenerator>],
    watched: &Watched,
    context: &Context,
) -> Duration {
    let is_orphan = |secret: &Secret| {
        let maker = secret.labels().get(labels::MANAGED_BY);
        !generators.iter().any(|generator| Some(&generator.name_any()) == maker)
    };
    remove(is_orphan, watched, context).await
}

/// Removes kubeconfigs of a generator for control planes that it does not select.
pub(super) async fn remove_deselected(
    generator: &KubeconfigGenerator,
    selected: &[Arc<TenantControlPlane>],
    watched: &Watched,
    context: &Context,
) -> Duration {
    let maker = generator.name_any();
    let is_deselected = |secret: &Secret| {
        let label = |key| secret.labels().get(key).cloned().unwrap_or_default();
        let (namespace, tenant) = (secret.namespace().unwrap_or_default(), label(labels::MANAGED_FOR));
        let is_selected = selected
            .iter()
            .any(|known| known.name_any() == tenant && known.namespace().unwrap_or_default() == namespace);
        let exists = Caches::find(&context.caches.tenants, &namespace, &tenant).is_some();
        label(labels::MANAGED_BY) == maker && exists && !is_selected
    };
    remove(is_deselected, watched, context).await
}

async fn remove(is_surplus: impl Fn(&Secret) -> bool, watched: &Watched, context: &Context) -> Duration {
    let mut again = LOOK_EVERY;
    for secret in watched.secrets.state() {
        if !is_surplus(&secret) || !is_generated(&secret) || is_paused(secret.annotations()) {
            continue;
        }
        let (namespace, name) = (secret.namespace().unwrap_or_default(), secret.name_any());
        match context.applier.delete(secret.as_ref()).await {
            Ok(()) => tracing::info!(namespace, name, "removed a kubeconfig that no generator asks for"),
            Err(error) => {
                tracing::warn!(namespace, name, %error, "failed to remove a kubeconfig; trying again");
                again = RETRY_AFTER;
            }
        }
    }
    again
}

/// Whether labels and name agree, as they do on what a generator made.
fn is_generated(secret: &Secret) -> bool {
    let label = |key| secret.labels().get(key).map(String::as_str).unwrap_or_default();
    let (maker, tenant) = (label(labels::MANAGED_BY), label(labels::MANAGED_FOR));
    secret.name_any() == secret_name(maker, tenant) && is_made_by(secret, maker, tenant)
}
