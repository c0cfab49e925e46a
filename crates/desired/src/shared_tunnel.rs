//! The tunnel that all tenants share: what the installation has for it, what it knows of a tenant, and where
//! a tenant's agents find it.

use std::net::IpAddr;

use api::TenantControlPlaneSpec;
use api::names::{Component, annotations, labels};
use k8s_openapi::api::core::v1::{Pod, Secret};
use k8s_openapi::api::discovery::v1::{Endpoint as Place, EndpointConditions, EndpointPort, EndpointSlice};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use pki::{CertificatePlan, Error, Pair};

use crate::metadata::{object_meta, text};
use crate::pairs::{Renewal, authority, data, leaf, read};
use crate::{Validated, konnectivity};

/// Name of the Deployment, of the Service that API servers connect to, and prefix of the authority's Secret.
pub const NAME: &str = "flotilla-tunnel";
/// Secret of the tunnel's own certificate, beside those of the tenants.
pub const OWN_SECRET: &str = "tunnel-server";
/// Port that API servers connect to.
pub const API_SERVERS_PORT: u16 = 8131;
/// Port of the tunnel's pods that agents connect to.
pub const AGENTS_PORT: u16 = 8132;
/// Begins the names by which a tenant's agents ask for their tenant's certificate.
pub const PREFIX: &str = "flotilla-";
/// Organisation in the certificates of API servers; the tunnel reads it.
pub const ORGANIZATION: &str = "flotilla:tunnel-client";
/// Name of a Service's port that no container has, so that the cluster itself adds no endpoints to it.
pub(crate) const TARGET: &str = "shared-tunnel";
/// Who keeps the endpoints.
const MANAGER: &str = "flotilla.dev";

/// The shared tunnel of an installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedTunnel {
    /// Where API servers reach it, such as `https://flotilla-tunnel.flotilla-system.svc:8131`.
    pub url: String,
    /// Namespace of what it knows of tenants.
    pub namespace: String,
    /// The authority of its own certificate and those of API servers.
    pub authority: Pair,
}

/// Whether the spec asks for it.
#[must_use]
pub fn is_wished(spec: &TenantControlPlaneSpec) -> bool {
    let tunnel = spec.addons.as_ref().and_then(|addons| addons.konnectivity.as_ref());
    tunnel.and_then(|tunnel| tunnel.server.as_ref()).is_some_and(|server| server.shared == Some(true))
}

/// The shared tunnel, if the spec asks for it and the installation has it.
#[must_use]
pub fn of(control_plane: &Validated) -> Option<&SharedTunnel> {
    control_plane.shared_tunnel().filter(|_| is_wished(control_plane.spec()))
}

/// Name of the Secret that tells the tunnel of a tenant.
#[must_use]
pub fn secret_name(uid: &str) -> String {
    format!("tunnel-{uid}")
}

/// What agents name in their handshake.
pub(crate) fn protocol(control_plane: &Validated) -> String {
    format!("{PREFIX}{}", control_plane.owner().uid)
}

/// The Secrets of the installation: the authority in the operator's namespace, the tunnel's own certificate
/// in the tunnel's. What exists is kept while it serves.
///
/// # Errors
/// [`pki::Error`] if a key or certificate cannot be made.
pub fn platform(
    namespace: &str,
    tunnel_namespace: &str,
    existing: (Option<&Secret>, Option<&Secret>),
    renewal: Renewal,
) -> Result<(Secret, Secret, SharedTunnel), Error> {
    let ca = authority(existing.0.and_then(|secret| read(secret, "ca.crt", "ca.key")), NAME, renewal)?;
    let host = format!("{NAME}.{namespace}.svc");
    let plan = CertificatePlan::server(NAME, vec![format!("{host}.cluster.local"), host.clone()], Vec::new());
    let own = leaf(existing.1.and_then(|secret| read(secret, "tls.crt", "tls.key")), &plan, &ca, renewal)?;
    let pair = ca.pair().clone();
    let authority_data = [("ca.crt", pair.certificate.as_str()), ("ca.key", pair.private_key.expose_pem())];
    let own_data = [
        ("ca.crt", pair.certificate.as_str()),
        ("tls.crt", own.certificate.as_str()),
        ("tls.key", own.private_key.expose_pem()),
    ];
    let secret = |name: &str, namespace: &str, entries: &[(&str, &str)]| Secret {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(namespace.to_owned()),
            labels: Some([("app.kubernetes.io/name".to_owned(), NAME.to_owned())].into()),
            ..ObjectMeta::default()
        },
        data: Some(data(entries.iter().copied())),
        type_: Some("Opaque".to_owned()),
        ..Secret::default()
    };
    let authority = secret(&authority_secret(), namespace, &authority_data);
    let own = secret(OWN_SECRET, tunnel_namespace, &own_data);
    let url = format!("https://{host}:{API_SERVERS_PORT}");
    Ok((authority, own, SharedTunnel { url, namespace: tunnel_namespace.to_owned(), authority: pair }))
}

