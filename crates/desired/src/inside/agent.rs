//! The tunnel's agents on the workers.

use api::names::labels;
use api::{AgentMode, KonnectivityAgentSpec, KonnectivitySpec};
use serde_json::{Value, json};

use super::Wished;
use super::object::{Key, Kind, Object, Part, user};
use crate::flags::{flags, merged, parse};
use crate::konnectivity::matching_version;
use crate::{Endpoint, Validated, konnectivity_port, shared_tunnel};

const NAME: &str = "konnectivity-agent";
pub(super) const DAEMON_SET: Key = Key::system(Kind::DaemonSet, NAME);
pub(super) const DEPLOYMENT: Key = Key::system(Kind::Deployment, NAME);
pub(crate) const ACCOUNT: Key = Key::system(Kind::ServiceAccount, NAME);
pub(crate) const BINDING: Key = Key::cluster(Kind::ClusterRoleBinding, SERVER_USER);

/// User of the tunnel's half beside the API server; its binding bears the same name.
const SERVER_USER: &str = "system:konnectivity-server";
const DEFAULT_IMAGE: &str = "registry.k8s.io/kas-network-proxy/proxy-agent";
const TOKEN: &str = "konnectivity-agent-token";
const TOKENS: &str = "/var/run/secrets/tokens";
const HEALTH_PORT: u16 = 8134;

pub(super) fn add(
    wished: &mut Wished,
    control_plane: &Validated,
    addon: &KonnectivitySpec,
    endpoint: &Endpoint,
) {
    let part = Part::Konnectivity;
    let agent = addon.agent.clone().unwrap_or_default();
    let own = |object: Object, component| {
        object.labelled([(labels::NAME, control_plane.name()), (labels::COMPONENT, component)])
    };
    let binding = Object::binding(part, BINDING, "system:auth-delegator", &[user(SERVER_USER)]).labelled([
        ("kubernetes.io/cluster-service", "true"),
        ("addonmanager.kubernetes.io/mode", "Reconcile"),
    ]);
    let mut spec = json!({
        "selector": { "matchLabels": { "k8s-app": NAME } },
        "template": {
            "metadata": { "labels": { "k8s-app": NAME } },
            "spec": pod(control_plane, &agent, endpoint),
        },
    });
    let key = match agent.mode.unwrap_or_default() {
        AgentMode::DaemonSet => DAEMON_SET,
        AgentMode::Deployment => {
            // Left out, the number is for others to set.
            if let Some(replicas) = agent.replicas {
                spec["replicas"] = replicas.into();
            }
            DEPLOYMENT
        }
    };
    wished.objects.extend([
        own(binding, "konnectivity-clusterrolebinding"),
        own(Object::new(part, ACCOUNT, json!({})), "konnectivity-sa"),
        own(Object::new(part, key, json!({ "spec": spec })), NAME),
    ]);
}

fn pod(control_plane: &Validated, agent: &KonnectivityAgentSpec, endpoint: &Endpoint) -> Value {
    let tolerations = if agent.tolerations.is_empty() {
        json!([{ "key": "CriticalAddonsOnly", "operator": "Exists" }])
    } else {
        json!(agent.tolerations)
    };
    json!({
        "containers": [container(control_plane, agent, endpoint)],
        "hostNetwork": agent.host_network.unwrap_or_default(),
        "nodeSelector": { "kubernetes.io/os": "linux" },
        "priorityClassName": "system-cluster-critical",
        "serviceAccountName": NAME,
        "tolerations": tolerations,
        "volumes": [{
            "name": TOKEN,
            "projected": {
                "defaultMode": 420,
                "sources": [{
                    "serviceAccountToken": { "audience": SERVER_USER, "expirationSeconds": 3600, "path": TOKEN },
                }],
            },
        }],
    })
}

fn container(control_plane: &Validated, agent: &KonnectivityAgentSpec, endpoint: &Endpoint) -> Value {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let image = given(&agent.image).unwrap_or_else(|| DEFAULT_IMAGE.to_owned());
    let version = given(&agent.version).unwrap_or_else(|| matching_version(control_plane.version()));
    json!({
        "name": NAME,
        "image": format!("{image}:{version}"),
        "command": ["/proxy-agent"],
        "args": arguments(control_plane, agent, endpoint),
        "livenessProbe": {
            "failureThreshold": 3,
            "httpGet": { "path": "/healthz", "port": HEALTH_PORT, "scheme": "HTTP" },
            "initialDelaySeconds": 15,
            "periodSeconds": 10,
            "successThreshold": 1,
            "timeoutSeconds": 15,
        },
        "volumeMounts": [{ "mountPath": TOKENS, "name": TOKEN }],
    })
}

/// Where agents reach the tunnel: an Ingress does not lead there.
pub(crate) fn host(control_plane: &Validated, endpoint: &Endpoint) -> String {
    let gateway = control_plane.spec().control_plane.gateway.as_ref();
    let hostname = gateway.and_then(|gateway| gateway.hostname.clone()).filter(|name| !name.is_empty());
    let advertised = control_plane.network().advertise_address.map(|address| address.to_string());
    hostname.or(advertised).unwrap_or_else(|| endpoint.address.clone())
}

/// The user's flags win over ours.
fn arguments(control_plane: &Validated, agent: &KonnectivityAgentSpec, endpoint: &Endpoint) -> Vec<String> {
    let mut ours = flags([
        ("-v", "8".to_owned()),
        ("--logtostderr", "true".to_owned()),
        ("--ca-cert", "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt".to_owned()),
        ("--proxy-server-host", host(control_plane, endpoint)),
        ("--proxy-server-port", konnectivity_port(control_plane).unwrap_or_default().to_string()),
        ("--admin-server-port", "8133".to_owned()),
        ("--health-server-port", HEALTH_PORT.to_string()),
        ("--service-account-token-path", format!("{TOKENS}/{TOKEN}")),
    ]);
    if shared_tunnel::of(control_plane).is_some() {
        ours.extend([("--alpn-proto".to_owned(), shared_tunnel::protocol(control_plane))]);
    }
    merged(ours, parse(&agent.extra_args))
}
