//! What the status says of Ingress, routes and the tunnel's Service.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;

use api::gateway_api::{Gateway, TlsRoute};
use api::{GatewayAccessPoint, TenantControlPlaneStatus};
use desired::{Front, Observed, ingress, konnectivity_route, route, status};
use k8s_openapi::api::core::v1::Service;
use serde_json::{Value, json};
use support::{control_plane, now};

fn spec() -> Value {
    json!({ "spec": {
        "controlPlane": { "gateway": {
            "hostname": "blue.example.com",
            "parentRefs": [{ "name": "public", "namespace": "gateways" }],
        } },
        "addons": { "konnectivity": { "server": { "port": 8132 } } },
    } })
}

fn seen(previous: Option<&TenantControlPlaneStatus>, spec: Value, front: &Front) -> TenantControlPlaneStatus {
    let observed = Observed { front: Some(front), ..Observed::default() };
    status(previous, Ok(&control_plane(spec)), Some(1), &observed, now())
}

/// Status, reason and message of the condition.
fn exposed(status: &TenantControlPlaneStatus) -> (String, String, String) {
    let condition = status.conditions.iter().find(|condition| condition.type_ == "Exposed").unwrap().clone();
    (condition.status, condition.reason, condition.message)
}

fn gateway(programmed: &str) -> Arc<Gateway> {
    let gateway = json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": { "name": "public", "namespace": "gateways" },
        "spec": { "listeners": [
            { "name": "control-planes", "port": 6443, "protocol": "TLS" },
            { "name": "konnectivity-server", "port": 8132, "protocol": "TLS" },
            { "name": "web", "port": 80, "protocol": "HTTP" },
        ] },
        "status": { "conditions": [condition("Programmed", programmed, "")] },
    });
    Arc::new(serde_json::from_value(gateway).unwrap())
}

fn condition(kind: &str, status: &str, message: &str) -> Value {
    json!({
        "type": kind, "status": status, "reason": "Because", "message": message,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    })
}

/// A route that the gateway has looked at.
fn answered(route: TlsRoute, accepted: &str) -> TlsRoute {
    let parent = json!({ "parents": [{
        "parentRef": route.spec.parent_refs[0],
        "controllerName": "example.com/gateway",
        "conditions": [condition("Accepted", accepted, "no listener matches")],
    }] });
    TlsRoute { status: Some(serde_json::from_value(parent).unwrap()), ..route }
}

fn routes(accepted: &str, programmed: &str) -> Front {
    let control_plane = control_plane(spec());
    Front::Routes {
        api_server: Box::new(answered(route(&control_plane).unwrap(), accepted)),
        konnectivity: Some(Box::new(answered(konnectivity_route(&control_plane).unwrap(), accepted))),
        gateways: vec![gateway(programmed)],
    }
}

fn point(port: i32) -> GatewayAccessPoint {
    GatewayAccessPoint {
        kind: "Hostname".to_owned(),
        value: format!("https://blue.example.com:{port}"),
        port,
        urls: Vec::new(),
    }
}

#[test]
fn access_points_are_the_encrypted_listeners_that_accept_the_route() {
    let status = seen(None, spec(), &routes("True", "True"));
    let gateway = status.kubernetes_resources.gateway.clone().unwrap();
    // Without a section the route attaches to each listener that can carry it.
    assert_eq!(gateway.access_points, [point(6443), point(8132)]);
    assert_eq!(gateway.route_ref.name, "blue");
    assert_eq!(gateway.parents.len(), 1);
    let konnectivity = status.addons.konnectivity.gateway.clone().unwrap();
    assert_eq!(konnectivity.access_points, [point(8132)]);
    assert_eq!(konnectivity.route_ref.name, "blue-konnectivity");
    assert_eq!(exposed(&status).0, "True");
}

