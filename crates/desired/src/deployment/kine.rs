//! kine, which lets the API server keep its state in a SQL database or in NATS.

use api::Driver;
use api::names::Component;
use k8s_openapi::api::core::v1::{
    Container, ContainerPort, EnvFromSource, EnvVar, ExecAction, Lifecycle, LifecycleHandler,
    SecretEnvSource, VolumeMount,
};

use super::DeploymentInputs;
use super::components::DRAIN_SECONDS;
use super::volumes::{self, mount};
use crate::Validated;
use crate::flags::{self, flags};

const NAME: &str = "kine";

/// How long kine goes on in a pod that shall end: until the API server has finished what it had begun.
const STAY_SECONDS: u32 = DRAIN_SECONDS + 10;

/// For a write kine 0.17.5 takes two connections at once, and of those that are free again it keeps 20. With
/// more writes at a time it opens new ones all along, each a process of the server, and does little else.
/// There must be no limit of open ones: writes that hold their first and wait for a second would not end.
const POSTGRESQL_CONNECTIONS: [(&str, &str); 2] =
    [("--datastore-max-idle-connections", "100"), ("--datastore-connection-max-idle-time", "30s")];

/// Adds kine and, for an encrypted connection, the init container that prepares its certificates:
/// PostgreSQL's client refuses keys that others can read, and the mode of a Secret's files is the same
/// for all containers.
pub(super) fn add(
    control_plane: &Validated,
    inputs: &DeploymentInputs<'_>,
    containers: &mut Vec<Container>,
    init_containers: &mut Vec<Container>,
) {
    if inputs.store.has_tls() {
        init_containers.push(chmod(inputs));
    }
    // A container of this name that the user adds is ours with another image.
    match containers.iter_mut().find(|container| container.name == NAME) {
        Some(place) => *place = kine(control_plane, inputs, place.clone()),
        None => containers.push(kine(control_plane, inputs, Container::default())),
    }
}

fn kine(control_plane: &Validated, inputs: &DeploymentInputs<'_>, user: Container) -> Container {
    let resources = control_plane.deployment().resources.as_ref();
    Container {
        name: NAME.to_owned(),
        image: user.image.clone().or_else(|| Some(inputs.settings.kine_image.clone())),
        command: Some(vec!["/bin/kine".to_owned()]),
        args: Some(arguments(control_plane, inputs)),
        env: Some(vec![EnvVar {
            name: "GODEBUG".to_owned(),
            value: Some("x509ignoreCN=0".to_owned()),
            ..EnvVar::default()
        }]),
        env_from: Some(vec![EnvFromSource {
            secret_ref: Some(SecretEnvSource {
                name: Component::DataStoreConfig.object_name(control_plane.name()),
                optional: None,
            }),
            ..EnvFromSource::default()
        }]),
        ports: Some(vec![ContainerPort {
            name: Some("server".to_owned()),
            container_port: 2379,
            protocol: Some("TCP".to_owned()),
            ..ContainerPort::default()
        }]),
        volume_mounts: Some(vec![
            writable(volumes::KINE_CERTS, "/certs"),
            writable(volumes::KINE_UDS, "/uds"),
        ]),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        resources: resources.and_then(|resources| resources.kine.clone()),
        lifecycle: user.lifecycle.clone().or_else(|| Some(stays())),
        ..user
    }
}

/// The containers of a pod are told to end all at once, and kine would end at once, while the API server goes
/// on serving for a while.
fn stays() -> Lifecycle {
    let command = vec!["sh".to_owned(), "-c".to_owned(), format!("sleep {STAY_SECONDS}")];
    Lifecycle {
        pre_stop: Some(LifecycleHandler {
            exec: Some(ExecAction { command: Some(command) }),
            ..LifecycleHandler::default()
        }),
        ..Lifecycle::default()
    }
}

fn arguments(control_plane: &Validated, inputs: &DeploymentInputs<'_>) -> Vec<String> {
    let mut ours = flags([("--listen-address", "unix:///uds/kine".to_owned())]);
    if inputs.store.has_tls() {
        ours.insert("--ca-file".to_owned(), "/certs/ca.crt".to_owned());
        if inputs.store.client_certificate.is_some() {
            ours.insert("--cert-file".to_owned(), "/certs/server.crt".to_owned());
            ours.insert("--key-file".to_owned(), "/certs/server.key".to_owned());
        }
    }
    if inputs.store.driver == Driver::PostgreSql {
        ours.extend(flags(POSTGRESQL_CONNECTIONS.map(|(name, value)| (name, value.to_owned()))));
    }
    let extra =
        control_plane.deployment().extra_args.as_ref().map(|extra| extra.kine.as_slice()).unwrap_or_default();
    let mut users = flags::parse(extra);
    users.insert("--endpoint".to_owned(), endpoint(inputs.store.driver).to_owned());
    flags::merged(ours, users)
}

/// The variables come from the Secret with the store's settings; the kubelet puts them in.
fn endpoint(driver: Driver) -> &'static str {
    match driver {
        Driver::MySql => "mysql://$(DB_USER):$(DB_PASSWORD)@tcp($(DB_CONNECTION_STRING))/$(DB_SCHEMA)",
        Driver::Nats => {
            "nats://$(DB_USER):$(DB_PASSWORD)@$(DB_CONNECTION_STRING)?bucket=$(DB_SCHEMA)&noEmbed"
        }
        Driver::PostgreSql | Driver::Etcd => {
            "postgres://$(DB_USER):$(DB_PASSWORD)@$(DB_CONNECTION_STRING)/$(DB_SCHEMA)"
        }
    }
}

fn chmod(inputs: &DeploymentInputs<'_>) -> Container {
    Container {
        name: "chmod".to_owned(),
        image: Some(inputs.settings.kine_image.clone()),
        command: Some(vec!["sh".to_owned()]),
        args: Some(vec!["-c".to_owned(), "cp /kine/*.* /certs && chmod -R 600 /certs/*.*".to_owned()]),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        volume_mounts: Some(vec![
            mount(volumes::KINE_CONFIG, "/kine"),
            writable(volumes::KINE_CERTS, "/certs"),
        ]),
        ..Container::default()
    }
}

fn writable(volume: &str, path: &str) -> VolumeMount {
    VolumeMount { read_only: None, ..mount(volume, path) }
}
