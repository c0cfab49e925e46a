//! Claims about which roles and projects hold in which cluster.

use api::{Project, Role, Tenant};
use desired::inside::Rights;
use serde_json::{Value, json};

use super::Index;

fn tenant(name: &str, parent: Option<&str>) -> Tenant {
    let object = json!({
        "apiVersion": "flotilla.dev/v1alpha1", "kind": "Tenant", "metadata": {"name": name},
        "spec": {"parent": parent}, "status": {"namespace": name},
    });
    serde_json::from_value(object).unwrap()
}

fn role(name: &str, tenant: Option<&str>, cluster: &Value) -> Role {
    let object = json!({
        "apiVersion": "flotilla.dev/v1alpha1", "kind": "Role", "metadata": {"name": name},
        "spec": {"tenant": tenant, "cluster": cluster},
    });
    serde_json::from_value(object).unwrap()
}

fn pods() -> Value {
    json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}])
}

fn project(name: &str, tenant: &str, created: &str, places: &[(&str, &str)]) -> Project {
    let places: Vec<Value> = places
        .iter()
        .map(|(cluster, namespace)| json!({"cluster": cluster, "namespace": namespace}))
        .collect();
    let object = json!({
        "apiVersion": "flotilla.dev/v1alpha1", "kind": "Project",
        "metadata": {"name": name, "creationTimestamp": created},
        "spec": {"tenant": tenant, "namespaces": places},
    });
    serde_json::from_value(object).unwrap()
}

fn tenants() -> [Tenant; 4] {
    [tenant("acme", None), tenant("dev", Some("acme")), tenant("team", Some("dev")), tenant("globex", None)]
}

fn custom(rights: &Rights) -> Vec<&str> {
    let names = rights.roles.iter().map(|role| role.name.as_str());
    names.filter(|name| !super::builtin().iter().any(|builtin| builtin.name == *name)).collect()
}

fn held(rights: &Rights) -> Vec<(&str, Vec<&str>)> {
    rights
        .projects
        .iter()
        .map(|project| (project.name.as_str(), project.namespaces.iter().map(String::as_str).collect()))
        .collect()
}

#[test]
fn roles_hold_in_clusters_of_their_tenant_and_below_and_those_of_nobody_everywhere() {
    let roles = [
        role("anywhere", None, &pods()),
        role("of-dev", Some("dev"), &pods()),
        role("of-globex", Some("globex"), &pods()),
        role("hub-only", None, &json!([])),
    ];
    let index = Index::new(&roles, &[], &tenants());
    for (namespace, expected) in [
        ("acme", vec!["anywhere"]),
        ("dev", vec!["anywhere", "of-dev"]),
        ("team", vec!["anywhere", "of-dev"]),
        ("globex", vec!["anywhere", "of-globex"]),
        ("nobodys", vec!["anywhere"]),
    ] {
        assert_eq!(custom(&index.rights(namespace, "a")), expected, "{namespace}");
    }
}

#[test]
fn roles_that_allow_nothing_inside_clusters_are_not_there() {
    let rights = Index::new(&[], &[], &[]).rights("nobodys", "a");
    let mut names: Vec<&str> = rights.roles.iter().map(|role| role.name.as_str()).collect();
    names.sort_unstable();
    let expected =
        ["cluster-owner", "platform-admin", "project-member", "project-owner", "read-only", "tenant-owner"];
    assert_eq!(names, expected, "the auditor looks at the hub alone");
}