/// Name of the authority's Secret.
#[must_use]
pub fn authority_secret() -> String {
    format!("{NAME}-ca")
}

/// What a tenant's agents verify: a certificate of the tenant's authority for the address that they connect
/// to, and for nothing else.
pub(crate) fn server_plan(control_plane: &Validated, host: &str) -> CertificatePlan {
    let mut names = vec![protocol(control_plane)];
    let mut addresses: Vec<IpAddr> = Vec::new();
    match host.parse() {
        Ok(address) => addresses.push(address),
        Err(_) => names.push(host.to_owned()),
    }
    CertificatePlan::server(konnectivity::SERVER, names, addresses)
}

/// The Secret that tells the tunnel of a tenant. No authority's key is in it.
pub(crate) fn secret(
    control_plane: &Validated,
    tunnel: &SharedTunnel,
    pair: &Pair,
    token_keys: &str,
) -> Secret {
    let entries = [
        ("issuer", konnectivity::ISSUER),
        ("sa.pub", token_keys),
        ("tls.crt", pair.certificate.as_str()),
        ("tls.key", pair.private_key.expose_pem()),
    ];
    let named = format!("{}/{}", control_plane.namespace(), control_plane.name());
    let own =
        [(labels::PROJECT, labels::PROJECT_VALUE), (labels::COMPONENT, Component::TunnelEndpoints.label())];
    Secret {
        metadata: ObjectMeta {
            name: Some(secret_name(&control_plane.owner().uid)),
            namespace: Some(tunnel.namespace.clone()),
            labels: Some(own.map(|(key, value)| (key.to_owned(), value.to_owned())).into()),
            annotations: Some([(annotations::CONTROL_PLANE.to_owned(), named)].into()),
            ..ObjectMeta::default()
        },
        data: Some(data(entries)),
        type_: Some("Opaque".to_owned()),
        ..Secret::default()
    }
}

/// The control plane that a Secret tells the tunnel of: its uid, namespace and name.
#[must_use]
pub fn told_of(secret: &Secret) -> Option<(&str, &str, &str)> {
    let uid = secret.metadata.name.as_deref()?.strip_prefix("tunnel-")?;
    let named = secret.metadata.annotations.as_ref()?.get(annotations::CONTROL_PLANE)?;
    let (namespace, name) = named.split_once('/')?;
    Some((uid, namespace, name))
}

/// Leads the agents' port of the tenant's own address to the pods of the tunnel.
#[must_use]
pub fn endpoints<'a>(
    control_plane: &Validated,
    pods: impl IntoIterator<Item = &'a Pod>,
) -> Option<EndpointSlice> {
    of(control_plane)?;
    let mut places: Vec<(String, bool)> = pods.into_iter().filter_map(place).collect();
    places.sort();
    let is_v6 = places.first().is_some_and(|(address, _)| address.contains(':'));
    places.retain(|(address, _)| address.contains(':') == is_v6);
    let mut metadata = object_meta(control_plane, Component::TunnelEndpoints);
    let labels = metadata.labels.get_or_insert_default();
    labels.insert("kubernetes.io/service-name".to_owned(), control_plane.name().to_owned());
    labels.insert("endpointslice.kubernetes.io/managed-by".to_owned(), MANAGER.to_owned());
    Some(EndpointSlice {
        metadata,
        address_type: if is_v6 { "IPv6" } else { "IPv4" }.to_owned(),
        endpoints: Some(places.into_iter().map(|(address, is_ready)| endpoint(address, is_ready)).collect()),
        ports: Some(vec![EndpointPort {
            name: Some(konnectivity::SERVER.to_owned()),
            port: Some(AGENTS_PORT.into()),
            protocol: Some("TCP".to_owned()),
            ..EndpointPort::default()
        }]),
    })
}

fn endpoint(address: String, is_ready: bool) -> Place {
    let conditions = EndpointConditions { ready: Some(is_ready), ..EndpointConditions::default() };
    Place { addresses: vec![address], conditions: Some(conditions), ..Place::default() }
}

/// Address of a pod that has one and does not end, and whether it is ready.
fn place(pod: &Pod) -> Option<(String, bool)> {
    let status = pod.status.as_ref().filter(|_| pod.metadata.deletion_timestamp.is_none())?;
    let conditions = status.conditions.iter().flatten();
    let is_ready = conditions.into_iter().any(|found| found.type_ == "Ready" && found.status == "True");
    Some((status.pod_ip.clone().filter(|address| !address.is_empty())?, is_ready))
}

/// Public keys of the tenant's tokens, from the Secret of its service-account keys.
pub(crate) fn token_keys(secret: &Secret) -> &str {
    text(secret, "sa.pub").unwrap_or_default()
}
