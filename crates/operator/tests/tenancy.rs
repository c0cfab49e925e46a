//! Tenants on a real API server: their tree, their namespaces, their quotas, and how they come and go.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use api::{Tenant, TenantControlPlane, TenantStatus};
use futures::future::join_all;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use stage::{Operator, Options, Stage, eventually, manifest};

const SOON: Duration = Duration::from_secs(30);

async fn set() -> (Stage, Operator) {
    let stage = Stage::set(Options::default()).await.unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_flotilla-operator"));
    let operator = stage.operator_directly(program, &["--datastore=store", "--start-slots=4"]).await.unwrap();
    (stage, operator)
}

fn tenants(stage: &Stage) -> Api<Tenant> {
    Api::all(stage.client())
}

fn tenant(name: &str, spec: &Value) -> Tenant {
    serde_json::from_value(json!({
        "apiVersion": "flotilla.dev/v1alpha1", "kind": "Tenant", "metadata": {"name": name}, "spec": spec,
    }))
    .unwrap()
}

async fn create(stage: &Stage, name: &str, spec: Value) -> Result<Tenant, kube::Error> {
    tenants(stage).create(&PostParams::default(), &tenant(name, &spec)).await
}

async fn change(stage: &Stage, name: &str, spec: Value) -> Result<Tenant, kube::Error> {
    tenants(stage).patch(name, &PatchParams::default(), &Patch::Merge(json!({"spec": spec}))).await
}

async fn cluster(stage: &Stage, namespace: &str, name: &str, deployment: Value) -> Result<(), kube::Error> {
    let spec = json!({"controlPlane": {"deployment": deployment}});
    let whole = manifest(name, spec).unwrap();
    stage.tenants(namespace).create(&PostParams::default(), &whole).await.map(drop)
}

async fn scale(stage: &Stage, namespace: &str, name: &str, replicas: i32) -> Result<(), kube::Error> {
    let patch = json!({"spec": {"controlPlane": {"deployment": {"replicas": replicas}}}});
    stage.tenants(namespace).patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.map(drop)
}

/// The words of a refusal by a webhook.
fn refused<T>(outcome: Result<T, kube::Error>, what: &str) -> String {
    match outcome {
        Ok(_) => panic!("{what} was admitted"),
        Err(kube::Error::Api(status)) if matches!(status.code, 400 | 403) => status.message.clone(),
        Err(error) => panic!("{what}: another error: {error}"),
    }
}

/// Waits until the condition `Ready` has the reason.
async fn is(stage: &Stage, name: &str, reason: &str) -> TenantStatus {
    eventually(&format!("{name} is {reason}"), SOON, || async {
        let status = tenants(stage).get(name).await?.status.unwrap_or_default();
        let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready");
        ensure!(ready.is_some_and(|ready| ready.reason == reason), "{ready:?}");
        Ok(status)
    })
    .await
    .unwrap()
}

async fn replicas(stage: &Stage, namespace: &str, name: &str) -> Result<i32> {
    let found = stage.tenants(namespace).get(name).await?;
    found.spec.control_plane.deployment.and_then(|deployment| deployment.replicas).context("no replicas")
}

