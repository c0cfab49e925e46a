//! The hub as the operator's program brings it to control planes, on a real API server with played pods and
//! tenants (see crate `stage`).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use api::{Role, TenantControlPlane};
use base::{Clock, SystemClock};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use pki::{CertificateAuthority, TEN_YEARS};
use serde_json::{Value, json};
use stage::{Options, Stage, eventually, manifest};

const OPERATOR: &str = env!("CARGO_BIN_EXE_flotilla-operator");
const SYSTEM: &str = "flotilla-system";
const NAMESPACE: &str = "hubbed";
const HUB: [&str; 4] = [
    "--datastore=store",
    "--hub-issuer=https://hub.example.com/issuer",
    "--hub-discovery=https://flotilla-server.flotilla-system.svc/issuer/.well-known/openid-configuration",
    "--hub-certificate-secret=flotilla-server-certificate",
];
/// Longest wait for a pass, the start of played pods included.
const PATIENCE: Duration = Duration::from_secs(30);

async fn set() -> Stage {
    let stage = Stage::set(Options { without_webhooks: true, ..Options::default() }).await.unwrap();
    stage.create_namespace(NAMESPACE).await.unwrap();
    stage
}

async fn create(stage: &Stage, name: &str) -> String {
    let made = manifest(name, json!({})).unwrap();
    stage.tenants(NAMESPACE).create(&PostParams::default(), &made).await.unwrap().uid().unwrap()
}

async fn ready(stage: &Stage, name: &str) -> TenantControlPlane {
    eventually("it is ready", PATIENCE, || async {
        let tenant = stage.tenants(NAMESPACE).get(name).await?;
        let conditions = tenant.status.as_ref().map(|status| status.conditions.clone()).unwrap_or_default();
        let is_ready = conditions.iter().any(|found| found.type_ == "Ready" && found.status == "True");
        ensure!(is_ready, "{conditions:?}");
        Ok(tenant)
    })
    .await
    .unwrap()
}

async fn configuration(stage: &Stage) -> Result<String> {
    let map = stage.objects::<ConfigMap>(NAMESPACE).get("blue-hub").await?;
    map.data.unwrap_or_default().remove("authentication.yaml").context("no file")
}

async fn template(stage: &Stage) -> Value {
    let deployment = stage.objects::<Deployment>(NAMESPACE).get("blue").await.unwrap();
    serde_json::to_value(deployment.spec.unwrap().template).unwrap()
}

fn authority() -> String {
    let ca = CertificateAuthority::generate("hub", TEN_YEARS, SystemClock.now()).unwrap();
    ca.pair().certificate.clone()
}

async fn publish(stage: &Stage, authority: &str) {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "flotilla-server-certificate" },
        "stringData": { "ca.crt": authority, "tls.key": "secret" },
    });
    let parameters = PatchParams::apply("test").force();
    let api = stage.objects::<Secret>(SYSTEM);
    api.patch("flotilla-server-certificate", &parameters, &Patch::Apply(secret)).await.unwrap();
}

async fn make_role(stage: &Stage, name: &str, resource: &str) -> Result<()> {
    let role = json!({
        "apiVersion": "flotilla.dev/v1alpha1", "kind": "Role", "metadata": { "name": name },
        "spec": { "cluster": [{ "verbs": ["get"], "apiGroups": [""], "resources": [resource] }] },
    });
    let api: Api<Role> = Api::all(stage.client());
    api.patch(name, &PatchParams::apply("test").force(), &Patch::Apply(role)).await?;
    Ok(())
}

