//! The roles that every installation has.

use crate::{Role, Rule};

const READ: [&str; 3] = ["get", "list", "watch"];
const CHANGE: [&str; 8] = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];
/// Verbs of clusters beside those of all objects. Whoever may not connect reaches nothing inside.
const OPERATE: [&str; 11] = [
    "connect",
    "upgrade",
    "scale",
    "sleep",
    "wake",
    "clone",
    "backup",
    "restore",
    "kubeconfig",
    "join",
    "rotate",
];

/// Roles of every installation. They cannot be changed; custom ones stand beside them.
#[must_use]
pub fn builtin_roles() -> Vec<Role> {
    let role = |name: &str, hub: Vec<Rule>, cluster: Vec<Rule>| Role { name: name.to_owned(), hub, cluster };
    let everything = || vec![Rule::everything()];
    vec![
        role("platform-admin", everything(), everything()),
        role("auditor", vec![hub(&["*"], &READ)], Vec::new()),
        role("tenant-owner", tenant_owner(), everything()),
        role("cluster-owner", [clusters(), members()].concat(), everything()),
        role("project-owner", [project(), members()].concat(), [view(), edit(), rights()].concat()),
        role("project-member", project(), [view(), edit()].concat()),
        role("read-only", [project(), watch_over()].concat(), view()),
    ]
}

fn hub(resources: &[&str], verbs: &[&str]) -> Rule {
    Rule::new("", resources, verbs)
}

/// Everything below the tenant. Its own quota is a subresource that only those above it may change.
fn tenant_owner() -> Vec<Rule> {
    let own = vec![
        hub(&["tenants", "projects", "templates", "identityproviders", "users"], &CHANGE),
        hub(&["clusters"], &["transfer"]),
        hub(&["audit", "metering"], &READ),
    ];
    [own, clusters(), members(), project()].concat()
}

fn clusters() -> Vec<Rule> {
    vec![
        hub(&["clusters"], &[&CHANGE[..], &OPERATE[..]].concat()),
        hub(&["projects"], &CHANGE),
        // Whoever makes clusters sees what they are made from.
        hub(&["templates"], &READ),
    ]
}

fn members() -> Vec<Rule> {
    vec![hub(&["grants", "roles"], &CHANGE)]
}

fn project() -> Vec<Rule> {
    vec![hub(&["projects"], &READ), hub(&["clusters"], &["get", "list", "watch", "connect", "kubeconfig"])]
}

fn watch_over() -> Vec<Rule> {
    vec![hub(&["tenants", "templates"], &READ)]
}

/// As the role `view` of Kubernetes: no Secrets, no roles.
fn view() -> Vec<Rule> {
    let core = [
        "configmaps",
        "endpoints",
        "events",
        "limitranges",
        "namespaces",
        "persistentvolumeclaims",
        "pods",
        "pods/log",
        "pods/status",
        "replicationcontrollers",
        "resourcequotas",
        "serviceaccounts",
        "services",
    ];
    vec![
        Rule::new("", &core, &READ),
        Rule::new("apps", &["*"], &READ),
        Rule::new("autoscaling", &["*"], &READ),
        Rule::new("batch", &["*"], &READ),
        Rule::new("discovery.k8s.io", &["endpointslices"], &READ),
        Rule::new("metrics.k8s.io", &["pods"], &READ),
        Rule::new("networking.k8s.io", &["ingresses", "networkpolicies"], &READ),
        Rule::new("gateway.networking.k8s.io", &["*"], &READ),
        Rule::new("policy", &["poddisruptionbudgets"], &READ),
    ]
}

/// As the role `edit` of Kubernetes, beside what it shares with `view`.
fn edit() -> Vec<Rule> {
    let core = [
        "configmaps",
        "endpoints",
        "events",
        "persistentvolumeclaims",
        "pods",
        "pods/attach",
        "pods/exec",
        "pods/eviction",
        "pods/portforward",
        "pods/proxy",
        "replicationcontrollers",
        "secrets",
        "serviceaccounts",
        "serviceaccounts/token",
        "services",
        "services/proxy",
    ];
    vec![
        Rule::new("", &core, &CHANGE),
        Rule::new("apps", &["*"], &CHANGE),
        Rule::new("autoscaling", &["*"], &CHANGE),
        Rule::new("batch", &["*"], &CHANGE),
        Rule::new("networking.k8s.io", &["ingresses", "networkpolicies"], &CHANGE),
        Rule::new("gateway.networking.k8s.io", &["*"], &CHANGE),
        Rule::new("policy", &["poddisruptionbudgets"], &CHANGE),
    ]
}

fn rights() -> Vec<Rule> {
    vec![Rule::new("rbac.authorization.k8s.io", &["roles", "rolebindings"], &CHANGE)]
}
