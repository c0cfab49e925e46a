//! A control plane whose spec can be brought about.

use std::net::IpAddr;

use api::names::annotations;
use api::validation::{Fault, faults, upgrade_fault};
use api::{DeploymentSpec, NetworkProfileSpec, TenantControlPlane, TenantControlPlaneSpec};
use base::KubernetesVersion;
use ipnet::IpNet;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use crate::hub::Hub;
use crate::metadata::owner;
use crate::shared_tunnel::SharedTunnel;

mod restored;

/// A control plane whose spec can be brought about: everything that was text is read.
#[derive(Clone, Debug)]
pub struct Validated {
    object: Object,
    spec: TenantControlPlaneSpec,
    deployment: DeploymentSpec,
    version: KubernetesVersion,
    network: Network,
    storage: Storage,
    shared_tunnel: Option<SharedTunnel>,
    hub: Option<Hub>,
}

#[derive(Clone, Debug)]
struct Object {
    name: String,
    namespace: String,
    generation: Option<i64>,
    owner: OwnerReference,
}

#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) port: u16,
    pub(crate) address: Option<IpAddr>,
    pub(crate) advertise_address: Option<IpAddr>,
    pub(crate) service_cidrs: Vec<IpNet>,
    pub(crate) pod_cidrs: Vec<IpNet>,
    pub(crate) cluster_domain: String,
    pub(crate) external_ip: Option<IpAddr>,
    pub(crate) wished_of_load_balancer: Option<IpAddr>,
    pub(crate) profile: NetworkProfileSpec,
}

#[derive(Clone, Debug)]
struct Storage {
    schema: String,
    user: String,
}

/// Checks a control plane and reads what it says.
///
/// # Errors
/// Everything that is wrong with the spec, or with the step from the version that runs.
pub fn validate(object: &TenantControlPlane) -> Result<Validated, Vec<Fault>> {
    let mut found = faults(object);
    found.extend(object.spec.sleep_schedule.as_ref().map(crate::sleeping::faults).unwrap_or_default());
    let running =
        object.status.as_ref().and_then(|status| status.kubernetes_resources.version.version.as_deref());
    found.extend(running.and_then(|running| upgrade_fault(running, &object.spec.kubernetes.version)));
    let Some(namespace) = object.metadata.namespace.clone() else {
        found.push(Fault::new("metadata.namespace", "", "must name a namespace"));
        return Err(found);
    };
    match object.spec.kubernetes.version.parse() {
        Ok(version) if found.is_empty() => Ok(read(object, namespace, version)),
        _ => Err(found),
    }
}

fn read(object: &TenantControlPlane, namespace: String, version: KubernetesVersion) -> Validated {
    let uid = object.metadata.uid.clone().unwrap_or_default();
    let name = object.metadata.name.clone().unwrap_or_default();
    let setup = object.status.as_ref().map(|status| status.storage.setup.clone()).unwrap_or_default();
    Validated {
        storage: Storage {
            schema: first_text([setup.schema.as_ref(), object.spec.data_store_schema.as_ref()], &uid),
            user: first_text([setup.user.as_ref(), object.spec.data_store_username.as_ref()], &uid),
        },
        network: read_network(
            object.spec.network_profile.clone().unwrap_or_default(),
            object.metadata.annotations.as_ref().and_then(|all| all.get(annotations::LOAD_BALANCER_ADDRESS)),
        ),
        deployment: object.spec.control_plane.deployment.clone().unwrap_or_default(),
        object: Object { name, namespace, generation: object.metadata.generation, owner: owner(object) },
        spec: object.spec.clone(),
        version,
        shared_tunnel: None,
        hub: None,
    }
}

fn read_network(profile: NetworkProfileSpec, wished_of_load_balancer: Option<&String>) -> Network {
    let parse_address = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<IpAddr>().ok());
    let parse_ranges = |texts: Vec<String>| texts.iter().filter_map(|text| text.parse().ok()).collect();
    let address = parse_address(&profile.address);
    Network {
        port: u16::try_from(profile.port()).unwrap_or(6443),
        address,
        advertise_address: parse_address(&profile.advertise_address),
        service_cidrs: parse_ranges(profile.effective_service_cidrs()),
        pod_cidrs: parse_ranges(profile.effective_pod_cidrs()),
        cluster_domain: profile.cluster_domain().to_owned(),
        wished_of_load_balancer: wished_of_load_balancer.and_then(|text| text.parse().ok()),
        external_ip: address.filter(|_| profile.allow_address_as_external_ip.unwrap_or_default()),
        profile,
    }
}

fn first_text(texts: [Option<&String>; 2], default: &str) -> String {
    texts.into_iter().flatten().find(|text| !text.is_empty()).map_or_else(|| default.to_owned(), Clone::clone)
}

impl Validated {
    /// The control plane in an installation that has a shared tunnel, or has none.
    #[must_use]
    pub fn with_shared_tunnel(self, shared_tunnel: Option<SharedTunnel>) -> Self {
        Self { shared_tunnel, ..self }
    }

    /// The shared tunnel of the installation, if it has one.
    #[must_use]
    pub fn shared_tunnel(&self) -> Option<&SharedTunnel> {
        self.shared_tunnel.as_ref()
    }

    /// The control plane in an installation that has a hub, or has none.
    #[must_use]
    pub fn with_hub(self, hub: Option<Hub>) -> Self {
        Self { hub, ..self }
    }

    /// The hub of the installation, if it has one.
    #[must_use]
    pub fn hub(&self) -> Option<&Hub> {
        self.hub.as_ref()
    }

    /// Name of the control plane.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.object.name
    }

    /// Its namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.object.namespace
    }

    /// Generation of the spec that was read.
    #[must_use]
    pub fn generation(&self) -> Option<i64> {
        self.object.generation
    }

    /// The spec as the user wrote it.
    #[must_use]
    pub fn spec(&self) -> &TenantControlPlaneSpec {
        &self.spec
    }

    /// Kubernetes version to run.
    #[must_use]
    pub fn version(&self) -> &KubernetesVersion {
        &self.version
    }

    /// Number of pods to run; 0 is asleep.
    #[must_use]
    pub fn replicas(&self) -> i32 {
        self.deployment.replicas.unwrap_or(api::DEFAULT_REPLICAS)
    }

    /// Whether the control plane shall be asleep.
    #[must_use]
    pub fn is_sleeping(&self) -> bool {
        self.replicas() == 0
    }

    /// `DataStore` that the spec names.
    #[must_use]
    pub fn data_store_name(&self) -> Option<&str> {
        self.spec.data_store.as_deref().filter(|name| !name.is_empty())
    }

    /// The tenant's database, key prefix or bucket: what was set up wins over the spec, then the UID.
    #[must_use]
    pub fn schema(&self) -> &str {
        &self.storage.schema
    }

    /// The tenant's user in the store, found like the schema.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.storage.user
    }

    /// Port of the API server.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.network.port
    }

    /// Address of the API server inside the management cluster: `name.namespace.svc`.
    #[must_use]
    pub fn service_host(&self) -> String {
        format!("{}.{}.svc", self.name(), self.namespace())
    }

    /// Reference to the control plane as the owner of what is made for it.
    #[must_use]
    pub fn owner(&self) -> &OwnerReference {
        &self.object.owner
    }

    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    pub(crate) fn deployment(&self) -> &DeploymentSpec {
        &self.deployment
    }
}
