//! Roll-outs of control planes that run: whether the pods differ from what they shall be, and what all of
//! them have read.

use std::collections::BTreeMap;

use api::Driver;
use api::names::{Component, annotations, labels};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{PodTemplateSpec, Secret};

use crate::checksum::{checksum, of_text};
use crate::{Checksums, DeploymentInputs};

/// Secrets whose checksum the pod template carries, with the name of its label.
pub(crate) const CHECKSUMS: [(&str, Component); 10] = [
    ("api-server-certificate", Component::ApiServer),
    ("api-server-kubelet-client-certificate", Component::ApiServerKubeletClient),
    ("ca", Component::Ca),
    ("controller-manager-kubeconfig", Component::ControllerManagerKubeconfig),
    ("front-proxy-ca-certificate", Component::FrontProxyCa),
    ("front-proxy-client-certificate", Component::FrontProxyClient),
    ("konnectivity-kubeconfig", Component::KonnectivityKubeconfig),
    ("service-account", Component::ServiceAccount),
    ("scheduler-kubeconfig", Component::SchedulerKubeconfig),
    ("tunnel-client", Component::TunnelClient),
];

/// Whether only pods of the newest template are left, all of them ready.
#[must_use]
pub fn is_rolled_out(live: &Deployment) -> bool {
    let wished = live.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    live.status.as_ref().is_some_and(|status| {
        status.observed_generation == live.metadata.generation
            && status.unavailable_replicas.unwrap_or_default() == 0
            && [status.updated_replicas, status.ready_replicas, status.replicas]
                .into_iter()
                .all(|count| count.unwrap_or_default() == wished)
    })
}

/// Checksums of the Secrets that every pod of a control plane has read; empty while a roll-out goes on.
#[must_use]
pub fn spread(live: Option<&Deployment>) -> Checksums {
    let template = live.filter(|live| is_rolled_out(live)).and_then(template_of);
    let labels = template.and_then(|template| template.metadata.as_ref()?.labels.as_ref());
    let read = |name: &str| labels?.get(&label(name)).cloned();
    CHECKSUMS.into_iter().filter_map(|(name, component)| Some((component, read(name)?))).collect()
}

/// Fingerprint of a pod template as we want it.
pub(crate) fn fingerprint(template: &PodTemplateSpec) -> String {
    // A template is a plain tree of texts and numbers: it always has a JSON form.
    of_text(&serde_json::to_string(template).unwrap_or_default())
}

/// Whether applying `wanted` replaces pods of a control plane that runs.
#[must_use]
pub fn replaces_pods(live: &Deployment, wanted: &Deployment) -> bool {
    let known = |deployment: &Deployment| {
        deployment.metadata.annotations.as_ref()?.get(annotations::TEMPLATE).cloned()
    };
    let runs = |deployment: &Deployment| {
        deployment
            .spec
            .as_ref()
            .is_some_and(|spec| spec.replicas.unwrap_or(1) > 0 && spec.paused != Some(true))
    };
    runs(live) && runs(wanted) && known(live) != known(wanted)
}

fn template_of(live: &Deployment) -> Option<&PodTemplateSpec> {
    live.spec.as_ref().map(|spec| &spec.template)
}

/// Labels of the pod template that carry checksums of Secrets.
pub(crate) fn checksum_labels(inputs: &DeploymentInputs<'_>) -> BTreeMap<String, String> {
    CHECKSUMS
        .into_iter()
        .filter_map(|(name, component)| {
            let current = inputs.checksums.get(&component)?;
            let kept =
                reloaded_under(component, inputs).and_then(|authority| kept(inputs, component, authority));
            Some((label(name), kept.unwrap_or(current).clone()))
        })
        .collect()
}

/// The authority under which the components of a pod read a Secret again by themselves; a new authority is
/// a change of more than one file, of which some are read once.
fn reloaded_under(component: Component, inputs: &DeploymentInputs<'_>) -> Option<Component> {
    match component {
        // konnectivity's server presents the same certificate and reads it once.
        Component::ApiServer if inputs.checksums.contains_key(&Component::KonnectivityKubeconfig) => None,
        Component::ApiServer | Component::ApiServerKubeletClient => Some(Component::Ca),
        Component::FrontProxyClient => Some(Component::FrontProxyCa),
        _ => None,
    }
}

/// The checksum that the pods carry already, if they trust the same authority.
fn kept<'a>(inputs: &DeploymentInputs<'a>, component: Component, authority: Component) -> Option<&'a String> {
    let labels = template_of(inputs.live?)?.metadata.as_ref()?.labels.as_ref()?;
    let find = |wanted: Component| {
        CHECKSUMS
            .into_iter()
            .find(|(_, known)| *known == wanted)
            .and_then(|(name, _)| labels.get(&label(name)))
    };
    // A kubelet takes a minute and more to hand a certificate on: too long for one with another name.
    let has_names = component != Component::ApiServer || serves_names(inputs);
    let trusts_same = find(authority) == inputs.checksums.get(&authority);
    find(component).filter(|value| !value.is_empty() && has_names && trusts_same)
}

/// Whether the certificate that the pods have read serves the names that it shall serve.
fn serves_names(inputs: &DeploymentInputs<'_>) -> bool {
    let template = inputs.live.and_then(template_of).and_then(|template| template.metadata.as_ref());
    let read = template.and_then(|metadata| metadata.annotations.as_ref()?.get(annotations::SERVED_NAMES));
    read.is_some_and(|read| read == inputs.served_names)
}

/// Checksum of the store's certificate that the pod template carries: etcd's client certificate is read
/// for each connection, so a new one alone replaces no pods.
pub(crate) fn store_certificate(inputs: &DeploymentInputs<'_>) -> String {
    let annotations = inputs
        .live
        .and_then(template_of)
        .and_then(|template| template.metadata.as_ref()?.annotations.as_ref());
    let live = |key: &str| annotations.and_then(|annotations| annotations.get(key));
    live(annotations::STORAGE_CERTIFICATE)
        .filter(|_| inputs.store.driver == Driver::Etcd)
        .filter(|_| live(annotations::STORAGE_AUTHORITY).map(String::as_str) == Some(inputs.store_authority))
        .map_or_else(|| inputs.store_certificate.to_owned(), Clone::clone)
}

/// Checksum of all that the Secret with a store's certificate holds beside the client's own.
#[must_use]
pub fn store_authority(certificate: &Secret) -> String {
    let mut data = certificate.data.clone().unwrap_or_default();
    data.retain(|key, _| key != "server.crt" && key != "server.key");
    checksum(&data)
}

fn label(name: &str) -> String {
    format!("{}{name}", labels::CHECKSUM_PREFIX)
}
