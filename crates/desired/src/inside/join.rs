//! What joining workers and administrators need: rights, and where the API server is. What kubeadm's
//! phases `bootstrap-token` and the rights of `admin.conf` come to; tokens are made for each `JoinToken`, or
//! by the user.

use serde_json::json;

use super::object::{Key, Kind, Object, Part, group, user};
use super::{Wished, checksum_of, yaml};

/// Group of workers that join with a token of kubeadm's.
pub(super) const BOOTSTRAPPERS: &str = "system:bootstrappers:kubeadm:default-node-token";
/// Group of workers that join with a `JoinToken`: it may do what kubeadm's may, but nothing approves its
/// requests by itself.
pub const JOINERS: &str = "system:bootstrappers:flotilla:join";
/// Group of workers that have joined.
pub const NODES: &str = "system:nodes";

const CLUSTER_INFO: Key = Key::public(Kind::ConfigMap, "cluster-info");
const CLUSTER_INFO_KEY: &str = "kubeconfig";
const SIGNER: &str = "kubeadm:bootstrap-signer-clusterinfo";
const GET_NODES: &str = "kubeadm:get-nodes";
/// Name of the administrators' binding and of their group, as kubeadm has them since 1.29.
pub const CLUSTER_ADMINS: &str = "kubeadm:cluster-admins";

pub(super) fn add(wished: &mut Wished, kubeconfig: &str) {
    wished.objects.extend(rights());
    match cluster_info(kubeconfig) {
        Ok(text) => {
            wished.join_checksum = Some(checksum_of(CLUSTER_INFO_KEY, &text));
            let data = json!({ "data": { CLUSTER_INFO_KEY: text } });
            wished.objects.push(Object::new(Part::Join, CLUSTER_INFO, data));
        }
        Err(error) => wished.faults.push((
            Part::Join,
            format!("the administrator's kubeconfig cannot be read: {error}; delete its Secret to have it made anew"),
        )),
    }
}

/// The kubeconfig without user by which workers find the API server, as client-go would write it.
fn cluster_info(kubeconfig: &str) -> Result<String, pki::Error> {
    let read = pki::KubeconfigContents::read(kubeconfig)?;
    Ok(yaml(&json!({
        "apiVersion": "v1",
        "clusters": [{
            "cluster": {
                "certificate-authority-data": k8s_openapi::ByteString(read.certificate_authority.into_bytes()),
                "server": read.server,
            },
            "name": "",
        }],
        "contexts": null,
        "current-context": "",
        "kind": "Config",
        "users": null,
    })))
}

fn rights() -> Vec<Object> {
    let bound = |name, role, subjects: &[_]| {
        Object::binding(Part::Join, Key::cluster(Kind::ClusterRoleBinding, name), role, subjects)
    };
    let binding = |name, role, subject| bound(name, role, &[subject]);
    let joining = [group(BOOTSTRAPPERS), group(JOINERS)];
    let nodes = json!({ "apiGroups": [""], "resources": ["nodes"], "verbs": ["get"] });
    vec![
        binding(CLUSTER_ADMINS, "cluster-admin", group(CLUSTER_ADMINS)),
        Object::new(Part::Join, Key::cluster(Kind::ClusterRole, GET_NODES), json!({ "rules": [nodes] })),
        bound(GET_NODES, GET_NODES, &joining),
        bound("kubeadm:kubelet-bootstrap", "system:node-bootstrapper", &joining),
        binding(
            "kubeadm:node-autoapprove-bootstrap",
            "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
            group(BOOTSTRAPPERS),
        ),
        binding(
            "kubeadm:node-autoapprove-certificate-rotation",
            "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
            group(NODES),
        ),
        binding(
            "kubeadm:apiserver-kubelet-client",
            "system:kubelet-api-admin",
            user("kube-apiserver-kubelet-client"),
        ),
        Object::reader(Part::Join, Key::public(Kind::Role, SIGNER), &CLUSTER_INFO.name),
        Object::binding(
            Part::Join,
            Key::public(Kind::RoleBinding, SIGNER),
            SIGNER,
            &[user("system:anonymous")],
        ),
    ]
}
