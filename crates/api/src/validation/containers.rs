//! Rules for the pods.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::VolumeMount;

use super::Fault;
use crate::{DeploymentSpec, TenantControlPlaneSpec};

/// Containers that are ours. `kine` is not among them: an additional container of that name replaces
/// ours, which is how another kine image is chosen.
const OWN_CONTAINERS: [&str; 4] =
    ["kube-apiserver", "kube-scheduler", "kube-controller-manager", "konnectivity-server"];
const OWN_INIT_CONTAINERS: [&str; 1] = ["chmod"];
const OWN_VOLUMES: [&str; 13] = [
    "etc-kubernetes-pki",
    "etc-ca-certificates",
    "usr-share-ca-certificates",
    "usr-local-share-ca-certificates",
    "scheduler-kubeconfig",
    "controller-manager-kubeconfig",
    "kine-uds",
    "kine-config",
    "kine-certs",
    "konnectivity-uds",
    "egress-selector-configuration",
    "konnectivity-server-kubeconfig",
    "flotilla-tunnel-client",
];

const API_SERVER_MOUNTS: &[&str] = &[
    "/etc/kubernetes/pki",
    "/etc/ca-certificates",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/uds",
    "/run/konnectivity",
    "/etc/kubernetes/konnectivity/configurations",
    "/etc/kubernetes/konnectivity/tunnel",
];
const CONTROLLER_MANAGER_MOUNTS: &[&str] = &[
    "/etc/kubernetes/pki",
    "/etc/ca-certificates",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/etc/kubernetes",
];

const PATH: &str = "spec.controlPlane.deployment";

pub(super) fn check(spec: &TenantControlPlaneSpec, faults: &mut Vec<Fault>) {
    let Some(deployment) = &spec.control_plane.deployment else { return };
    if let Some(replicas) = deployment.replicas.filter(|replicas| *replicas < 0) {
        faults.push(Fault::new(
            format!("{PATH}.replicas"),
            replicas,
            "must not be negative; 0 puts the control plane to sleep",
        ));
    }
    check_names(deployment, faults);
    check_flags(deployment, faults);
    check_mounts(deployment, faults);
}

fn check_names(deployment: &DeploymentSpec, faults: &mut Vec<Fault>) {
    let containers = deployment.additional_containers.iter().map(|container| container.name.as_str());
    unique("additionalContainers", containers, &OWN_CONTAINERS, faults);
    let init = deployment.additional_init_containers.iter().map(|container| container.name.as_str());
    unique("additionalInitContainers", init, &OWN_INIT_CONTAINERS, faults);
    let volumes = deployment.additional_volumes.iter().map(|volume| volume.name.as_str());
    unique("additionalVolumes", volumes, &OWN_VOLUMES, faults);
}

fn unique<'a>(
    list: &str,
    names: impl Iterator<Item = &'a str>,
    reserved: &[&'a str],
    faults: &mut Vec<Fault>,
) {
    let mut taken: BTreeSet<&str> = reserved.iter().copied().collect();
    for (index, name) in names.enumerate() {
        if !taken.insert(name) {
            let path = format!("{PATH}.{list}[{index}].name");
            let message =
                format!("is taken; choose a name that is unique and none of {}", reserved.join(", "));
            faults.push(Fault::new(path, name, message));
        }
    }
}

fn check_flags(deployment: &DeploymentSpec, faults: &mut Vec<Fault>) {
    let Some(extra) = &deployment.extra_args else { return };
    let components = [
        ("apiServer", &extra.api_server),
        ("controllerManager", &extra.controller_manager),
        ("scheduler", &extra.scheduler),
        ("kine", &extra.kine),
    ];
    for (component, flags) in components {
        for (index, flag) in flags.iter().enumerate() {
            let name = flag.split('=').next().unwrap_or_default();
            let is_flag = name.len() > 1 && name.starts_with('-') && !name.contains(char::is_whitespace);
            if !is_flag {
                let path = format!("{PATH}.extraArgs.{component}[{index}]");
                faults.push(Fault::new(path, flag, "must be one flag with its value, as `--flag=value`"));
            }
        }
    }
}

fn check_mounts(deployment: &DeploymentSpec, faults: &mut Vec<Fault>) {
    let Some(mounts) = &deployment.additional_volume_mounts else { return };
    distinct_paths("apiServer", &mounts.api_server, API_SERVER_MOUNTS, faults);
    distinct_paths("controllerManager", &mounts.controller_manager, CONTROLLER_MANAGER_MOUNTS, faults);
    distinct_paths("scheduler", &mounts.scheduler, &["/etc/kubernetes"], faults);
}

fn distinct_paths(component: &str, mounts: &[VolumeMount], reserved: &[&str], faults: &mut Vec<Fault>) {
    let mut taken: BTreeSet<&str> = reserved.iter().copied().collect();
    for (index, mount) in mounts.iter().enumerate() {
        if !taken.insert(mount.mount_path.trim_end_matches('/')) {
            let path = format!("{PATH}.additionalVolumeMounts.{component}[{index}].mountPath");
            let message = "is mounted already; choose another path";
            faults.push(Fault::new(path, &mount.mount_path, message));
        }
    }
}
