//! Containers of API server, scheduler and controller manager.

use api::names::Component;
use api::{Driver, RegistrySettings};
use k8s_openapi::api::core::v1::{Container, EnvVar, Lifecycle, LifecycleHandler, SleepAction, VolumeMount};

use super::probes::{Path, Set, probes};
use super::volumes::{self, mount};
use super::{DeploymentInputs, hub, konnectivity, some_unless_empty};
use crate::data_store::DataStoreMaterial;
use crate::endpoint::advertised;
use crate::flags::{self, Flags, flags};
use crate::{Endpoint, Validated, pod_ranges, service_ranges};

pub(super) const PKI: &str = "/etc/kubernetes/pki";
const CONTROLLER_MANAGER_CONF: &str = "/etc/kubernetes/controller-manager.conf";
const SCHEDULER_CONF: &str = "/etc/kubernetes/scheduler.conf";
const CONTROLLER_MANAGER_PORT: u16 = 10257;
const SCHEDULER_PORT: u16 = 10259;
/// How long an API server that shall end goes on serving, and says that it is not ready: longer than a
/// management cluster takes to lead clients elsewhere.
pub(super) const DRAIN_SECONDS: u32 = 10;

/// The containers, in Kamaji's order.
pub(super) fn containers(
    control_plane: &Validated,
    endpoint: &Endpoint,
    inputs: &DeploymentInputs<'_>,
) -> [Container; 3] {
    [
        api_server(control_plane, endpoint, inputs),
        scheduler(control_plane, inputs),
        controller_manager(control_plane, endpoint, inputs),
    ]
}

fn api_server(control_plane: &Validated, endpoint: &Endpoint, inputs: &DeploymentInputs<'_>) -> Container {
    let wished = control_plane.deployment();
    let extra = wished.extra_args.as_ref().map(|extra| extra.api_server.as_slice()).unwrap_or_default();
    let managed = api_server_flags(control_plane, endpoint, inputs);
    let mut mounts = wished.additional_volume_mounts.clone().unwrap_or_default().api_server;
    if inputs.store.driver != Driver::Etcd {
        mounts.push(VolumeMount { read_only: None, ..mount(volumes::KINE_UDS, "/uds") });
    }
    mounts.push(mount(volumes::PKI, PKI));
    mounts.extend(authority_mounts());
    mounts.extend(konnectivity::api_server_mounts(control_plane));
    mounts.extend(hub::mount(control_plane));
    let set = wished.probes.as_ref().and_then(|probes| probes.api_server.as_ref());
    let container = Container {
        args: Some(flags::api_server(&managed, &api_server_defaults(extra), extra)),
        volume_mounts: Some(mounts),
        resources: wished.resources.as_ref().and_then(|resources| resources.api_server.clone()),
        security_context: wished
            .container_security_contexts
            .as_ref()
            .and_then(|contexts| contexts.api_server.clone()),
        lifecycle: Some(head_start()),
        ..base(control_plane, inputs, "kube-apiserver")
    };
    let path = Path { live: "/livez", ready: "/readyz", port: control_plane.port() };
    with_probes(container, path, Set::new(wished.probes.as_ref(), set))
}

/// Lets the API server have the CPUs for its first second: the kubelet starts the containers one after
/// the other, and the others have nothing to do before the API server answers.
fn head_start() -> Lifecycle {
    let sleep = SleepAction { seconds: 1 };
    let post_start = LifecycleHandler { sleep: Some(sleep), ..LifecycleHandler::default() };
    Lifecycle { post_start: Some(post_start), ..Lifecycle::default() }
}

fn scheduler(control_plane: &Validated, inputs: &DeploymentInputs<'_>) -> Container {
    let wished = control_plane.deployment();
    let extra = wished.extra_args.as_ref().map(|extra| extra.scheduler.as_slice()).unwrap_or_default();
    let managed = flags([
        ("--authentication-kubeconfig", SCHEDULER_CONF.to_owned()),
        ("--authorization-kubeconfig", SCHEDULER_CONF.to_owned()),
        ("--bind-address", "0.0.0.0".to_owned()),
        ("--kubeconfig", SCHEDULER_CONF.to_owned()),
        ("--leader-elect", "true".to_owned()),
    ]);
    let mut mounts = wished.additional_volume_mounts.clone().unwrap_or_default().scheduler;
    mounts.push(mount(volumes::SCHEDULER_KUBECONFIG, "/etc/kubernetes"));
    let set = wished.probes.as_ref().and_then(|probes| probes.scheduler.as_ref());
    let container = Container {
        args: Some(flags::merged(flags::parse(extra), managed)),
        volume_mounts: Some(mounts),
        resources: wished.resources.as_ref().and_then(|resources| resources.scheduler.clone()),
        security_context: wished
            .container_security_contexts
            .as_ref()
            .and_then(|contexts| contexts.scheduler.clone()),
        ..base(control_plane, inputs, "kube-scheduler")
    };
    with_probes(container, Path::healthz(SCHEDULER_PORT), Set::new(wished.probes.as_ref(), set))
}

