//! The ConfigMaps of a control plane.

use api::condition::Kind;
use api::names::Component;
use desired::{Credentials, Endpoint, Validated, hub};
use k8s_openapi::api::core::v1::ConfigMap;

use super::exposure::remove;
use super::pass::Stop;
use super::storage::Storage;
use crate::caches::Caches;
use crate::context::Context;

/// The ConfigMaps, as the cluster answered them.
pub(super) struct Configuration {
    pub(super) kubeadm: ConfigMap,
    pub(super) egress_selector: Option<ConfigMap>,
}

/// Writes the ConfigMaps that differ.
pub(super) async fn apply(
    validated: &Validated,
    endpoint: &Endpoint,
    storage: &Storage,
    context: &Context,
) -> Result<Configuration, Stop> {
    let kubeadm = desired::kubeadm_config(validated, endpoint, &storage.material);
    let egress = desired::egress_selector(validated);
    let stop = |error| Stop::new(Kind::ControlPlaneAvailable, &error);
    let kubeadm = apply_one(&kubeadm, Component::KubeadmConfig, validated, context).await.map_err(stop)?;
    let egress_selector = match egress {
        Some(wanted) => {
            let applied = apply_one(&wanted, Component::KonnectivityEgress, validated, context).await;
            Some(applied.map_err(stop)?)
        }
        None => None,
    };
    Ok(Configuration { kubeadm, egress_selector })
}

/// Writes what API server and hub read of each other, if the installation has a hub.
pub(super) async fn apply_hub(
    validated: &Validated,
    credentials: &Credentials,
    context: &Context,
) -> Result<(), Stop> {
    let Some(wanted) = hub::config_map(validated, credentials.authority()) else { return Ok(()) };
    let applied = apply_one(&wanted, Component::Hub, validated, context).await;
    applied.map(|_| ()).map_err(|error| Stop::new(Kind::ControlPlaneAvailable, &error))
}

async fn apply_one(
    wanted: &ConfigMap,
    component: Component,
    validated: &Validated,
    context: &Context,
) -> Result<ConfigMap, kubekit::ApplyError> {
    let live = find(component, validated, context);
    Ok(context.applier.apply(wanted, live.as_deref()).await?.into_inner())
}

/// Removes what the pods no longer mount.
pub(super) async fn remove_unused(validated: &Validated, context: &Context) -> Result<(), Stop> {
    let unused = [
        (Component::KonnectivityEgress, desired::egress_selector(validated).is_none()),
        (Component::Hub, validated.hub().is_none()),
    ];
    for (component, _) in unused.into_iter().filter(|(_, is_unused)| *is_unused) {
        let live = find(component, validated, context);
        let removed = remove(live.as_deref(), validated, context).await;
        removed.map_err(|error| Stop::new(Kind::ControlPlaneAvailable, &error))?;
    }
    Ok(())
}

fn find(component: Component, validated: &Validated, context: &Context) -> Option<std::sync::Arc<ConfigMap>> {
    let name = component.object_name(validated.name());
    Caches::find(&context.caches.config_maps, validated.namespace(), &name)
}
