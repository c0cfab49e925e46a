//! The half of the tunnel to the workers that runs beside the API server.

use api::names::Component;
use k8s_openapi::api::core::v1::{
    ConfigMapVolumeSource, Container, ContainerPort, HTTPGetAction, Probe, ResourceRequirements, Volume,
    VolumeMount,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::volumes::{self, MODE, empty_dir, mount, secret_volume};
use crate::Validated;
use crate::flags::{self, flags};
use crate::konnectivity::{CLIENT_DIRECTORY, EGRESS_FILE, SERVER, SOCKET_DIRECTORY, Server, socket};
use crate::shared_tunnel;

const ADMIN_PORT: u16 = 8133;
const HEALTH_PORT: u16 = 8134;
const KUBECONFIG: &str = "konnectivity-server.conf";
const CONFIGURATIONS: &str = "/etc/kubernetes/konnectivity/configurations";

const SOCKET_VOLUME: &str = "konnectivity-uds";
const EGRESS_VOLUME: &str = "egress-selector-configuration";
const CLIENT_VOLUME: &str = "flotilla-tunnel-client";
const KUBECONFIG_VOLUME: &str = "konnectivity-server-kubeconfig";

/// The container, if the tunnel is wished.
pub(super) fn container(control_plane: &Validated) -> Option<Container> {
    let server = Server::of(control_plane)?;
    let port = |name: &str, number: u16| ContainerPort {
        name: Some(name.to_owned()),
        container_port: number.into(),
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    };
    let kubeconfig = VolumeMount {
        sub_path: Some(KUBECONFIG.to_owned()),
        ..mount(KUBECONFIG_VOLUME, &format!("/etc/kubernetes/{KUBECONFIG}"))
    };
    Some(Container {
        name: SERVER.to_owned(),
        image: Some(server.image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        command: Some(vec!["/proxy-server".to_owned()]),
        args: Some(arguments(control_plane, &server)),
        ports: Some(vec![
            port("agentport", server.port),
            port("adminport", ADMIN_PORT),
            port("healthport", HEALTH_PORT),
        ]),
        liveness_probe: Some(liveness()),
        volume_mounts: Some(vec![
            mount(volumes::PKI, super::components::PKI),
            kubeconfig,
            writable(SOCKET_VOLUME, SOCKET_DIRECTORY),
        ]),
        resources: server.spec.resources.map(|wished| ResourceRequirements { claims: None, ..wished }),
        security_context: server.spec.security_context,
        ..Container::default()
    })
}

fn arguments(control_plane: &Validated, server: &Server) -> Vec<String> {
    let managed = flags([
        ("--uds-name", socket()),
        ("--cluster-cert", "/etc/kubernetes/pki/apiserver.crt".to_owned()),
        ("--cluster-key", "/etc/kubernetes/pki/apiserver.key".to_owned()),
        ("--mode", "grpc".to_owned()),
        ("--server-port", "0".to_owned()),
        ("--agent-port", server.port.to_string()),
        ("--admin-port", ADMIN_PORT.to_string()),
        ("--health-port", HEALTH_PORT.to_string()),
        ("--agent-namespace", "kube-system".to_owned()),
        ("--agent-service-account", "konnectivity-agent".to_owned()),
        ("--kubeconfig", format!("/etc/kubernetes/{KUBECONFIG}")),
        ("--authentication-audience", "system:konnectivity-server".to_owned()),
        // An agent asks for this and connects until it knows as many servers.
        ("--server-count", control_plane.replicas().to_string()),
    ]);
    flags::merged(flags::parse(&server.spec.extra_args), managed)
}

fn liveness() -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some("/healthz".to_owned()),
            port: IntOrString::Int(HEALTH_PORT.into()),
            scheme: Some("HTTP".to_owned()),
            ..HTTPGetAction::default()
        }),
        initial_delay_seconds: Some(30),
        timeout_seconds: Some(60),
        period_seconds: Some(10),
        success_threshold: Some(1),
        failure_threshold: Some(3),
        ..Probe::default()
    }
}

/// The API server's flag, if the tunnel is wished.
pub(super) fn api_server_flag(control_plane: &Validated) -> Option<(String, String)> {
    let is_wished = Server::of(control_plane).is_some() || shared_tunnel::of(control_plane).is_some();
    is_wished.then(|| ("--egress-selector-config-file".to_owned(), format!("{CONFIGURATIONS}/{EGRESS_FILE}")))
}

/// What the API server mounts for the tunnel.
pub(super) fn api_server_mounts(control_plane: &Validated) -> Vec<VolumeMount> {
    if shared_tunnel::of(control_plane).is_some() {
        return vec![mount(EGRESS_VOLUME, CONFIGURATIONS), mount(CLIENT_VOLUME, CLIENT_DIRECTORY)];
    }
    if Server::of(control_plane).is_none() {
        return Vec::new();
    }
    vec![writable(SOCKET_VOLUME, SOCKET_DIRECTORY), writable(EGRESS_VOLUME, CONFIGURATIONS)]
}

/// Volumes of the tunnel.
pub(super) fn volumes(control_plane: &Validated) -> Vec<Volume> {
    let is_shared = shared_tunnel::of(control_plane).is_some();
    if !is_shared && Server::of(control_plane).is_none() {
        return Vec::new();
    }
    let name = |component: Component| component.object_name(control_plane.name());
    let egress = Volume {
        name: EGRESS_VOLUME.to_owned(),
        config_map: Some(ConfigMapVolumeSource {
            name: name(Component::KonnectivityEgress),
            default_mode: Some(MODE),
            ..ConfigMapVolumeSource::default()
        }),
        ..Volume::default()
    };
    if is_shared {
        return vec![egress, secret_volume(CLIENT_VOLUME, name(Component::TunnelClient))];
    }
    vec![
        empty_dir(SOCKET_VOLUME, Some("Memory")),
        egress,
        secret_volume(KUBECONFIG_VOLUME, name(Component::KonnectivityKubeconfig)),
    ]
}

fn writable(volume: &str, path: &str) -> VolumeMount {
    VolumeMount { read_only: None, ..mount(volume, path) }
}
