//! What we need of Gateway API: TLS routes, which we write, and gateways, which we read.
//!
//! The types hold the fields that we use; their definitions in the cluster come with the user's gateway.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use serde::{Deserialize, Serialize};

use crate::{ParentReference, RouteParentStatus};

/// API group of Gateway API.
pub const GROUP: &str = "gateway.networking.k8s.io";
/// Version in which we use it.
pub const VERSION: &str = "v1";
/// Kind of the route that leads encrypted connections to a Service without opening them.
pub const TLS_ROUTE: &str = "TLSRoute";
/// Protocol of a listener to which a [`TlsRoute`] can attach.
pub const TLS_PROTOCOL: &str = "TLS";

/// Which names lead to which Services.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "gateway.networking.k8s.io",
    version = "v1",
    kind = "TLSRoute",
    root = "TlsRoute",
    plural = "tlsroutes",
    namespaced,
    status = "TlsRouteStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct TlsRouteSpec {
    /// Gateways that the route attaches to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parent_refs: Vec<ParentReference>,
    /// Names that clients ask for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hostnames: Vec<String>,
    /// Where they lead.
    #[serde(default)]
    pub rules: Vec<TlsRouteRule>,
}

/// Where connections lead.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsRouteRule {
    /// The Services.
    #[serde(default)]
    pub backend_refs: Vec<BackendRef>,
}

/// A Service and its port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackendRef {
    /// Name of the Service, in the namespace of the route.
    pub name: String,
    /// Port of the Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<i32>,
}

/// What gateways said of a route.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TlsRouteStatus {
    /// One entry per gateway that has seen the route.
    #[serde(default)]
    pub parents: Vec<RouteParentStatus>,
}

/// What listens for clients.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "gateway.networking.k8s.io",
    version = "v1",
    kind = "Gateway",
    plural = "gateways",
    namespaced,
    status = "GatewayObjectStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq"
)]
pub struct GatewayObjectSpec {
    /// Where it listens.
    #[serde(default)]
    pub listeners: Vec<Listener>,
}

/// One port and protocol of a gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// Its name, unique in the gateway; the `sectionName` of routes.
    pub name: String,
    /// Its port.
    pub port: i32,
    /// Its protocol.
    pub protocol: String,
}

/// What a gateway's controller said of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GatewayObjectStatus {
    /// Its conditions.
    #[serde(default)]
    pub conditions: Vec<Condition>,
}
