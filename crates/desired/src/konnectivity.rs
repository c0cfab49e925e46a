//! What the tunnel to the workers needs beside the API server: its settings, and the API server's.

use std::collections::BTreeMap;

use api::KonnectivityServerSpec;
use api::names::{Component, annotations};
use base::KubernetesVersion;
use k8s_openapi::api::core::v1::ConfigMap;

use crate::metadata::object_meta;
use crate::shared_tunnel::{self, SharedTunnel};
use crate::{Validated, checksum};

/// Name of the server's container and of the Service's port that agents connect to.
pub(crate) const SERVER: &str = "konnectivity-server";
/// Directory of the socket through which the API server reaches the server.
pub(crate) const SOCKET_DIRECTORY: &str = "/run/konnectivity";
/// Key of the ConfigMap, and name of the file made of it.
pub(crate) const EGRESS_FILE: &str = "egress-selector-configuration.yaml";
/// Issuer of the tenants' tokens.
pub(crate) const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
/// Directory of the certificate by which the API server shows the shared tunnel who it is.
pub(crate) const CLIENT_DIRECTORY: &str = "/etc/kubernetes/konnectivity/tunnel";
/// Port that agents connect to unless the spec says another.
const DEFAULT_PORT: u16 = 8132;
const DEFAULT_IMAGE: &str = "registry.k8s.io/kas-network-proxy/proxy-server";

/// What the spec says of the half of the tunnel beside the API server.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) image: String,
    pub(crate) spec: KonnectivityServerSpec,
}

impl Server {
    /// The settings, if a tunnel is wished that is the tenant's own.
    pub(crate) fn of(control_plane: &Validated) -> Option<Self> {
        if shared_tunnel::is_wished(control_plane.spec()) {
            return None;
        }
        let wished = control_plane.spec().addons.as_ref()?.konnectivity.as_ref()?;
        let spec = wished.server.clone().unwrap_or_default();
        let name = spec.image.clone().filter(|image| !image.is_empty());
        let image = name.unwrap_or_else(|| DEFAULT_IMAGE.to_owned());
        let tag = spec.version.clone().filter(|version| !version.is_empty());
        let tag = tag.unwrap_or_else(|| matching_version(control_plane.version()));
        let port = konnectivity_port(control_plane)?;
        Some(Self { port, image: format!("{image}:{tag}"), spec })
    }
}

/// Version of the tunnel that goes with a version of Kubernetes.
pub(crate) fn matching_version(kubernetes: &KubernetesVersion) -> String {
    format!("v0.{}.0", kubernetes.minor())
}

/// Port that agents connect to, if the tunnel is wished.
#[must_use]
pub fn konnectivity_port(control_plane: &Validated) -> Option<u16> {
    let wished = control_plane.spec().addons.as_ref()?.konnectivity.as_ref()?;
    let port = wished.server.as_ref().and_then(|server| u16::try_from(server.port).ok());
    Some(port.filter(|port| *port > 0).unwrap_or(DEFAULT_PORT))
}

/// The ConfigMap that makes the API server reach workers through the tunnel, if that is wished.
#[must_use]
pub fn egress_selector(control_plane: &Validated) -> Option<ConfigMap> {
    let text = match shared_tunnel::of(control_plane) {
        Some(tunnel) => shared_egress_text(tunnel),
        None => Server::of(control_plane).map(|_| egress_text())?,
    };
    let data = BTreeMap::from([(EGRESS_FILE.to_owned(), text)]);
    Some(config_map(control_plane, Component::KonnectivityEgress, data))
}

/// A ConfigMap with its checksum.
pub(crate) fn config_map(
    control_plane: &Validated,
    component: Component,
    data: BTreeMap<String, String>,
) -> ConfigMap {
    let mut metadata = object_meta(control_plane, component);
    let own = metadata.annotations.get_or_insert_default();
    own.insert(annotations::CHECKSUM.to_owned(), checksum::of_texts(&data));
    ConfigMap { metadata, data: Some(data), ..ConfigMap::default() }
}

/// Byte for byte what Kamaji writes, so that taking over a running control plane replaces no pod.
fn egress_text() -> String {
    format!(
        "apiVersion: apiserver.k8s.io/v1beta1
egressSelections:
- connection:
    proxyProtocol: GRPC
    transport:
      uds:
        udsName: {}
  name: cluster
kind: EgressSelectorConfiguration
",
        socket()
    )
}

fn shared_egress_text(tunnel: &SharedTunnel) -> String {
    format!(
        "apiVersion: apiserver.k8s.io/v1beta1
egressSelections:
- connection:
    proxyProtocol: HTTPConnect
    transport:
      tcp:
        tlsConfig:
          caBundle: {CLIENT_DIRECTORY}/ca.crt
          clientCert: {CLIENT_DIRECTORY}/tls.crt
          clientKey: {CLIENT_DIRECTORY}/tls.key
        url: {}
  name: cluster
kind: EgressSelectorConfiguration
",
        tunnel.url
    )
}

/// Path of the socket.
pub(crate) fn socket() -> String {
    format!("{SOCKET_DIRECTORY}/konnectivity-server.socket")
}