/// Waits until an object stands inside the tenant's cluster and is so, or is gone.
async fn inside(stage: &Stage, uid: &str, path: &str, expected: Option<&str>) {
    let path = format!("/apis/rbac.authorization.k8s.io/v1/{path}");
    eventually(&path, PATIENCE, || async {
        let found = stage.inside(uid).remove(&path);
        let is_so = match (&found, expected) {
            (None, None) => true,
            (Some(found), Some(text)) => found.to_string().contains(text),
            _ => false,
        };
        ensure!(is_so, "{found:?}");
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_vouches_for_the_hub_comes_and_changes_and_no_pod_is_replaced() {
    let stage = set().await;
    let mut operator = stage.operator(Path::new(OPERATOR), &HUB).await.unwrap();
    create(&stage, "blue").await;
    ready(&stage, "blue").await;
    assert!(configuration(&stage).await.unwrap().contains("jwt: []"));
    let before = template(&stage).await;
    assert!(before.to_string().contains("--authentication-config=/etc/kubernetes/hub/authentication.yaml"));

    // What is no certificate would keep API servers from starting.
    publish(&stage, "nonsense").await;
    for _ in 0..2 {
        let authority = authority();
        publish(&stage, &authority).await;
        let line = authority.lines().nth(1).unwrap().to_owned();
        eventually("the file has the authority", PATIENCE, || async {
            let text = configuration(&stage).await?;
            ensure!(text.contains(&line) && text.contains("hubbed.blue"), "{text}");
            Ok(())
        })
        .await
        .unwrap();
    }
    assert_eq!(template(&stage).await, before);
    let all: Api<ConfigMap> = Api::all(stage.client());
    let found = all.list(&ListParams::default().labels("flotilla.dev/hub=true")).await.unwrap();
    assert_eq!(found.items.len(), 1);
    let data = found.items[0].data.clone().unwrap();
    assert_eq!(data["endpoint"], "https://blue.hubbed.svc:6443");
    assert!(data["ca.crt"].starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(!data.values().any(|text| text.contains("secret") || text.contains("PRIVATE")));

    // The installation gives the hub up.
    operator.kill().await;
    let _operator = stage.operator(Path::new(OPERATOR), &HUB[..1]).await.unwrap();
    eventually("nothing is left of it", PATIENCE, || async {
        let map = stage.objects::<ConfigMap>(NAMESPACE).get_opt("blue-hub").await?;
        ensure!(map.is_none(), "the ConfigMap is left");
        ensure!(!template(&stage).await.to_string().contains("authentication-config"), "the flag is left");
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_comes_into_all_clusters_changes_there_and_goes() {
    let stage = set().await;
    let mut operator = stage.operator(Path::new(OPERATOR), &HUB).await.unwrap();
    let (blue, green) = (create(&stage, "blue").await, create(&stage, "green").await);
    for name in ["blue", "green"] {
        ready(&stage, name).await;
    }
    let clusters = [&blue, &green];
    for uid in clusters {
        inside(&stage, uid, "clusterroles/flotilla:role:read-only", Some("pods/log")).await;
        inside(
            &stage,
            uid,
            "clusterrolebindings/flotilla:cluster:read-only",
            Some("flotilla:role:read-only"),
        )
        .await;
        inside(&stage, uid, "clusterroles/flotilla:role:platform-admin", Some("nonResourceURLs")).await;
        inside(
            &stage,
            uid,
            "clusterrolebindings/flotilla:inventory",
            Some("flotilla:cluster:system-inventory"),
        )
        .await;
        inside(&stage, uid, "clusterroles/flotilla:role:auditor", None).await;
    }

    make_role(&stage, "viewer", "pods").await.unwrap();
    for uid in clusters {
        inside(&stage, uid, "clusterroles/flotilla:role:viewer", Some("pods")).await;
        inside(&stage, uid, "clusterrolebindings/flotilla:cluster:viewer", Some("flotilla:role:viewer"))
            .await;
    }
    make_role(&stage, "viewer", "secrets").await.unwrap();
    for uid in clusters {
        inside(&stage, uid, "clusterroles/flotilla:role:viewer", Some("secrets")).await;
    }
    // It goes while the operator is away.
    operator.kill().await;
    Api::<Role>::all(stage.client()).delete("viewer", &DeleteParams::default()).await.unwrap();
    operator.restart().await.unwrap();
    for uid in clusters {
        inside(&stage, uid, "clusterroles/flotilla:role:viewer", None).await;
        inside(&stage, uid, "clusterrolebindings/flotilla:cluster:viewer", None).await;
        inside(&stage, uid, "clusterroles/flotilla:role:read-only", Some("pods/log")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_slept_has_the_rights_of_now_when_it_wakes() {
    let stage = set().await;
    let _operator = stage.operator(Path::new(OPERATOR), &HUB).await.unwrap();
    let uid = create(&stage, "blue").await;
    ready(&stage, "blue").await;
    inside(&stage, &uid, "clusterroles/flotilla:role:read-only", Some("pods/log")).await;
    let replicas = |count: i32| {
        Patch::Merge(json!({ "spec": { "controlPlane": { "deployment": { "replicas": count } } } }))
    };
    stage.tenants(NAMESPACE).patch("blue", &PatchParams::default(), &replicas(0)).await.unwrap();
    eventually("it sleeps", PATIENCE, || async {
        let deployment = stage.objects::<Deployment>(NAMESPACE).get("blue").await?;
        ensure!(deployment.status.unwrap_or_default().ready_replicas.unwrap_or_default() == 0);
        Ok(())
    })
    .await
    .unwrap();
    make_role(&stage, "viewer", "pods").await.unwrap();
    stage.tenants(NAMESPACE).patch("blue", &PatchParams::default(), &replicas(1)).await.unwrap();
    inside(&stage, &uid, "clusterroles/flotilla:role:viewer", Some("pods")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_role_can_be_named_like_a_builtin_one_or_one_of_the_hubs_own() {
    let stage = set().await;
    for name in ["system-inventory", "system-", "read-only", "platform-admin", "auditor"] {
        let refused = make_role(&stage, name, "pods").await.unwrap_err();
        let refused = refused.downcast_ref::<kube::Error>().unwrap();
        assert!(matches!(refused, kube::Error::Api(status) if status.code == 422), "{name}: {refused}");
    }
    make_role(&stage, "systematic", "pods").await.unwrap();
    // Every built-in role's name is refused, also one that is added later.
    for role in authz::builtin_roles() {
        assert!(make_role(&stage, &role.name, "pods").await.is_err(), "{}", role.name);
    }
}