async fn has_replicas(stage: &Stage, namespace: &str, name: &str, wanted: i32) {
    eventually(&format!("{name} has {wanted} replicas"), SOON, || async {
        let found = replicas(stage, namespace, name).await?;
        ensure!(found == wanted, "{found}");
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_requests_at_once_get_no_more_than_the_tree_has() {
    let (stage, _operator) = set().await;
    create(&stage, "acme", json!({"quota": {"clusters": 20}})).await.unwrap();
    is(&stage, "acme", "Active").await;
    create(&stage, "dev", json!({"parent": "acme"})).await.unwrap();
    is(&stage, "dev", "Active").await;
    let asleep = || json!({"replicas": 0});
    let names: Vec<String> = (0..50).map(|number| format!("c{number}")).collect();
    let asking = names.iter().enumerate().map(|(number, name)| {
        let namespace = if number % 2 == 0 { "acme" } else { "dev" };
        cluster(&stage, namespace, name, asleep())
    });
    let (admitted, turned_away): (Vec<_>, Vec<_>) =
        join_all(asking).await.into_iter().partition(Result::is_ok);
    assert_eq!((admitted.len(), turned_away.len()), (20, 30));
    for outcome in turned_away {
        let message = refused(outcome, "the 21st");
        assert!(
            message.contains("clusters 20 of 20 are used") && message.contains("tenant `acme`"),
            "{message}"
        );
    }
    let status = eventually("all are counted", SOON, || async {
        let status = tenants(&stage).get("acme").await?.status.unwrap_or_default();
        ensure!(status.total.clusters == 20, "{:?}", status.total);
        Ok(status)
    })
    .await
    .unwrap();
    assert!(status.own.clusters < 20 && status.children == 1);
    // Who leaves makes room, as soon as what was granted lately is forgotten.
    let gone =
        stage.tenants("acme").list(&kube::api::ListParams::default()).await.unwrap().items[0].name_any();
    stage.tenants("acme").delete(&gone, &DeleteParams::default()).await.unwrap();
    eventually("there is room again", Duration::from_secs(90), || async {
        cluster(&stage, "dev", "late", asleep()).await?;
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_gets_its_namespace_and_no_other() {
    let (stage, _operator) = set().await;
    let namespaces: Api<Namespace> = Api::all(stage.client());
    create(&stage, "acme", json!({"namespace": "acme-clusters"})).await.unwrap();
    let status = is(&stage, "acme", "Active").await;
    assert_eq!(status.namespace.as_deref(), Some("acme-clusters"));
    let made = namespaces.get("acme-clusters").await.unwrap();
    assert_eq!(made.labels().get("flotilla.dev/tenant").map(String::as_str), Some("acme"));
    assert_eq!(made.owner_references()[0].kind, "Tenant");

    // One that was there before is nobody's until its administrator says so.
    create(&stage, "grabber", json!({"namespace": "kube-system"})).await.unwrap();
    let status = is(&stage, "grabber", "NamespaceTaken").await;
    assert_eq!(status.namespace, None);
    assert_eq!(namespaces.get("kube-system").await.unwrap().labels().get("flotilla.dev/tenant"), None);
    stage.create_namespace("given").await.unwrap();
    create(&stage, "given", json!({})).await.unwrap();
    is(&stage, "given", "NamespaceTaken").await;
    let label = json!({"metadata": {"labels": {"flotilla.dev/tenant": "given"}}});
    namespaces.patch("given", &PatchParams::default(), &Patch::Merge(label)).await.unwrap();
    is(&stage, "given", "Active").await;
    assert!(namespaces.get("given").await.unwrap().owner_references().is_empty());

    // A label that somebody takes away comes back, and a namespace that was given stays without its tenant.
    let unlabelled = json!({"metadata": {"labels": {"flotilla.dev/tenant": null}}});
    namespaces.patch("acme-clusters", &PatchParams::default(), &Patch::Merge(unlabelled)).await.unwrap();
    eventually("the label is back", SOON, || async {
        let found = namespaces.get("acme-clusters").await?;
        ensure!(found.labels().contains_key("flotilla.dev/tenant"), "{:?}", found.labels());
        Ok(())
    })
    .await
    .unwrap();
    tenants(&stage).delete("given", &DeleteParams::default()).await.unwrap();
    eventually("the tenant is gone and its namespace is nobody's", SOON, || async {
        ensure!(tenants(&stage).get_opt("given").await?.is_none(), "it is there");
        let left = namespaces.get("given").await?;
        ensure!(left.metadata.deletion_timestamp.is_none(), "it goes too");
        ensure!(!left.labels().contains_key("flotilla.dev/tenant"), "{:?}", left.labels());
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_is_made_anew_gets_its_namespace_as_soon_as_the_old_one_is_gone() {
    let (stage, _operator) = set().await;
    let namespaces: Api<Namespace> = Api::all(stage.client());
    create(&stage, "acme", json!({})).await.unwrap();
    is(&stage, "acme", "Active").await;
    let old = namespaces.get("acme").await.unwrap().uid();
    let lingers = json!({"metadata": {"name": "lingers", "finalizers": ["flotilla.dev/test"]}});
    let maps = stage.objects::<ConfigMap>("acme");
    maps.create(&PostParams::default(), &serde_json::from_value(lingers).unwrap()).await.unwrap();
    tenants(&stage).delete("acme", &DeleteParams::default()).await.unwrap();
    eventually("its namespace goes", SOON, || async {
        let found = namespaces.get("acme").await?;
        ensure!(found.metadata.deletion_timestamp.is_some(), "it stays");
        Ok(())
    })
    .await
    .unwrap();
    create(&stage, "acme", json!({})).await.unwrap();
    is(&stage, "acme", "NamespaceTaken").await;
    let freed = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    maps.patch("lingers", &PatchParams::default(), &freed).await.unwrap();
    is(&stage, "acme", "Active").await;
    assert_ne!(namespaces.get("acme").await.unwrap().uid(), old);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspension_reaches_down_and_ends_as_it_began() {
    let (stage, _operator) = set().await;
    create(&stage, "acme", json!({})).await.unwrap();
    create(&stage, "dev", json!({"parent": "acme"})).await.unwrap();
    is(&stage, "dev", "Active").await;
    cluster(&stage, "dev", "one", json!({"replicas": 1})).await.unwrap();
    cluster(&stage, "dev", "asleep", json!({"replicas": 0})).await.unwrap();
    change(&stage, "acme", json!({"state": "Suspended"})).await.unwrap();
    let status = is(&stage, "dev", "Suspended").await;
    assert_eq!(status.above, ["acme"]);
    has_replicas(&stage, "dev", "one", 0).await;
    let message = refused(scale(&stage, "dev", "one", 1).await, "waking a suspended tenant's");
    assert!(message.contains("below tenant `acme`, which is suspended"), "{message}");
    let message = refused(cluster(&stage, "dev", "more", json!({"replicas": 0})).await, "a cluster more");
    assert!(message.contains("suspended"), "{message}");
    let message = refused(create(&stage, "late", json!({"parent": "dev"})).await, "a tenant below");
    assert!(message.contains("spec.parent"), "{message}");

    change(&stage, "acme", json!({"state": "Active"})).await.unwrap();
    has_replicas(&stage, "dev", "one", 1).await;
    is(&stage, "dev", "Active").await;
    assert_eq!(replicas(&stage, "dev", "asleep").await.unwrap(), 0);
    let woken = stage.tenants("dev").get("one").await.unwrap();
    assert!(!woken.annotations().contains_key("flotilla.dev/replicas-before-suspension"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_can_come_back_until_the_grace_period_is_over() {
    let (stage, _operator) = set().await;
    create(&stage, "acme", json!({"deletionGracePeriod": "5s"})).await.unwrap();
    create(&stage, "dev", json!({"parent": "acme"})).await.unwrap();
    is(&stage, "acme", "Active").await;
    is(&stage, "dev", "Active").await;
    cluster(&stage, "dev", "one", json!({"replicas": 0})).await.unwrap();

    let delete = |name: &'static str| {
        let api = tenants(&stage);
        async move { api.delete(name, &DeleteParams::default()).await }
    };
    let message = refused(delete("acme").await, "deleting who has tenants below");
    assert!(message.contains("has tenants below it: dev"), "{message}");
    let message = refused(delete("dev").await, "deleting who has control planes");
    assert!(message.contains("still has control planes: one"), "{message}");
    assert!(message.contains("flotilla.dev/confirm-deletion=dev"), "{message}");

    change(&stage, "acme", json!({"state": "Leaving"})).await.unwrap();
    assert!(is(&stage, "acme", "Leaving").await.leaves_at.is_some());
    change(&stage, "acme", json!({"state": "Active"})).await.unwrap();
    assert_eq!(is(&stage, "acme", "Active").await.leaves_at, None);
    assert!(stage.tenants("dev").get("one").await.unwrap().metadata.deletion_timestamp.is_none());

    change(&stage, "acme", json!({"state": "Leaving"})).await.unwrap();
    eventually("all is gone, from below", Duration::from_mins(1), || async {
        let left = tenants(&stage).list(&kube::api::ListParams::default()).await?;
        let left: Vec<String> = left.items.iter().map(ResourceExt::name_any).collect();
        ensure!(left.is_empty(), "{left:?}");
        ensure!(stage.tenants("dev").get_opt("one").await?.is_none(), "the control plane is there");
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_is_confirmed_takes_everything_at_once() {
    let (stage, _operator) = set().await;
    create(&stage, "acme", json!({})).await.unwrap();
    is(&stage, "acme", "Active").await;
    cluster(&stage, "acme", "one", json!({"replicas": 0})).await.unwrap();
    let confirm = json!({"metadata": {"annotations": {"flotilla.dev/confirm-deletion": "acme"}}});
    tenants(&stage).patch("acme", &PatchParams::default(), &Patch::Merge(confirm)).await.unwrap();
    tenants(&stage).delete("acme", &DeleteParams::default()).await.unwrap();
    eventually("all is gone", SOON, || async {
        ensure!(tenants(&stage).get_opt("acme").await?.is_none(), "the tenant is there");
        ensure!(stage.tenants("acme").get_opt("one").await?.is_none(), "the control plane is there");
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_tear_the_tree_or_exceed_it_is_refused_with_what_to_do() {
    let (stage, _operator) = set().await;
    let quota = json!({"quota": {
        "clusters": 2, "controlPlaneReplicas": 2, "cpu": "500m", "memory": "1Gi",
        "versions": ["v1.36"], "dataStores": ["store"],
    }});
    create(&stage, "acme", quota).await.unwrap();
    create(&stage, "dev", json!({"parent": "acme"})).await.unwrap();
    create(&stage, "globex", json!({})).await.unwrap();
    for name in ["acme", "dev", "globex"] {
        is(&stage, name, "Active").await;
    }
    let cases = [
        ("a parent that is none", create(&stage, "a", json!({"parent": "nobody"})).await, "is no tenant"),
        ("a ring", change(&stage, "acme", json!({"parent": "dev"})).await, "a tree has no rings"),
        ("another namespace", change(&stage, "dev", json!({"namespace": "b"})).await, "cannot be changed"),
        ("somebody's namespace", create(&stage, "c", json!({"namespace": "dev"})).await, "of tenant `dev`"),
        ("no amount", create(&stage, "d", json!({"quota": {"cpu": "lots"}})).await, "spec.quota.cpu"),
    ];
    for (what, outcome, words) in cases {
        let message = refused(outcome, what);
        assert!(message.contains(words), "{what}: {message}");
    }

    let resources =
        |cpu: &str| json!({"replicas": 1, "resources": {"apiServer": {"requests": {"cpu": cpu}}}});
    let message = refused(cluster(&stage, "dev", "big", resources("501m")).await, "too much CPU");
    assert!(message.contains("CPU of control planes 0 of 500m are used"), "{message}");
    cluster(&stage, "dev", "fits", resources("500m")).await.unwrap();
    let message = refused(scale(&stage, "dev", "fits", 2).await, "a pod more");
    assert!(message.contains("quota of tenant `acme`"), "{message}");
    let patch = Patch::Merge(json!({"spec": {"replicas": 2}}));
    let subresource = stage.tenants("dev").patch_scale("fits", &PatchParams::default(), &patch).await;
    let message = refused(subresource, "a pod more by the subresource");
    assert!(message.contains("quota of tenant `acme`"), "{message}");
    let patch = Patch::Merge(json!({"spec": {"replicas": 0}}));
    stage.tenants("dev").patch_scale("fits", &PatchParams::default(), &patch).await.unwrap();
    let old = json!({"kubernetes": {"version": "v1.35.4"}, "controlPlane": {"deployment": {"replicas": 0}}});
    let old: TenantControlPlane = manifest("old", old).unwrap();
    let message = refused(stage.tenants("dev").create(&PostParams::default(), &old).await, "an old version");
    assert!(message.contains("is not what tenant `acme` allows: v1.36"), "{message}");

    // A trial takes nothing away from what there is.
    let trial = PostParams { dry_run: true, ..PostParams::default() };
    for number in 0..3 {
        let spec = json!({"controlPlane": {"deployment": {"replicas": 0}}});
        stage.tenants("dev").create(&trial, &manifest(&format!("t{number}"), spec).unwrap()).await.unwrap();
    }
    cluster(&stage, "acme", "second", json!({"replicas": 0})).await.unwrap();

    // Who moves takes along what it has.
    cluster(&stage, "globex", "own", json!({"replicas": 0})).await.unwrap();
    let message = refused(change(&stage, "globex", json!({"parent": "acme"})).await, "a move");
    assert!(message.contains("has no room for tenant `globex`"), "{message}");
    change(&stage, "dev", json!({"parent": null})).await.unwrap();
    eventually("a tenant that was handed over counts elsewhere", SOON, || async {
        let [acme, dev] = [tenants(&stage).get("acme").await?, tenants(&stage).get("dev").await?];
        let (acme, dev) = (acme.status.unwrap_or_default(), dev.status.unwrap_or_default());
        ensure!(acme.total.clusters == 1 && acme.children == 0, "{acme:?}");
        ensure!(dev.total.clusters == 1 && dev.above.is_empty(), "{dev:?}");
        Ok(())
    })
    .await
    .unwrap();
}
