//! `JoinToken`s as the operator's program reconciles them, on a real API server with played tenants (see crate
//! `stage`).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use api::{JoinToken, JoinTokenStatus};
use base::{Clock, SystemClock};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::ResourceExt;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use stage::{Options, Stage, eventually, manifest};

const OPERATOR: &str = env!("CARGO_BIN_EXE_flotilla-operator");
const LIMIT: Duration = Duration::from_secs(30);
const NAMESPACE: &str = "joining";

fn token(name: &str, spec: &Value) -> JoinToken {
    let mut whole = json!({ "tenantControlPlane": "blue" });
    whole.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    serde_json::from_value(json!({
        "apiVersion": "flotilla.dev/v1alpha1", "kind": "JoinToken", "metadata": { "name": name }, "spec": whole,
    }))
    .unwrap()
}

fn tokens(stage: &Stage) -> Api<JoinToken> {
    stage.objects(NAMESPACE)
}

async fn create(stage: &Stage, name: &str, spec: Value) {
    tokens(stage).create(&PostParams::default(), &token(name, &spec)).await.unwrap();
}

async fn create_tenant(stage: &Stage) -> String {
    let tenant = manifest("blue", json!({})).unwrap();
    stage.tenants(NAMESPACE).create(&PostParams::default(), &tenant).await.unwrap().uid().unwrap()
}

/// Waits until the token's condition has the reason.
async fn is(stage: &Stage, name: &str, reason: &str, limit: Duration) -> JoinTokenStatus {
    eventually(&format!("{name} is {reason}"), limit, || async {
        let status = tokens(stage).get(name).await?.status.unwrap_or_default();
        let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready");
        anyhow::ensure!(ready.is_some_and(|ready| ready.reason == reason), "{ready:?}");
        Ok(status)
    })
    .await
    .unwrap()
}

async fn secret_of(stage: &Stage, name: &str) -> Option<Secret> {
    stage.objects::<Secret>(NAMESPACE).get_opt(&format!("{name}-join")).await.unwrap()
}

fn text(secret: &Secret, key: &str) -> String {
    String::from_utf8(secret.data.as_ref().unwrap()[key].0.clone()).unwrap()
}

/// The Secret by which the tenant knows a token.
fn inside(stage: &Stage, uid: &str, status: &JoinTokenStatus) -> Option<Value> {
    let name = format!("secrets/bootstrap-token-{}", status.token_id.as_deref().unwrap());
    stage.inside(uid).into_iter().find(|(path, _)| path.ends_with(&name)).map(|(_, secret)| secret)
}

