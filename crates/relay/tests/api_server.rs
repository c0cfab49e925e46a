//! A real API server behind the relay.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::allow_attributes,
    reason = "a test that cannot go on ends"
)]

mod support;

use std::sync::Arc;

use base::{Clock, SystemClock};
use http::{Request, Response};
use http_body_util::BodyExt;
use launcher::{ControlPlane, Options};
use pki::{CertificateAuthority, CertificatePlan, Pair, PrivateKey};
use relay::{ClientCertificate, Credentials, Endpoint, ResponseBody, Target, Upstream, relay};
use serde_json::{Value, json};
use support::{LONG, ask, collect, nothing, text};

/// Most for one idle watch, KiB, with what the test itself keeps of it.
const BOUND_KIB: usize = 40;
const WATCHES: usize = 1000;

async fn start() -> (ControlPlane, Arc<Upstream>) {
    let control_plane =
        Box::pin(ControlPlane::start(&Options { own: true, ..Options::default() })).await.unwrap();
    let read =
        |name: &str| std::fs::read_to_string(control_plane.directory().join("pki").join(name)).unwrap();
    let pair = Pair { certificate: read("ca.crt"), private_key: PrivateKey::from_pem(read("ca.key")) };
    let authority = CertificateAuthority::from_pair(pair).unwrap();
    let admin =
        CertificatePlan::client("admin", ["system:masters"]).issue(&authority, SystemClock.now()).unwrap();
    let endpoint = Endpoint {
        address: control_plane.server().trim_start_matches("https://").to_owned(),
        server_name: "kubernetes.default.svc".to_owned(),
        authority: read("ca.crt"),
        client: Some(ClientCertificate {
            certificate: admin.certificate,
            private_key: admin.private_key.expose_pem().to_owned().into(),
        }),
    };
    let upstream = Arc::new(Upstream::endpoint("c-1", &endpoint, LONG).unwrap());
    (control_plane, upstream)
}

async fn object(response: Response<ResponseBody>) -> Value {
    serde_json::from_slice(&collect(response).await).unwrap()
}

fn config_map(name: &str, data: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"key": data}})
}

async fn create(upstream: &Upstream, object: &Value) -> Response<ResponseBody> {
    ask(upstream, "POST", "/api/v1/namespaces/default/configmaps", text(object.to_string())).await
}

fn anonymous_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse().unwrap()
}

/// Reads lines until there is one.
async fn event(response: &mut Response<ResponseBody>, text: &mut Vec<u8>) -> Value {
    while !text.ends_with(b"\n") {
        let frame = response.body_mut().frame().await.unwrap().unwrap();
        text.extend(frame.into_data().unwrap());
    }
    let event = serde_json::from_slice(text).unwrap();
    text.clear();
    event
}

async fn watch(upstream: &Upstream, version: &str) -> Response<ResponseBody> {
    let path = format!("/api/v1/namespaces/default/configmaps?watch=1&resourceVersion={version}");
    let response = ask(upstream, "GET", &path, nothing()).await;
    assert_eq!(response.status(), 200);
    response
}

async fn lists_and_large_objects(upstream: &Upstream) {
    let large = "x".repeat(900_000);
    for name in ["one", "two", "three"] {
        let created = create(upstream, &config_map(name, &large)).await;
        assert_eq!(created.status(), 201);
        assert!(created.headers().contains_key("audit-id"));
        assert_eq!(object(created).await["data"]["key"], large);
    }
    // Together more than 2 MB.
    let list = object(ask(upstream, "GET", "/api/v1/namespaces/default/configmaps", nothing()).await).await;
    assert!(
        list["items"].as_array().unwrap().iter().filter(|item| item["data"]["key"] == large).count() == 3
    );
    let too_large = create(upstream, &config_map("four", &"x".repeat(4_000_000))).await;
    assert_eq!(object(too_large).await["kind"], "Status");
}

async fn watches(upstream: &Arc<Upstream>, version: &str) {
    let before = anonymous_kib();
    let mut open = Vec::new();
    for _ in 0..WATCHES / 50 {
        let opening = (0..50).map(|_| {
            let (upstream, version) = (Arc::clone(upstream), version.to_owned());
            tokio::spawn(async move { watch(&upstream, &version).await })
        });
        for task in opening.collect::<Vec<_>>() {
            open.push(task.await.unwrap());
        }
    }
    let each = anonymous_kib().saturating_sub(before) / WATCHES;
    println!("{each} KiB for each of {WATCHES} watches on {} connections", upstream.connections());
    assert!(each < BOUND_KIB, "{each} KiB for each watch");
    create(upstream, &config_map("seen", "by all")).await;
    let mut text = Vec::new();
    for response in &mut open {
        let event = event(response, &mut text).await;
        assert_eq!(event["type"], "ADDED");
        assert_eq!(event["object"]["metadata"]["name"], "seen");
    }
}

async fn impersonation(upstream: &Upstream) {
    let target =
        Target::read(&"POST".parse().unwrap(), "/apis/authentication.k8s.io/v1/selfsubjectreviews").unwrap();
    let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}).to_string();
    let request = Request::builder()
        .header("content-type", "application/json")
        .header("impersonate-user", "kubernetes-admin")
        .header("impersonate-group", "system:masters")
        .header("connection", "impersonate-user")
        .body(text(body))
        .unwrap();
    let credentials = Credentials::none().impersonating("Ölga", ["readers", "writers"]).unwrap();
    let review = object(relay(&target, request, upstream, &credentials).await).await;
    let user = &review["status"]["userInfo"];
    assert_eq!(user["username"], "Ölga");
    assert_eq!(user["groups"], json!(["readers", "writers", "system:authenticated"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_api_server_is_relayed() {
    let (mut control_plane, upstream) = Box::pin(start()).await;
    // First, since what the others free would hide what watches take.
    let list = object(ask(&upstream, "GET", "/api/v1/namespaces/default/configmaps", nothing()).await).await;
    let version = list["metadata"]["resourceVersion"].as_str().unwrap();
    watches(&upstream, version).await;
    lists_and_large_objects(&upstream).await;
    impersonation(&upstream).await;

    let mut cut = watch(&upstream, version).await;
    Box::pin(control_plane.restart_api_server()).await.unwrap();
    // Events that came before are read first; what was cut off does not look whole.
    while let Some(Ok(_)) = cut.body_mut().frame().await {}
    assert!(cut.body_mut().frame().await.is_none_or(|frame| frame.is_err()));
    assert_eq!(ask(&upstream, "GET", "/version", nothing()).await.status(), 200);

    drop(control_plane);
    let status = object(ask(&upstream, "GET", "/version", nothing()).await).await;
    assert_eq!(status["reason"], "ServiceUnavailable");
}
