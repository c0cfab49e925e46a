//! The routes by which gateways lead to a control plane, and what is made of the gateways' answers.

use std::sync::Arc;

use api::gateway_api::{BackendRef, Gateway, Listener, TLS_PROTOCOL, TlsRoute, TlsRouteRule, TlsRouteSpec};
use api::names::Component;
use api::{GatewayAccessPoint, GatewaySpec, GatewayStatus, ParentReference, RouteParentStatus};
use k8s_openapi::api::core::v1::LocalObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::Validated;
use crate::konnectivity::{SERVER, konnectivity_port};
use crate::metadata::{object_meta, with_additional};

/// The route to the API server, if the spec asks for a gateway.
#[must_use]
pub fn route(control_plane: &Validated) -> Option<TlsRoute> {
    let wished = control_plane.spec().control_plane.gateway.as_ref()?;
    let parents = wished.parent_refs.clone();
    Some(build(control_plane, wished, Component::Gateway, parents, control_plane.port()))
}

/// The route that agents of the tunnel take, if the spec asks for both.
///
/// It attaches to the gateways of the other route, there to the listener that has the tunnel's name and
/// port: by the host name alone the two could not be told apart.
#[must_use]
pub fn konnectivity_route(control_plane: &Validated) -> Option<TlsRoute> {
    let wished = control_plane.spec().control_plane.gateway.as_ref()?;
    let port = konnectivity_port(control_plane)?;
    let mut parents: Vec<ParentReference> = Vec::new();
    for parent in &wished.parent_refs {
        let section = ParentReference {
            port: Some(port.into()),
            section_name: Some(SERVER.to_owned()),
            ..parent.clone()
        };
        // Two listeners of one gateway have become the same one.
        if !parents.contains(&section) {
            parents.push(section);
        }
    }
    Some(build(control_plane, wished, Component::KonnectivityGateway, parents, port))
}

fn build(
    control_plane: &Validated,
    wished: &GatewaySpec,
    component: Component,
    parent_refs: Vec<ParentReference>,
    port: u16,
) -> TlsRoute {
    let backend =
        BackendRef { name: Component::Service.object_name(control_plane.name()), port: Some(port.into()) };
    let spec = TlsRouteSpec {
        parent_refs,
        hostnames: wished.hostname.clone().into_iter().collect(),
        rules: vec![TlsRouteRule { backend_refs: vec![backend] }],
    };
    let metadata =
        with_additional(object_meta(control_plane, component), wished.additional_metadata.as_ref());
    TlsRoute { metadata, spec, status: None }
}

/// What the status says of a route.
pub(crate) fn route_status(route: &TlsRoute, gateways: &[Arc<Gateway>]) -> GatewayStatus {
    let parents = route.status.as_ref().map(|status| status.parents.clone()).unwrap_or_default();
    let access_points = parents
        .iter()
        .filter(|parent| is_accepted(parent))
        .flat_map(|parent| access_points(route, &parent.parent_ref, gateways))
        .collect();
    let name = route.metadata.name.clone().unwrap_or_default();
    GatewayStatus { parents, route_ref: LocalObjectReference { name }, access_points }
}

/// Whether a gateway has accepted the route.
pub(crate) fn is_accepted(parent: &RouteParentStatus) -> bool {
    holds(&parent.conditions, "Accepted")
}

fn holds(conditions: &[Condition], kind: &str) -> bool {
    conditions.iter().any(|condition| condition.type_ == kind && condition.status == "True")
}

/// Where the route is reached through one gateway: nowhere, as long as that is not set up.
fn access_points(
    route: &TlsRoute,
    parent: &ParentReference,
    gateways: &[Arc<Gateway>],
) -> Vec<GatewayAccessPoint> {
    let own = route.metadata.namespace.as_deref().unwrap_or_default();
    let namespace = parent.namespace.as_deref().unwrap_or(own);
    let is_parent = |gateway: &&Gateway| {
        let metadata = &gateway.metadata;
        metadata.namespace.as_deref() == Some(namespace) && metadata.name.as_ref() == Some(&parent.name)
    };
    let Some(gateway) = gateways.iter().map(AsRef::as_ref).find(is_parent) else { return Vec::new() };
    if !gateway.status.as_ref().is_some_and(|status| holds(&status.conditions, "Programmed")) {
        return Vec::new();
    }
    let listeners = gateway.spec.listeners.iter().filter(|listener| leads_to(listener, parent));
    listeners.flat_map(|listener| points(route, listener)).collect()
}

fn leads_to(listener: &Listener, parent: &ParentReference) -> bool {
    let section = parent.section_name.as_ref().filter(|section| !section.is_empty());
    listener.protocol == TLS_PROTOCOL
        && section.is_none_or(|section| *section == listener.name)
        && parent.port.is_none_or(|port| port == listener.port)
}

fn points(route: &TlsRoute, listener: &Listener) -> impl Iterator<Item = GatewayAccessPoint> {
    let port = listener.port;
    route.spec.hostnames.iter().map(move |hostname| GatewayAccessPoint {
        kind: "Hostname".to_owned(),
        value: format!("https://{hostname}:{port}"),
        port,
        urls: Vec::new(),
    })
}
