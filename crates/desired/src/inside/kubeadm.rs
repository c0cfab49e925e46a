//! The `ConfigMap` in which kubeadm looks up how the cluster was made, and who may read it.

use serde_json::{Value, json};

use super::join::{BOOTSTRAPPERS, JOINERS, NODES};
use super::object::{Key, Kind, Object, Part, group};
use super::{Inputs, Wished, yaml};
use crate::endpoint::{host_port, public};
use crate::kubeadm_config::{join, names, stores};
use crate::{Validated, pod_ranges, service_ranges};

const CONFIG: Key = Key::system(Kind::ConfigMap, "kubeadm-config");
const READERS: &str = "kubeadm:nodes-kubeadm-config";

pub(super) fn add(wished: &mut Wished, control_plane: &Validated, inputs: &Inputs<'_>) {
    let text = yaml(&cluster_configuration(control_plane, inputs));
    let readers = [group(BOOTSTRAPPERS), group(JOINERS), group(NODES)];
    wished.objects.extend([
        Object::new(Part::Join, CONFIG, json!({ "data": { "ClusterConfiguration": text } })),
        Object::reader(Part::Join, Key::system(Kind::Role, READERS), &CONFIG.name),
        Object::binding(Part::Join, Key::system(Kind::RoleBinding, READERS), READERS, &readers),
    ]);
}

/// kubeadm's own configuration of the cluster, `kubeadm.k8s.io/v1beta4`.
fn cluster_configuration(control_plane: &Validated, inputs: &Inputs<'_>) -> Value {
    let endpoint = inputs.endpoint;
    let (host, port) = public(control_plane, endpoint);
    json!({
        "apiServer": {
            "certSANs": names(control_plane, endpoint),
            "extraArgs": [
                { "name": "etcd-compaction-interval", "value": "0s" },
                { "name": "etcd-prefix", "value": format!("/{}", control_plane.name()) },
            ],
        },
        "apiVersion": "kubeadm.k8s.io/v1beta4",
        "caCertificateValidityPeriod": "87600h0m0s",
        "certificateValidityPeriod": "8760h0m0s",
        "certificatesDir": "/etc/kubernetes/pki",
        "clusterName": control_plane.name(),
        "controlPlaneEndpoint": host_port(&host, port),
        "controllerManager": {},
        "dns": {},
        "encryptionAlgorithm": "RSA-2048",
        "etcd": {
            "external": { "caFile": "", "certFile": "", "endpoints": stores(inputs.store), "keyFile": "" },
        },
        "imageRepository": "registry.k8s.io",
        "kind": "ClusterConfiguration",
        "kubernetesVersion": control_plane.spec().kubernetes.version,
        "networking": {
            "dnsDomain": control_plane.network().cluster_domain,
            "podSubnet": join(&pod_ranges(control_plane, endpoint)),
            "serviceSubnet": join(&service_ranges(control_plane, endpoint)),
        },
        "proxy": {},
        "scheduler": {},
    })
}
