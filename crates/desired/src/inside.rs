//! What stands in the tenant's own cluster: what workers need to join, addons, limits of writing.

mod agent;
mod core_dns;
mod join;
mod kube_proxy;
mod kubeadm;
mod kubelet;
mod limits;
mod object;
mod patches;
mod rights;

use std::collections::BTreeSet;

use k8s_openapi::ByteString;

use crate::data_store::DataStoreMaterial;
use crate::{Endpoint, Validated, checksum};

pub(crate) use agent::{ACCOUNT as AGENT, BINDING as AGENT_BINDING, host as agent_host};
pub use core_dns::LiveDns;
pub use join::{CLUSTER_ADMINS, JOINERS, NODES};
pub use limits::{FREEZE_PATH, WRITE_PERMISSION_PATH, Webhook, freeze};
pub use object::{Key, Kind, Object, Part};
pub use patches::patch_fault;
pub use rights::{
    INVENTORY_GROUP, ProjectRights, RIGHTS_GROUP, Rights, RoleRights, cluster_group, is_reserved, is_right,
    project_group, project_objects, rights_objects, role_of,
};

/// User that the operator acts as in tenants' clusters; what limits writing there leaves it out.
pub const OPERATOR_USER: &str = "flotilla:operator";

/// What the objects are made from beside the spec.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// Address of the API server.
    pub endpoint: &'a Endpoint,
    /// The administrator's kubeconfig; workers learn address and authority from it.
    pub kubeconfig: &'a str,
    /// The store, which kubeadm's configuration names.
    pub store: &'a DataStoreMaterial,
    /// What answers the tenant's API server when writing is limited.
    pub webhook: &'a Webhook,
    /// What the name server's objects say now.
    pub dns: &'a LiveDns,
    /// What those may do who sign in by the hub; none if the cluster does not trust it.
    pub rights: Option<&'a Rights>,
    /// The namespaces of projects that stand in the cluster.
    pub namespaces: &'a BTreeSet<String>,
}

/// What shall stand in the tenant's cluster.
#[derive(Clone, Debug, Default)]
pub struct Wished {
    /// The objects, those first that others need.
    pub objects: Vec<Object>,
    /// What could not be made, or stands in its way, and what to do about it.
    pub faults: Vec<(Part, String)>,
    /// Checksum of what workers need to join.
    pub join_checksum: Option<String>,
}

/// Objects that stand in the tenant's cluster only while they are wished for.
pub const REMOVABLE: [Key; 18] = [
    limits::FREEZE,
    limits::WRITE_PERMISSIONS,
    core_dns::DEPLOYMENT,
    core_dns::CONFIG,
    core_dns::SERVICE,
    core_dns::ROLE,
    core_dns::BINDING,
    core_dns::ACCOUNT,
    kube_proxy::DAEMON_SET,
    kube_proxy::CONFIG,
    kube_proxy::ROLE,
    kube_proxy::ROLE_BINDING,
    kube_proxy::BINDING,
    kube_proxy::ACCOUNT,
    agent::DAEMON_SET,
    agent::DEPLOYMENT,
    agent::BINDING,
    agent::ACCOUNT,
];

/// Everything that the spec asks for.
#[must_use]
pub fn objects(control_plane: &Validated, inputs: &Inputs<'_>) -> Wished {
    let mut wished = Wished::default();
    join::add(&mut wished, inputs.kubeconfig);
    kubeadm::add(&mut wished, control_plane, inputs);
    kubelet::add(&mut wished, control_plane);
    let spec = control_plane.spec();
    if let Some(permissions) = spec.write_permissions.as_ref().filter(|wanted| wanted.is_limited()) {
        wished.objects.push(limits::write_permissions(permissions, inputs.webhook));
    }
    let addons = spec.addons.clone().unwrap_or_default();
    if let Some(addon) = &addons.core_dns {
        core_dns::add(&mut wished, control_plane, addon, inputs.dns);
    }
    if let Some(addon) = &addons.kube_proxy {
        kube_proxy::add(&mut wished, control_plane, addon, inputs.endpoint);
    }
    if let Some(addon) = &addons.konnectivity {
        agent::add(&mut wished, control_plane, addon, inputs.endpoint);
    }
    if let Some(rights) = inputs.rights {
        rights::add(&mut wished, rights, inputs.namespaces);
    }
    wished
}

/// Addresses of the cluster's DNS Service: the spec's, else computed from the ranges of Services.
fn dns_addresses(control_plane: &Validated) -> Vec<String> {
    let profile = &control_plane.network().profile;
    if profile.dns_service_ips.is_empty() {
        api::defaulting::dns_addresses(&profile.effective_service_cidrs()).unwrap_or_default()
    } else {
        profile.dns_service_ips.clone()
    }
}

/// Checksum of a `ConfigMap`'s data, as of a Secret's.
fn checksum_of(key: &str, text: &str) -> String {
    checksum(&[(key.to_owned(), ByteString(text.as_bytes().to_vec()))].into())
}

/// A value as YAML, without folded lines. Values of ours are objects with text keys, which always can be
/// written.
pub(crate) fn yaml(value: &serde_json::Value) -> String {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(value, options).unwrap_or_else(|_| value.to_string())
}