fn controller_manager(
    control_plane: &Validated,
    endpoint: &Endpoint,
    inputs: &DeploymentInputs<'_>,
) -> Container {
    let wished = control_plane.deployment();
    let extra =
        wished.extra_args.as_ref().map(|extra| extra.controller_manager.as_slice()).unwrap_or_default();
    let mut mounts = wished.additional_volume_mounts.clone().unwrap_or_default().controller_manager;
    mounts.push(mount(volumes::CONTROLLER_MANAGER_KUBECONFIG, "/etc/kubernetes"));
    mounts.push(mount(volumes::PKI, PKI));
    mounts.extend(authority_mounts());
    let set = wished.probes.as_ref().and_then(|probes| probes.controller_manager.as_ref());
    let contexts = wished.container_security_contexts.as_ref();
    let container = Container {
        args: Some(flags::merged(
            controller_manager_flags(control_plane, endpoint, inputs),
            flags::parse(extra),
        )),
        volume_mounts: Some(mounts),
        resources: wished.resources.as_ref().and_then(|resources| resources.controller_manager.clone()),
        security_context: contexts.and_then(|contexts| contexts.controller_manager.clone()),
        ..base(control_plane, inputs, "kube-controller-manager")
    };
    with_probes(container, Path::healthz(CONTROLLER_MANAGER_PORT), Set::new(wished.probes.as_ref(), set))
}

