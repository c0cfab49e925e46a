//! Service routing on the workers: kube-proxy as kubeadm installs it, in the tenant's version.

use api::validation::Fault;
use api::{AddonSpec, KubeProxySpec, TenantControlPlaneSpec};
use serde_json::{Value, json};

use super::join::{BOOTSTRAPPERS, JOINERS};
use super::object::{Key, Kind, Object, Part, account, group};
use super::patches::Patches;
use super::{Wished, yaml};
use crate::endpoint::{host_port, public};
use crate::kubeadm_config::join;
use crate::{Endpoint, Validated, pod_ranges, service_ranges};

const NAME: &str = "kube-proxy";
pub(super) const DAEMON_SET: Key = Key::system(Kind::DaemonSet, NAME);
pub(super) const CONFIG: Key = Key::system(Kind::ConfigMap, NAME);
pub(super) const ACCOUNT: Key = Key::system(Kind::ServiceAccount, NAME);
pub(super) const ROLE: Key = Key::system(Kind::Role, NAME);
pub(super) const ROLE_BINDING: Key = Key::system(Kind::RoleBinding, NAME);
pub(super) const BINDING: Key = Key::cluster(Kind::ClusterRoleBinding, "kubeadm:node-proxier");

const REGISTRY: &str = "registry.k8s.io";
const SELECTOR: (&str, &str) = ("k8s-app", NAME);
const PATCHES: Patches =
    Patches { field: "spec.addons.kubeProxy.configurationJSONPatches", kind: "KubeProxyConfiguration" };

pub(super) fn add(
    wished: &mut Wished,
    control_plane: &Validated,
    addon: &KubeProxySpec,
    endpoint: &Endpoint,
) {
    let part = Part::KubeProxy;
    let (subject, bootstrappers) = ([account(NAME)], [group(BOOTSTRAPPERS), group(JOINERS)]);
    wished.objects.extend([
        Object::binding(part, BINDING, "system:node-proxier", &subject),
        Object::reader(part, ROLE, &CONFIG.name),
        Object::binding(part, ROLE_BINDING, &ROLE.name, &bootstrappers),
        Object::new(part, ACCOUNT, json!({})),
    ]);
    let mut configuration = configuration(control_plane, endpoint);
    match PATCHES.apply(&mut configuration, &addon.configuration_json_patches) {
        Ok(()) => {
            let files = json!({
                "config.conf": yaml(&configuration),
                "kubeconfig.conf": yaml(&kubeconfig(control_plane, endpoint)),
            });
            let config = Object::new(part, CONFIG, json!({ "data": files })).labelled([("app", NAME)]);
            wished.objects.push(config);
        }
        Err(fault) => wished.faults.push((part, fault.to_string())),
    }
    let daemon_set = daemon_set(&image(control_plane, &addon.image));
    wished.objects.push(Object::new(part, DAEMON_SET, daemon_set).labelled([SELECTOR]));
}

/// The first patch of a spec that does not apply.
pub(super) fn patch_fault(spec: &TenantControlPlaneSpec) -> Option<Fault> {
    let addon = spec.addons.as_ref()?.kube_proxy.as_ref()?;
    let mut configuration = written("", "");
    PATCHES.apply(&mut configuration, &addon.configuration_json_patches).err()
}

fn image(control_plane: &Validated, addon: &AddonSpec) -> String {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let repository = given(&addon.image_repository).unwrap_or_else(|| REGISTRY.to_owned());
    let tag = given(&addon.image_tag).unwrap_or_else(|| control_plane.version().to_string());
    format!("{repository}/{NAME}:{tag}")
}

fn configuration(control_plane: &Validated, endpoint: &Endpoint) -> Value {
    let is_ipv4 = service_ranges(control_plane, endpoint).first().is_none_or(|range| range.addr().is_ipv4());
    let pods = join(&pod_ranges(control_plane, endpoint));
    written(if is_ipv4 { "0.0.0.0" } else { "::" }, &pods)
}

/// The configuration; what is left out is kube-proxy's default.
fn written(bind_address: &str, pods: &str) -> Value {
    json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "bindAddress": bind_address,
        "clientConnection": { "kubeconfig": "/var/lib/kube-proxy/kubeconfig.conf" },
        "clusterCIDR": pods,
        "kind": "KubeProxyConfiguration",
    })
}

fn kubeconfig(control_plane: &Validated, endpoint: &Endpoint) -> Value {
    let (host, port) = public(control_plane, endpoint);
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "cluster": {
                "certificate-authority": "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt",
                "server": format!("https://{}", host_port(&host, port)),
            },
            "name": "default",
        }],
        "contexts": [{
            "context": { "cluster": "default", "namespace": "default", "user": "default" },
            "name": "default",
        }],
        "current-context": "default",
        "users": [{
            "name": "default",
            "user": { "tokenFile": "/var/run/secrets/kubernetes.io/serviceaccount/token" },
        }],
    })
}

fn daemon_set(image: &str) -> Value {
    let (label, value) = SELECTOR;
    json!({ "spec": {
        "selector": { "matchLabels": { label: value } },
        "template": {
            "metadata": { "labels": { label: value } },
            "spec": {
                "containers": [{
                    "name": NAME,
                    "image": image,
                    "imagePullPolicy": "IfNotPresent",
                    "command": [
                        "/usr/local/bin/kube-proxy",
                        "--config=/var/lib/kube-proxy/config.conf",
                        "--hostname-override=$(NODE_NAME)",
                    ],
                    "env": [{ "name": "NODE_NAME", "valueFrom": { "fieldRef": { "fieldPath": "spec.nodeName" } } }],
                    "securityContext": { "privileged": true },
                    "volumeMounts": [
                        { "mountPath": "/var/lib/kube-proxy", "name": NAME },
                        { "mountPath": "/run/xtables.lock", "name": "xtables-lock", "readOnly": false },
                        { "mountPath": "/lib/modules", "name": "lib-modules", "readOnly": true },
                    ],
                }],
                "hostNetwork": true,
                "nodeSelector": { "kubernetes.io/os": "linux" },
                "priorityClassName": "system-node-critical",
                "serviceAccountName": NAME,
                "tolerations": [{ "operator": "Exists" }],
                "volumes": [
                    { "name": NAME, "configMap": { "name": NAME } },
                    {
                        "name": "xtables-lock",
                        "hostPath": { "path": "/run/xtables.lock", "type": "FileOrCreate" },
                    },
                    { "name": "lib-modules", "hostPath": { "path": "/lib/modules" } },
                ],
            },
        },
        "updateStrategy": { "type": "RollingUpdate" },
    }})
}
