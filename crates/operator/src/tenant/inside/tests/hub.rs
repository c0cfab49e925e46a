//! Claims about the rights of those who sign in by the hub, on a real API server.

use std::sync::Arc;

use api::RoleRule;
use desired::inside::{Kind, ProjectRights, Rights, RoleRights};
use serde_json::{Value, json};

use super::{World, eventually};

const RBAC: &str = "rbac.authorization.k8s.io";

fn role(name: &str, resources: &[&str]) -> Arc<RoleRights> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let rule = RoleRule {
        verbs: words(&["get"]),
        api_groups: words(&[""]),
        resources: words(resources),
        ..RoleRule::default()
    };
    Arc::new(RoleRights { name: name.to_owned(), rules: vec![rule] })
}

fn project(name: &str, namespaces: &[&str]) -> ProjectRights {
    let namespaces = namespaces.iter().map(|namespace| (*namespace).to_owned()).collect();
    ProjectRights { name: name.to_owned(), namespaces, ..ProjectRights::default() }
}

fn rights(roles: &[&str], projects: Vec<ProjectRights>) -> Rights {
    Rights { roles: roles.iter().map(|name| role(name, &["pods"])).collect(), projects }
}

/// Whether somebody of a group may get pods somewhere, as the API server sees it.
async fn may_get_pods(world: &World, group: &str, namespace: &str) -> bool {
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {
            "user": "flotilla:user:olga", "groups": [group],
            "resourceAttributes": { "verb": "get", "resource": "pods", "namespace": namespace },
        },
    });
    let request = kube::core::Request::new("/apis/authorization.k8s.io/v1/subjectaccessreviews");
    let bytes = serde_json::to_vec(&review).unwrap();
    let request = request.create(&kube::api::PostParams::default(), bytes).unwrap();
    let answer: Value = world.administrator.client().request(request).await.unwrap();
    answer["status"]["allowed"] == true
}

async fn make_namespace(world: &World, name: &str) {
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
    world.administrator.apply("/api/v1/namespaces", name, &namespace).await.unwrap();
}

