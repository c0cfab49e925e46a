//! How a control plane trusts the hub: the hub signs short-lived identities for one cluster each, and the cluster's
//! API server verifies them by its structured authentication configuration (KEP-3331). No credential of the
//! cluster is handed to the hub.

use std::collections::BTreeMap;

use api::names::{Component, labels};
use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::{Value, json};

use crate::endpoint::host_port;
use crate::inside::yaml;
use crate::{Validated, flags, konnectivity};

/// Key of the ConfigMap, and name of the file that the API server reads.
pub const FILE: &str = "authentication.yaml";
/// Key of the ConfigMap: certificates by which the API server is verified.
pub const AUTHORITY: &str = "ca.crt";
/// Key of the ConfigMap: URL of the API server inside the management cluster; its certificate serves that name.
pub const ENDPOINT: &str = "endpoint";
/// Key of the ConfigMap: why the API server does not take the hub's identities, where it does not.
pub const OFF: &str = "off";
/// Begins the names of the hub's users inside clusters.
pub const USER_PREFIX: &str = "flotilla:user:";
/// Identities that last longer are refused.
pub const LONGEST_SECONDS: i64 = 3600;

/// First minor version that knows the stable form of the configuration; all that are supported know the other.
const STABLE: u64 = 34;
const GATE: &str = "StructuredAuthenticationConfiguration";

/// The hub of an installation, as API servers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hub {
    /// URL that its identities name as their issuer.
    pub issuer: String,
    /// URL of its discovery document inside the management cluster; below the issuer's if empty.
    pub discovery: String,
    /// Who vouches for that place.
    pub certificate: Certificate,
}

/// Who signed the certificate of the place where the discovery document is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// An authority that operating systems know.
    Public,
    /// An authority that is not known yet: until then no identity is taken.
    Awaited,
    /// This authority, PEM.
    Signed(String),
}

/// Whether a control plane takes the hub's identities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust<'a> {
    /// There is no hub.
    Unasked,
    /// It cannot; why, and what to do about it.
    Refused(String),
    /// It does.
    Given(&'a Hub),
}

impl<'a> Trust<'a> {
    /// Decides it by the installation and the spec.
    #[must_use]
    pub fn of(control_plane: &'a Validated) -> Self {
        let Some(hub) = control_plane.hub() else { return Self::Unasked };
        match refusal(control_plane, hub) {
            Some(reason) => Self::Refused(reason),
            None => Self::Given(hub),
        }
    }
}

/// Id by which the hub knows a hosted cluster, and for which it signs.
#[must_use]
pub fn cluster_id(namespace: &str, name: &str) -> String {
    format!("{namespace}.{name}")
}

fn refusal(control_plane: &Validated, hub: &Hub) -> Option<String> {
    let extra = control_plane.deployment().extra_args.as_ref();
    let mut given = extra.map(|extra| extra.api_server.as_slice()).unwrap_or_default().iter();
    let flag = given.find(|flag| excludes(flag, hub))?;
    // Without its value, which may be long and is the user's.
    let flag = flags::name(flag);
    Some(format!(
        "spec.controlPlane.deployment.extraArgs.apiServer sets {flag}, beside which the API server takes no \
         identities of the hub; remove it to sign in by the hub"
    ))
}

/// Whether the API server would not start with the flag and ours.
fn excludes(flag: &str, hub: &Hub) -> bool {
    // As the components read flags: `_` is `-`.
    let name = flags::name(flag).replace('_', "-");
    let value = flag.split_once('=').map(|(_, value)| value).unwrap_or_default();
    match name.as_str() {
        "--authentication-config" => true,
        "--feature-gates" => {
            [GATE, "AllBeta"].iter().any(|gate| value.split(',').any(|part| part == format!("{gate}=false")))
        }
        "--service-account-issuer" => value == hub.issuer,
        _ => name.starts_with("--oidc-"),
    }
}

/// What the API server reads and what the hub reads of a control plane; none without a hub. `authority` verifies
/// the API server, PEM. Pods need not be replaced when it changes.
#[must_use]
pub fn config_map(control_plane: &Validated, authority: &str) -> Option<ConfigMap> {
    let (key, text) = match Trust::of(control_plane) {
        Trust::Unasked => return None,
        Trust::Refused(reason) => (OFF, reason),
        Trust::Given(hub) => (FILE, yaml(&configuration(control_plane, hub))),
    };
    let endpoint = format!("https://{}", host_port(&control_plane.service_host(), control_plane.port()));
    let data = BTreeMap::from([
        (AUTHORITY.to_owned(), authority.to_owned()),
        (ENDPOINT.to_owned(), endpoint),
        (key.to_owned(), text),
    ]);
    let mut made = konnectivity::config_map(control_plane, Component::Hub, data);
    let labels = made.metadata.labels.get_or_insert_default();
    labels.insert(labels::HUB.to_owned(), labels::HUB_VALUE.to_owned());
    Some(made)
}

fn configuration(control_plane: &Validated, hub: &Hub) -> Value {
    let version = if control_plane.version().minor() < STABLE { "v1beta1" } else { "v1" };
    let issuers: Vec<Value> = match hub.certificate {
        Certificate::Awaited => Vec::new(),
        Certificate::Public | Certificate::Signed(_) => vec![issuer(control_plane, hub)],
    };
    json!({
        "apiVersion": format!("apiserver.config.k8s.io/{version}"),
        "kind": "AuthenticationConfiguration",
        "jwt": issuers,
    })
}

fn issuer(control_plane: &Validated, hub: &Hub) -> Value {
    let mut issuer = json!({
        "url": hub.issuer,
        "audiences": [cluster_id(control_plane.namespace(), control_plane.name())],
        "audienceMatchPolicy": "MatchAny",
    });
    // The API server refuses one that is the issuer's own URL.
    if !hub.discovery.is_empty() && hub.discovery.trim_end_matches('/') != hub.issuer.trim_end_matches('/') {
        issuer["discoveryURL"] = hub.discovery.as_str().into();
    }
    if let Certificate::Signed(authority) = &hub.certificate {
        issuer["certificateAuthority"] = authority.as_str().into();
    }
    json!({
        "issuer": issuer,
        "claimMappings": {
            "username": { "claim": "sub", "prefix": USER_PREFIX },
            "groups": { "claim": "groups", "prefix": "" },
        },
        "claimValidationRules": [{
            "expression": format!("claims.exp - claims.iat <= {LONGEST_SECONDS}"),
            "message": "the identity lasts too long",
        }],
        // Whatever the hub signs, it is nobody of Kubernetes' own.
        "userValidationRules": [{
            "expression": "user.groups.all(group, group.startsWith('flotilla:cluster:') || \
                           group.startsWith('flotilla:project:'))",
            "message": "the hub speaks for its own groups only",
        }],
    })
}
