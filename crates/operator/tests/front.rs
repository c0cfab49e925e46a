//! Ingresses and routes on a real API server without nodes: what comes, what goes, what stays.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use api::TenantControlPlane;
use api::gateway_api::{Gateway, TlsRoute};
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::ResourceExt;
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use stage::{Options, Stage, eventually, manifest};

const OPERATOR: &str = env!("CARGO_BIN_EXE_flotilla-operator");
const NAMESPACE: &str = "front";
/// Longest wait for a pass, the start of played pods included.
const PATIENCE: Duration = Duration::from_secs(30);

async fn set() -> Stage {
    // Admission would refuse a gateway that the cluster does not know; here the reconciler gets to see it.
    let stage = Stage::set(Options { without_webhooks: true, ..Options::default() }).await.unwrap();
    stage.create_namespace(NAMESPACE).await.unwrap();
    stage
}

/// Definitions of the kinds that the operator uses, without their schemas.
async fn teach_gateway_api(stage: &Stage) {
    for (kind, plural) in [("Gateway", "gateways"), ("TLSRoute", "tlsroutes")] {
        let group = "gateway.networking.k8s.io";
        let anything = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
        let definition: CustomResourceDefinition = serde_json::from_value(json!({
            "metadata": {
                "name": format!("{plural}.{group}"),
                "annotations": { "api-approved.kubernetes.io": "unapproved, a test's" },
            },
            "spec": {
                "group": group, "scope": "Namespaced",
                "names": { "kind": kind, "plural": plural, "singular": plural.trim_end_matches('s') },
                "versions": [{
                    "name": "v1", "served": true, "storage": true, "subresources": { "status": {} },
                    "schema": { "openAPIV3Schema": anything },
                }],
            },
        }))
        .unwrap();
        Api::all(stage.client()).create(&PostParams::default(), &definition).await.unwrap();
    }
}

async fn create(stage: &Stage, name: &str, spec: Value) {
    stage.tenants(NAMESPACE).create(&PostParams::default(), &manifest(name, spec).unwrap()).await.unwrap();
}

async fn change(stage: &Stage, name: &str, spec: Value) {
    let patch = Patch::Merge(json!({ "spec": spec }));
    stage.tenants(NAMESPACE).patch(name, &PatchParams::default(), &patch).await.unwrap();
}

/// Waits for status and reason of the condition `Exposed`.
async fn exposed(stage: &Stage, name: &str, status: &str, reason: &str) -> TenantControlPlane {
    eventually(&format!("Exposed={status}, {reason}"), PATIENCE, || async {
        let tenant = stage.tenants(NAMESPACE).get(name).await?;
        let conditions = tenant.status.as_ref().map(|status| status.conditions.clone()).unwrap_or_default();
        let found = conditions.iter().find(|condition| condition.type_ == "Exposed").context("not told")?;
        ensure!(found.status == status && found.reason == reason, "{found:?}");
        Ok(tenant)
    })
    .await
    .unwrap()
}

async fn gone<K>(stage: &Stage, name: &str)
where
    K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned,
{
    eventually(&format!("{name} is gone"), PATIENCE, || async {
        let left = stage.objects::<K>(NAMESPACE).get_opt(name).await?;
        ensure!(left.is_none(), "{left:?}");
        Ok(())
    })
    .await
    .unwrap();
}