fn field(secret: &Value, key: &str) -> String {
    let bytes: ByteString = serde_json::from_value(secret["data"][key].clone()).unwrap();
    String::from_utf8(bytes.0).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_handed_out_once_used_up_and_revoked() {
    let stage = Stage::set(Options::default()).await.unwrap();
    let mut operator = stage.operator(OPERATOR.as_ref(), &["--start-slots=4"]).await.unwrap();
    stage.create_namespace(NAMESPACE).await.unwrap();
    create(&stage, "pool", json!({ "maxUses": 1 })).await;
    create(&stage, "short", json!({ "ttl": "1m" })).await;
    is(&stage, "pool", "ControlPlaneNotFound", LIMIT).await;
    let uid = create_tenant(&stage).await;
    let status = is(&stage, "pool", "Active", LIMIT).await;

    let secret = secret_of(&stage, "pool").await.unwrap();
    let known = inside(&stage, &uid, &status).unwrap();
    let both = format!("{}.{}", field(&known, "token-id"), field(&known, "token-secret"));
    assert_eq!(text(&secret, "token"), both);
    assert_eq!(field(&known, "auth-extra-groups"), "system:bootstrappers:flotilla:join");
    assert_eq!(field(&known, "expiration"), status.expires_at.as_ref().unwrap().0.to_string());
    let info = stage.inside(&uid).into_iter().find(|(path, _)| path.ends_with("/cluster-info")).unwrap().1;
    let endpoint = text(&secret, "endpoint");
    assert!(info["data"]["kubeconfig"].as_str().unwrap().contains(&format!("https://{endpoint}")));
    let expected = format!(
        "kubeadm join {endpoint} --token {both} --discovery-token-ca-cert-hash {}",
        text(&secret, "ca-cert-hash")
    );
    assert_eq!(text(&secret, "command"), expected);
    let whole = serde_json::to_string(&tokens(&stage).get("pool").await.unwrap()).unwrap();
    assert!(!whole.contains(&field(&known, "token-secret")), "the object shows the token");

    operator.kill().await;
    operator.restart().await.unwrap();
    // What goes in the tenant comes back, and is the same token.
    stage.objects::<Secret>(NAMESPACE).delete("short-join", &DeleteParams::default()).await.unwrap();
    eventually("the deleted Secret is back", LIMIT, || async {
        secret_of(&stage, "short").await.map(|_| ()).ok_or_else(|| anyhow::anyhow!("it is not there"))
    })
    .await
    .unwrap();
    assert_eq!(text(&secret_of(&stage, "pool").await.unwrap(), "token"), both);

    let node = json!({ "name": "a", "csr": "c", "uid": "u", "time": SystemClock.now().to_string() });
    let used = json!({ "status": { "uses": 1, "nodes": [node] } });
    tokens(&stage).patch_status("pool", &PatchParams::default(), &Patch::Merge(used)).await.unwrap();
    let status = is(&stage, "pool", "UsedUp", LIMIT).await;
    assert!(secret_of(&stage, "pool").await.is_none() && status.secret_name.is_none());
    let left = inside(&stage, &uid, &status).unwrap();
    let ends: jiff::Timestamp = field(&left, "expiration").parse().unwrap();
    assert!(
        ends < status.expires_at.as_ref().unwrap().0,
        "the last node has a moment to get its certificate"
    );

    tokens(&stage).delete("pool", &DeleteParams::default()).await.unwrap();
    eventually("it is gone", LIMIT, || async {
        anyhow::ensure!(tokens(&stage).get_opt("pool").await?.is_none(), "it is there");
        Ok(())
    })
    .await
    .unwrap();
    assert!(inside(&stage, &uid, &status).is_none(), "the tenant's cluster still knows the token");

    let status = is(&stage, "short", "Expired", Duration::from_secs(90)).await;
    assert!(secret_of(&stage, "short").await.is_none() && inside(&stage, &uid, &status).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_schema_forbids_is_refused_and_a_tenant_that_is_gone_hinders_no_deletion() {
    let stage = Stage::set(Options::default()).await.unwrap();
    let _operator = stage.operator(OPERATOR.as_ref(), &["--start-slots=4"]).await.unwrap();
    stage.create_namespace(NAMESPACE).await.unwrap();
    for spec in [
        json!({ "ttl": "59s" }),
        json!({ "ttl": "721h" }),
        json!({ "ttl": "1d" }),
        json!({ "ttl": "-2h" }),
        json!({ "maxUses": 0 }),
        json!({ "tenantControlPlane": "" }),
    ] {
        let refused = tokens(&stage).create(&PostParams::default(), &token("wrong", &spec)).await;
        assert!(matches!(refused, Err(kube::Error::Api(status)) if status.code == 422), "{spec}");
    }
    create_tenant(&stage).await;
    create(&stage, "pool", json!({})).await;
    assert_eq!(tokens(&stage).get("pool").await.unwrap().spec.ttl, "24h");
    for change in [json!({ "ttl": "2h" }), json!({ "maxUses": 3 }), json!({ "tenantControlPlane": "red" })] {
        let change = Patch::Merge(json!({ "spec": change }));
        let refused = tokens(&stage).patch("pool", &PatchParams::default(), &change).await;
        assert!(matches!(refused, Err(kube::Error::Api(status)) if status.code == 422));
    }
    is(&stage, "pool", "Active", LIMIT).await;
    stage.tenants(NAMESPACE).delete("blue", &DeleteParams::default()).await.unwrap();
    is(&stage, "pool", "ControlPlaneNotFound", LIMIT).await;
    tokens(&stage).delete("pool", &DeleteParams::default()).await.unwrap();
    eventually("it is gone", LIMIT, || async {
        anyhow::ensure!(tokens(&stage).get_opt("pool").await?.is_none(), "it is there");
        Ok(())
    })
    .await
    .unwrap();
}