/// What the three have in common.
fn base(control_plane: &Validated, inputs: &DeploymentInputs<'_>, name: &str) -> Container {
    let env = inputs.settings.go_gc.map(|percent| EnvVar {
        name: "GOGC".to_owned(),
        value: Some(percent.to_string()),
        ..EnvVar::default()
    });
    Container {
        name: name.to_owned(),
        image: Some(image(control_plane, name)),
        command: Some(vec![name.to_owned()]),
        env: some_unless_empty(env.into_iter().collect()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        ..Container::default()
    }
}

fn image(control_plane: &Validated, component: &str) -> String {
    let default = RegistrySettings::default();
    let settings = control_plane.deployment().registry_settings.as_ref().unwrap_or(&default);
    let name = match component {
        "kube-apiserver" => settings.api_server_image.as_deref(),
        "kube-scheduler" => settings.scheduler_image.as_deref(),
        _ => settings.controller_manager_image.as_deref(),
    };
    let text = |text: Option<&str>, default: &str| {
        text.filter(|text| !text.is_empty()).unwrap_or(default).to_owned()
    };
    let registry = text(settings.registry.as_deref(), "registry.k8s.io");
    let suffix = settings.tag_suffix.as_deref().unwrap_or_default();
    format!("{registry}/{}:{}{suffix}", text(name, component), control_plane.version())
}

fn with_probes(container: Container, path: Path, set: Set<'_>) -> Container {
    let (liveness, readiness, startup) = probes(path, set);
    Container {
        liveness_probe: Some(liveness),
        readiness_probe: Some(readiness),
        startup_probe: Some(startup),
        ..container
    }
}

/// The cluster's authority where operating systems keep theirs.
fn authority_mounts() -> [VolumeMount; 3] {
    [
        mount(volumes::CA_CERTIFICATES, "/etc/ca-certificates"),
        mount(volumes::SHARE_CA_CERTIFICATES, "/usr/share/ca-certificates"),
        mount(volumes::LOCAL_SHARE_CA_CERTIFICATES, "/usr/local/share/ca-certificates"),
    ]
}

fn pki(file: &str) -> String {
    format!("{PKI}/{file}")
}

fn join<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

fn api_server_flags(control_plane: &Validated, endpoint: &Endpoint, inputs: &DeploymentInputs<'_>) -> Flags {
    let kubernetes = &control_plane.spec().kubernetes;
    let mut managed = flags([
        ("--client-ca-file", pki(volumes::trusted(inputs, Component::Ca))),
        ("--enable-admission-plugins", kubernetes.effective_admission_controllers().join(",")),
        ("--service-cluster-ip-range", join(&service_ranges(control_plane, endpoint))),
        ("--kubelet-client-certificate", pki("apiserver-kubelet-client.crt")),
        ("--kubelet-client-key", pki("apiserver-kubelet-client.key")),
        ("--kubelet-preferred-address-types", join(&kubernetes.kubelet.effective_address_types())),
        ("--proxy-client-cert-file", pki("front-proxy-client.crt")),
        ("--proxy-client-key-file", pki("front-proxy-client.key")),
        ("--requestheader-allowed-names", "front-proxy-client".to_owned()),
        ("--requestheader-client-ca-file", pki(volumes::trusted(inputs, Component::FrontProxyCa))),
        ("--secure-port", control_plane.port().to_string()),
        ("--service-account-key-file", pki("sa.pub")),
        ("--service-account-signing-key-file", pki("sa.key")),
        ("--tls-cert-file", pki("apiserver.crt")),
        ("--tls-private-key-file", pki("apiserver.key")),
    ]);
    managed.extend(
        advertised(control_plane, endpoint)
            .map(|address| ("--advertise-address".to_owned(), address.to_string())),
    );
    managed.extend(konnectivity::api_server_flag(control_plane));
    managed.extend(hub::flag(control_plane));
    managed.extend(store_flags(control_plane, inputs));
    managed
}

fn store_flags(control_plane: &Validated, inputs: &DeploymentInputs<'_>) -> Flags {
    let mut store = match inputs.store.driver {
        Driver::Etcd => flags([
            ("--etcd-compaction-interval", "0".to_owned()),
            ("--etcd-prefix", format!("/{}", control_plane.schema())),
            ("--etcd-servers", servers(inputs.store, ",")),
            ("--etcd-cafile", pki("etcd/ca.crt")),
            ("--etcd-certfile", pki("etcd/server.crt")),
            ("--etcd-keyfile", pki("etcd/server.key")),
        ]),
        _ => flags([("--etcd-servers", "unix:///uds/kine".to_owned())]),
    };
    if !inputs.overrides.is_empty() {
        let overrides =
            inputs.overrides.iter().map(|entry| format!("{}#{}", entry.resource, servers(&entry.store, ";")));
        store.insert("--etcd-servers-overrides".to_owned(), overrides.collect::<Vec<_>>().join(","));
    }
    store
}

fn servers(store: &DataStoreMaterial, separator: &str) -> String {
    store.endpoints.iter().map(|endpoint| format!("https://{endpoint}")).collect::<Vec<_>>().join(separator)
}

fn api_server_defaults(extra: &[String]) -> Flags {
    let mut defaults = flags([
        ("--allow-privileged", "true".to_owned()),
        ("--enable-bootstrap-token-auth", "true".to_owned()),
        ("--requestheader-extra-headers-prefix", "X-Remote-Extra-".to_owned()),
        ("--requestheader-group-headers", "X-Remote-Group".to_owned()),
        ("--requestheader-username-headers", "X-Remote-User".to_owned()),
        ("--service-account-issuer", crate::konnectivity::ISSUER.to_owned()),
        ("--shutdown-delay-duration", format!("{DRAIN_SECONDS}s")),
    ]);
    // The API server accepts only one of the two.
    if !flags::parse(extra).contains_key("--authorization-config") {
        defaults.insert("--authorization-mode".to_owned(), "Node,RBAC".to_owned());
    }
    defaults
}

fn controller_manager_flags(
    control_plane: &Validated,
    endpoint: &Endpoint,
    inputs: &DeploymentInputs<'_>,
) -> Flags {
    flags([
        ("--allocate-node-cidrs", "true".to_owned()),
        ("--authentication-kubeconfig", CONTROLLER_MANAGER_CONF.to_owned()),
        ("--authorization-kubeconfig", CONTROLLER_MANAGER_CONF.to_owned()),
        ("--bind-address", "0.0.0.0".to_owned()),
        ("--client-ca-file", pki(volumes::trusted(inputs, Component::Ca))),
        ("--cluster-name", control_plane.name().to_owned()),
        ("--cluster-signing-cert-file", pki("ca.crt")),
        ("--cluster-signing-key-file", pki("ca.key")),
        ("--controllers", "*,bootstrapsigner,tokencleaner".to_owned()),
        ("--kubeconfig", CONTROLLER_MANAGER_CONF.to_owned()),
        ("--leader-elect", "true".to_owned()),
        ("--service-cluster-ip-range", join(&service_ranges(control_plane, endpoint))),
        ("--cluster-cidr", join(&pod_ranges(control_plane, endpoint))),
        ("--requestheader-client-ca-file", pki(volumes::trusted(inputs, Component::FrontProxyCa))),
        ("--root-ca-file", pki(volumes::trusted(inputs, Component::Ca))),
        ("--service-account-private-key-file", pki("sa.key")),
        ("--use-service-account-credentials", "true".to_owned()),
    ])
}