fn accepted() -> Value {
    json!({ "type": "Accepted", "status": "True", "reason": "Accepted", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z" })
}

/// What a gateway's controller writes into a route.
async fn accept(stage: &Stage, name: &str) -> Result<()> {
    let routes = stage.objects::<TlsRoute>(NAMESPACE);
    let route = routes.get(name).await?;
    let parents: Vec<Value> = route
        .spec
        .parent_refs
        .iter()
        .map(|parent| json!({ "parentRef": parent, "controllerName": "example.com/played", "conditions": [accepted()] }))
        .collect();
    let patch = Patch::Merge(json!({ "status": { "parents": parents } }));
    routes.patch_status(name, &PatchParams::default(), &patch).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn gateway_api_that_comes_later_is_noticed_and_gateways_are_followed() {
    let stage = set().await;
    let _operator = stage.operator(Path::new(OPERATOR), &["--datastore=store"]).await.unwrap();
    let spec = json!({
        "controlPlane": { "gateway": { "hostname": "blue.example.com", "parentRefs": [{ "name": "public" }] } },
        "addons": { "konnectivity": { "server": { "port": 8132 } } },
    });
    create(&stage, "blue", spec).await;
    exposed(&stage, "blue", "False", "GatewayApiMissing").await;

    teach_gateway_api(&stage).await;
    exposed(&stage, "blue", "False", "RouteNotAccepted").await;
    for name in ["blue", "blue-konnectivity"] {
        eventually("the route is accepted", PATIENCE, || accept(&stage, name)).await.unwrap();
    }
    let tenant = exposed(&stage, "blue", "True", "Exposed").await;
    let told = tenant.status.unwrap().kubernetes_resources.gateway.unwrap();
    assert!(told.access_points.is_empty(), "there is no gateway yet: {told:?}");

    let gateway: Gateway = serde_json::from_value(json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": { "name": "public" },
        "spec": { "listeners": [
            { "name": "api", "port": 6443, "protocol": "TLS" },
            { "name": "konnectivity-server", "port": 8132, "protocol": "TLS" },
        ] },
    }))
    .unwrap();
    let gateways = stage.objects::<Gateway>(NAMESPACE);
    gateways.create(&PostParams::default(), &gateway).await.unwrap();
    let programmed = json!({ "status": { "conditions": [
        { "type": "Programmed", "status": "True", "reason": "Programmed", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z" },
    ] } });
    gateways.patch_status("public", &PatchParams::default(), &Patch::Merge(programmed)).await.unwrap();
    eventually("the status tells where the route is reached", PATIENCE, || async {
        let status = stage.tenants(NAMESPACE).get("blue").await?.status.unwrap_or_default();
        let points = status.kubernetes_resources.gateway.unwrap_or_default().access_points;
        let tunnel = status.addons.konnectivity.gateway.unwrap_or_default().access_points;
        ensure!(points.len() == 2 && tunnel.len() == 1, "{points:?} {tunnel:?}");
        ensure!(tunnel[0].value == "https://blue.example.com:8132", "{tunnel:?}");
        Ok(())
    })
    .await
    .unwrap();

    change(&stage, "blue", json!({ "addons": { "konnectivity": null } })).await;
    gone::<TlsRoute>(&stage, "blue-konnectivity").await;
    gone::<ConfigMap>(&stage, "blue-konnectivity-egress-selector-configuration").await;
    stage.objects::<TlsRoute>(NAMESPACE).get("blue").await.unwrap();
    change(&stage, "blue", json!({ "controlPlane": { "gateway": null } })).await;
    gone::<TlsRoute>(&stage, "blue").await;
    eventually("the status tells of no route", PATIENCE, || async {
        let status = stage.tenants(NAMESPACE).get("blue").await?.status.unwrap_or_default();
        ensure!(status.kubernetes_resources.gateway.is_none(), "{:?}", status.kubernetes_resources.gateway);
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exposed_is_written_once_and_somebody_elses_ingress_stays() {
    let stage = set().await;
    // Named and labelled like ours, but not controlled by the control plane.
    let foreign: Ingress = serde_json::from_value(json!({
        "metadata": { "name": "green", "labels": {
            "kamaji.clastix.io/project": "kamaji", "kamaji.clastix.io/name": "green",
        } },
        "spec": { "defaultBackend": { "service": { "name": "other", "port": { "number": 80 } } } },
    }))
    .unwrap();
    let ingresses = stage.objects::<Ingress>(NAMESPACE);
    ingresses.create(&PostParams::default(), &foreign).await.unwrap();
    let mut operator = stage.operator(Path::new(OPERATOR), &["--datastore=store"]).await.unwrap();
    create(&stage, "green", json!({})).await;
    let ingress = json!({ "controlPlane": { "ingress": { "hostname": "red.example.com:8443" } } });
    create(&stage, "red", ingress).await;
    exposed(&stage, "green", "True", "Exposed").await;
    exposed(&stage, "red", "True", "Exposed").await;

    let before = versions(&stage).await;
    operator.kill().await;
    operator.restart().await.unwrap();
    // Brought about last, it shows that the new operator has gone over the others.
    create(&stage, "marker", json!({ "controlPlane": { "deployment": { "replicas": 0 } } })).await;
    exposed(&stage, "marker", "True", "Exposed").await;
    let after = versions(&stage).await;
    assert!(before.iter().all(|version| after.contains(version)), "{before:?} {after:?}");

    change(&stage, "red", json!({ "controlPlane": { "ingress": null } })).await;
    gone::<Ingress>(&stage, "red").await;
    ingresses.get("green").await.unwrap();
}

/// Names and versions of Ingresses and ConfigMaps that were made for control planes.
async fn versions(stage: &Stage) -> Vec<(String, Option<String>)> {
    let ours = ListParams::default().labels("kamaji.clastix.io/project=kamaji");
    let mut found = Vec::new();
    for ingress in stage.objects::<Ingress>(NAMESPACE).list(&ours).await.unwrap() {
        found.push((ingress.name_any(), ingress.resource_version()));
    }
    for config in stage.objects::<ConfigMap>(NAMESPACE).list(&ours).await.unwrap() {
        found.push((config.name_any(), config.resource_version()));
    }
    found
}
