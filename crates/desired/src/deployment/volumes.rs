//! Volumes of the pod.

use api::Driver;
use api::names::Component;
use k8s_openapi::api::core::v1::{
    EmptyDirVolumeSource, KeyToPath, ProjectedVolumeSource, SecretProjection, SecretVolumeSource, Volume,
    VolumeMount, VolumeProjection,
};

use super::{DeploymentInputs, hub, konnectivity};
use crate::Validated;

pub(super) const PKI: &str = "etc-kubernetes-pki";
pub(super) const CA_CERTIFICATES: &str = "etc-ca-certificates";
pub(super) const SHARE_CA_CERTIFICATES: &str = "usr-share-ca-certificates";
pub(super) const LOCAL_SHARE_CA_CERTIFICATES: &str = "usr-local-share-ca-certificates";
pub(super) const SCHEDULER_KUBECONFIG: &str = "scheduler-kubeconfig";
pub(super) const CONTROLLER_MANAGER_KUBECONFIG: &str = "controller-manager-kubeconfig";
pub(super) const KINE_UDS: &str = "kine-uds";
pub(super) const KINE_CONFIG: &str = "kine-config";
pub(super) const KINE_CERTS: &str = "kine-certs";

/// Readable by all: the components do not run as root everywhere.
pub(super) const MODE: i32 = 0o644;

/// The user's volumes, then ours.
pub(super) fn volumes(control_plane: &Validated, inputs: &DeploymentInputs<'_>) -> Vec<Volume> {
    let secret = |volume: &str, component: Component| {
        secret_volume(volume, component.object_name(control_plane.name()))
    };
    let mut volumes = control_plane.deployment().additional_volumes.clone();
    volumes.push(pki_volume(control_plane, inputs));
    volumes.extend([
        secret(CA_CERTIFICATES, Component::Ca),
        secret(SHARE_CA_CERTIFICATES, Component::Ca),
        secret(LOCAL_SHARE_CA_CERTIFICATES, Component::Ca),
        secret(SCHEDULER_KUBECONFIG, Component::SchedulerKubeconfig),
        secret(CONTROLLER_MANAGER_KUBECONFIG, Component::ControllerManagerKubeconfig),
    ]);
    if inputs.store.driver != Driver::Etcd {
        volumes.push(empty_dir(KINE_UDS, Some("Memory")));
        if inputs.store.has_tls() {
            volumes.push(secret(KINE_CONFIG, Component::DataStoreCertificate));
        }
        volumes.push(empty_dir(KINE_CERTS, None));
    }
    volumes.extend(konnectivity::volumes(control_plane));
    volumes.extend(hub::volume(control_plane));
    volumes
}

/// A mount that is only read.
pub(super) fn mount(volume: &str, path: &str) -> VolumeMount {
    VolumeMount {
        name: volume.to_owned(),
        mount_path: path.to_owned(),
        read_only: Some(true),
        ..VolumeMount::default()
    }
}

fn pki_volume(control_plane: &Validated, inputs: &DeploymentInputs<'_>) -> Volume {
    const SOURCES: [(Component, [&str; 2]); 6] = [
        (Component::ApiServer, ["apiserver.crt", "apiserver.key"]),
        (Component::Ca, ["ca.crt", "ca.key"]),
        (Component::ApiServerKubeletClient, ["apiserver-kubelet-client.crt", "apiserver-kubelet-client.key"]),
        (Component::FrontProxyCa, ["front-proxy-ca.crt", "front-proxy-ca.key"]),
        (Component::FrontProxyClient, ["front-proxy-client.crt", "front-proxy-client.key"]),
        (Component::ServiceAccount, ["sa.pub", "sa.key"]),
    ];
    let projection = |component: Component, items: Vec<KeyToPath>| VolumeProjection {
        secret: Some(SecretProjection {
            name: component.object_name(control_plane.name()),
            items: Some(items),
            optional: None,
        }),
        ..VolumeProjection::default()
    };
    let mut sources: Vec<VolumeProjection> = SOURCES
        .into_iter()
        .map(|(component, keys)| projection(component, keys.map(|key| item(key, key)).into()))
        .collect();
    for component in inputs.bundles {
        let items = vec![item("bundle.crt", trusted(inputs, *component))];
        let mut source = projection(*component, items);
        // Once only one authority is trusted again, the key is gone before the last pod that mounts it.
        if let Some(secret) = &mut source.secret {
            secret.optional = Some(true);
        }
        sources.push(source);
    }
    if inputs.store.driver == Driver::Etcd {
        let items = ["ca.crt", "server.crt", "server.key"].map(|key| item(key, &format!("etcd/{key}")));
        sources.push(projection(Component::DataStoreCertificate, items.into()));
    }
    Volume {
        name: PKI.to_owned(),
        projected: Some(ProjectedVolumeSource { default_mode: Some(MODE), sources: Some(sources) }),
        ..Volume::default()
    }
}

/// File of the certificates that are trusted as an authority's.
pub(super) fn trusted(inputs: &DeploymentInputs<'_>, component: Component) -> &'static str {
    match (component, inputs.bundles.contains(&component)) {
        (Component::FrontProxyCa, false) => "front-proxy-ca.crt",
        (Component::FrontProxyCa, true) => "front-proxy-bundle.crt",
        (_, false) => "ca.crt",
        (_, true) => "bundle.crt",
    }
}

pub(super) fn item(key: &str, path: &str) -> KeyToPath {
    KeyToPath { key: key.to_owned(), path: path.to_owned(), mode: None }
}

pub(super) fn secret_volume(volume: &str, secret: String) -> Volume {
    Volume {
        name: volume.to_owned(),
        secret: Some(SecretVolumeSource {
            secret_name: Some(secret),
            default_mode: Some(MODE),
            ..SecretVolumeSource::default()
        }),
        ..Volume::default()
    }
}

pub(super) fn empty_dir(volume: &str, medium: Option<&str>) -> Volume {
    Volume {
        name: volume.to_owned(),
        empty_dir: Some(EmptyDirVolumeSource { medium: medium.map(str::to_owned), size_limit: None }),
        ..Volume::default()
    }
}