/// Waits until passes have made it so; the API server takes a moment to heed new bindings.
async fn comes_about(world: &World, rights: Option<&Rights>, group: &str, namespace: &str, may: bool) {
    eventually(|| async {
        assert_eq!(world.pass_with(json!({}), rights).await.faults, []);
        (may_get_pods(world, group, namespace).await == may).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_role_is_there_while_it_is_wished_and_its_group_has_its_rights() {
    let world = World::new().await;
    let both = rights(&["viewer", "other"], Vec::new());
    comes_about(&world, Some(&both), "flotilla:cluster:viewer", "default", true).await;
    assert!(may_get_pods(&world, "flotilla:cluster:viewer", "").await, "in all namespaces");
    assert!(!may_get_pods(&world, "flotilla:cluster:nobody", "default").await);
    assert!(!may_get_pods(&world, "flotilla:cluster:system-inventory", "default").await);

    let first = world.versions().await;
    world.sessions.end("uid");
    world.pass_with(json!({}), Some(&both)).await;
    assert_eq!(world.versions().await, first, "a second pass writes nothing");

    // Found again by a session that did not make it.
    world.sessions.end("uid");
    let other = rights(&["other"], Vec::new());
    comes_about(&world, Some(&other), "flotilla:cluster:viewer", "default", false).await;
    for kind in [Kind::ClusterRole, Kind::ClusterRoleBinding] {
        for name in ["flotilla:role:viewer", "flotilla:cluster:viewer"] {
            assert!(world.get(kind, "", name).await.is_none(), "{name}");
        }
    }
    assert!(world.get(Kind::ClusterRole, "", "flotilla:role:other").await.is_some());

    comes_about(&world, None, "flotilla:cluster:other", "default", false).await;
    let left: Vec<String> =
        world.versions().await.into_keys().filter(|name| name.contains("/flotilla:")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn what_somebody_changes_comes_back_also_what_cannot_be_changed_back() {
    let mut world = World::new().await;
    let wished = rights(&["viewer"], Vec::new());
    comes_about(&world, Some(&wished), "flotilla:cluster:viewer", "default", true).await;
    let (roles, bindings) = (Kind::ClusterRole.collection(""), Kind::ClusterRoleBinding.collection(""));
    let all = json!({ "rules": [{ "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] }] });
    world.administrator.merge(&roles, "flotilla:role:viewer", None, &all).await.unwrap();
    world.woken().await;
    world.pass_with(json!({}), Some(&wished)).await;
    let role = world.get(Kind::ClusterRole, "", "flotilla:role:viewer").await.unwrap();
    assert_eq!(role["rules"], json!([{ "apiGroups": [""], "resources": ["pods"], "verbs": ["get"] }]));

    let mut other = world.get(Kind::ClusterRoleBinding, "", "flotilla:cluster:viewer").await.unwrap();
    world.administrator.delete(&bindings, "flotilla:cluster:viewer").await.unwrap();
    other["metadata"] = json!({ "name": "flotilla:cluster:viewer" });
    other["roleRef"] = json!({ "apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin" });
    world.administrator.apply(&bindings, "flotilla:cluster:viewer", &other).await.unwrap();
    world.woken().await;
    assert_eq!(world.pass_with(json!({}), Some(&wished)).await.faults, []);
    let binding = world.get(Kind::ClusterRoleBinding, "", "flotilla:cluster:viewer").await.unwrap();
    assert_eq!(binding["roleRef"]["name"], "flotilla:role:viewer");
}

#[tokio::test]
async fn a_project_has_rights_in_its_namespaces_once_they_stand() {
    let mut world = World::new().await;
    make_namespace(&world, "web").await;
    let wished = rights(&["viewer"], vec![project("shop", &["web", "late"]), project("ghost", &["never"])]);
    let group = "flotilla:project:shop:viewer";
    comes_about(&world, Some(&wished), group, "web", true).await;
    for (group, namespace) in [
        (group, "default"),
        (group, ""),
        ("flotilla:project:ghost:viewer", "web"),
        ("flotilla:cluster:shop", "web"),
    ] {
        assert!(!may_get_pods(&world, group, namespace).await, "{group} {namespace}");
    }

    // Whatever happened before is over.
    while world.woken.try_recv().is_ok() {}
    make_namespace(&world, "late").await;
    world.woken().await;
    comes_about(&world, Some(&wished), group, "late", true).await;

    // Somebody takes a binding away.
    while world.woken.try_recv().is_ok() {}
    let place = Kind::RoleBinding.collection("web");
    world.administrator.delete(&place, group).await.unwrap();
    world.woken().await;
    comes_about(&world, Some(&wished), group, "web", true).await;

    let less = rights(&["viewer"], vec![project("shop", &["late"])]);
    comes_about(&world, Some(&less), group, "web", false).await;
    assert!(world.get(Kind::RoleBinding, "web", group).await.is_none());
    assert!(may_get_pods(&world, group, "late").await);
}

/// How many pods the project may have in its namespace.
async fn hard_pods(world: &World) -> Option<Value> {
    let quota = world.get(Kind::ResourceQuota, "web", "flotilla-project").await?;
    Some(quota["spec"]["hard"]["pods"].clone())
}

#[tokio::test]
async fn what_a_project_may_use_in_a_namespace_is_limited_put_right_and_freed_again() {
    let mut world = World::new().await;
    make_namespace(&world, "web").await;
    let limited = |pods: &str| {
        let quota = [("pods".to_owned(), pods.to_owned())].into();
        rights(&["viewer"], vec![ProjectRights { quota, ..project("shop", &["web", "late"]) }])
    };
    comes_about(&world, Some(&limited("10")), "flotilla:project:shop:viewer", "web", true).await;
    assert_eq!(hard_pods(&world).await, Some(json!("10")));
    let first = world.versions().await;
    world.pass_with(json!({}), Some(&limited("10"))).await;
    assert_eq!(world.versions().await, first, "a second pass writes nothing");
    world.pass_with(json!({}), Some(&limited("1k"))).await;
    assert_eq!(hard_pods(&world).await, Some(json!("1k")));

    // Somebody gives themselves more.
    while world.woken.try_recv().is_ok() {}
    let place = Kind::ResourceQuota.collection("web");
    let more = json!({ "spec": { "hard": { "pods": "5k" } } });
    world.administrator.merge(&place, "flotilla-project", None, &more).await.unwrap();
    world.woken().await;
    eventually(|| async {
        assert_eq!(world.pass_with(json!({}), Some(&limited("1k"))).await.faults, []);
        (hard_pods(&world).await? == "1k").then_some(())
    })
    .await;

    let free = rights(&["viewer"], vec![project("shop", &["web"])]);
    assert_eq!(world.pass_with(json!({}), Some(&free)).await.faults, []);
    assert_eq!(hard_pods(&world).await, None);
}