#[test]
fn no_role_takes_the_name_of_another_or_of_the_hub() {
    let all = json!([{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]);
    let roles = [
        role("read-only", None, &all),
        role("auditor", Some("acme"), &all),
        role("system-inventory", None, &all),
    ];
    let rights = Index::new(&roles, &[], &tenants()).rights("acme", "a");
    assert_eq!(rights, Index::new(&[], &[], &tenants()).rights("acme", "a"));
}

#[test]
fn projects_hold_in_clusters_of_their_own_branch_of_the_tree_only() {
    let projects = [
        project(
            "shop",
            "dev",
            "2026-01-02T00:00:00Z",
            &[("dev.a", "web"), ("dev.a", "db"), ("team.a", "web"), ("acme.a", "web"), ("globex.a", "web")],
        ),
        project("raid", "globex", "2026-01-01T00:00:00Z", &[("dev.a", "web"), ("nobodys.a", "web")]),
    ];
    let index = Index::new(&[], &projects, &tenants());
    assert_eq!(held(&index.rights("dev", "a")), [("shop", vec!["db", "web"])]);
    assert_eq!(held(&index.rights("team", "a")), [("shop", vec!["web"])]);
    // A tenant shares its clusters with those below it.
    assert_eq!(held(&index.rights("acme", "a")), [("shop", vec!["web"])]);
    for (namespace, name) in [("globex", "a"), ("nobodys", "a"), ("dev", "b")] {
        assert!(held(&index.rights(namespace, name)).is_empty(), "{namespace}.{name}");
    }
}

#[test]
fn a_namespace_is_the_older_projects() {
    let projects = [
        project("young", "dev", "2026-01-02T00:00:00Z", &[("dev.a", "web"), ("dev.a", "new")]),
        project("old", "acme", "2026-01-01T00:00:00Z", &[("dev.a", "web")]),
    ];
    let index = Index::new(&[], &projects, &tenants());
    assert_eq!(held(&index.rights("dev", "a")), [("old", vec!["web"]), ("young", vec!["new"])]);
}

#[test]
fn a_project_takes_its_quota_along_and_another_one_is_another_fingerprint() {
    let of = |quota: serde_json::Value| {
        let mut shop = project("shop", "dev", "2026-01-01T00:00:00Z", &[("dev.a", "web")]);
        shop.spec.quota = serde_json::from_value(quota).unwrap();
        Index::new(&[], &[shop], &tenants())
    };
    let limited = of(json!({ "memory": "1024Mi", "gpus": "1" }));
    let quota = limited.rights("dev", "a").projects.remove(0).quota;
    assert_eq!(quota, [("memory".to_owned(), "1Gi".to_owned())].into());
    assert_ne!(limited.fingerprint("dev", "a"), of(json!({})).fingerprint("dev", "a"));
}

#[test]
fn the_fingerprint_changes_with_the_rights_and_with_nothing_else() {
    let projects = |namespace| [project("shop", "dev", "2026-01-01T00:00:00Z", &[("dev.a", namespace)])];
    let plain = [role("of-dev", Some("dev"), &pods())];
    let more = json!([{"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]}]);
    let first = Index::new(&plain, &projects("web"), &tenants());
    let same = Index::new(&plain, &projects("web"), &tenants());
    let other_role = Index::new(&[role("of-dev", Some("dev"), &more)], &projects("web"), &tenants());
    let other_project = Index::new(&plain, &projects("db"), &tenants());
    let mark = |index: &Index, namespace| index.fingerprint(namespace, "a");
    assert_eq!(mark(&first, "dev"), mark(&same, "dev"));
    assert_ne!(mark(&first, "dev"), mark(&other_role, "dev"));
    assert_ne!(mark(&first, "dev"), mark(&other_project, "dev"));
    assert_eq!(mark(&first, "acme"), mark(&other_role, "acme"), "what concerns others wakes nobody");
    assert_eq!(mark(&first, "acme"), mark(&other_project, "acme"));
}

#[test]
fn a_tenant_whose_way_up_leads_nowhere_has_what_everybody_has() {
    let lost = [tenant("lost", Some("nobody"))];
    let roles = [role("of-lost", Some("lost"), &pods())];
    let projects = [project("shop", "lost", "2026-01-01T00:00:00Z", &[("lost.a", "web")])];
    let rights = Index::new(&roles, &projects, &lost).rights("lost", "a");
    assert!(custom(&rights).is_empty() && rights.projects.is_empty());
}