#[test]
fn no_access_point_is_told_before_gateway_and_route_stand() {
    for (accepted, programmed) in [("True", "False"), ("False", "True")] {
        let status = seen(None, spec(), &routes(accepted, programmed));
        assert!(status.kubernetes_resources.gateway.unwrap().access_points.is_empty(), "{accepted}");
    }
}

#[test]
fn a_route_that_nobody_accepts_is_told_with_the_gateways_reason() {
    let (status, reason, message) = exposed(&seen(None, spec(), &routes("False", "True")));
    assert_eq!((status.as_str(), reason.as_str()), ("False", "RouteNotAccepted"));
    assert!(message.contains("Gateway `public`") && message.contains("no listener matches"), "{message}");

    let unseen = Front::Routes {
        api_server: Box::new(route(&control_plane(spec())).unwrap()),
        konnectivity: None,
        gateways: Vec::new(),
    };
    let (_, reason, message) = exposed(&seen(None, spec(), &unseen));
    assert_eq!(reason, "RouteNotAccepted");
    assert!(message.contains("parentRefs"), "{message}");
}

#[test]
fn a_cluster_without_gateway_api_is_told() {
    let (status, reason, _) = exposed(&seen(None, spec(), &Front::NoGatewayApi));
    assert_eq!((status.as_str(), reason.as_str()), ("False", "GatewayApiMissing"));
}

#[test]
fn what_the_spec_no_longer_asks_for_leaves_the_status() {
    let before = seen(None, spec(), &routes("True", "True"));
    let after = seen(Some(&before), json!({}), &Front::Unwished);
    assert_eq!(after.kubernetes_resources.gateway, None);
    assert_eq!(after.addons.konnectivity.gateway, None);
    assert!(!after.addons.konnectivity.enabled);
}

#[test]
fn a_failure_keeps_what_was_known() {
    let before = seen(None, spec(), &routes("True", "True"));
    let after = seen(Some(&before), spec(), &Front::Failed { message: "refused".to_owned() });
    assert_eq!(after.kubernetes_resources.gateway, before.kubernetes_resources.gateway);
    assert_eq!(exposed(&after), ("False".to_owned(), "ApplyFailed".to_owned(), "refused".to_owned()));
}

#[test]
fn an_ingress_is_told_with_what_its_controller_handed_out() {
    let hostname = json!({ "spec": { "controlPlane": { "ingress": { "hostname": "blue.example.com" } } } });
    let mut live = ingress(&control_plane(hostname.clone())).unwrap();
    live.status = Some(
        serde_json::from_value(json!({ "loadBalancer": { "ingress": [{ "ip": "192.0.2.1" }] } })).unwrap(),
    );
    let status = seen(None, hostname, &Front::Ingress(Box::new(live)));
    let told = status.kubernetes_resources.ingress.clone().unwrap();
    assert_eq!((told.name.as_str(), told.namespace.as_str()), ("blue", "tenants"));
    let addresses = told.load_balancer.unwrap().ingress.unwrap();
    assert_eq!(addresses[0].ip.as_deref(), Some("192.0.2.1"));
    assert_eq!(exposed(&status).0, "True");
}

#[test]
fn the_tunnels_service_is_told_with_its_own_port() {
    let service: Service = serde_json::from_value(json!({
        "metadata": { "name": "blue" },
        "status": { "loadBalancer": { "ingress": [{ "ip": "192.0.2.1", "ports": [{ "port": 1, "protocol": "TCP" }] }] } },
    }))
    .unwrap();
    let observed = Observed { service: Some(&service), ..Observed::default() };
    let told = status(None, Ok(&control_plane(spec())), Some(1), &observed, now());
    let own = told.addons.konnectivity.service.unwrap();
    assert_eq!((own.name.as_str(), own.port), ("blue", 8132));
    let entries = own.load_balancer.unwrap().ingress.unwrap();
    assert_eq!((entries[0].ip.as_deref(), &entries[0].ports), (Some("192.0.2.1"), &None));
    assert_eq!(told.kubernetes_resources.service.unwrap().port, 6443);
}
