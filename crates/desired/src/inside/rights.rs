//! What those may do in a tenant's cluster who sign in by the hub: constant bindings of groups to roles, none per
//! person. Also what projects may use there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::RoleRule;
use api::names::labels;
use serde_json::{Value, json};

use super::Wished;
use super::object::{Key, Kind, Object, Part, RBAC, group};

/// Group of the hub itself, which counts nodes and what they use. No role can have this name.
pub const INVENTORY_GROUP: &str = "flotilla:cluster:system-inventory";

/// Group of the hub itself, which binds roles in namespaces of projects of imported clusters. No role can have this
/// name.
pub const RIGHTS_GROUP: &str = "flotilla:cluster:system-rights";

const INVENTORY: &str = "flotilla:inventory";
/// Name of the quota in each namespace of a project that has one.
const QUOTA: &str = "flotilla-project";
const RIGHTS: &str = "flotilla:rights";
const ROLES: &str = "flotilla:role:";
const CLUSTER_GROUPS: &str = "flotilla:cluster:";
const PROJECT_GROUPS: &str = "flotilla:project:";
const RESERVED: &str = "system-";
const ALL: &str = "*";

/// Rights in one cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Roles that may be given there.
    pub roles: Vec<Arc<RoleRights>>,
    /// Projects that have namespaces there.
    pub projects: Vec<ProjectRights>,
}

/// What a role allows inside clusters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleRights {
    /// Its name.
    pub name: String,
    /// What it allows.
    pub rules: Vec<RoleRule>,
}

/// The namespaces of a project in one cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ProjectRights {
    /// Its name.
    pub name: String,
    /// Its namespaces, whether they stand or not.
    pub namespaces: BTreeSet<String>,
    /// What each of them may use at most, as `api::hard_limits` has it; no limit if empty.
    pub quota: BTreeMap<String, String>,
}

impl Rights {
    /// The namespaces of all projects.
    #[must_use]
    pub fn namespaces(&self) -> BTreeSet<String> {
        self.projects.iter().flat_map(|project| project.namespaces.iter().cloned()).collect()
    }
}

/// Group of those who have a role in the whole cluster.
#[must_use]
pub fn cluster_group(role: &str) -> String {
    format!("{CLUSTER_GROUPS}{role}")
}

/// Group of those who have a role in a project.
#[must_use]
pub fn project_group(project: &str, role: &str) -> String {
    format!("{PROJECT_GROUPS}{project}:{role}")
}

/// Whether no role may have the name, since its group would be one of the hub's own.
#[must_use]
pub fn is_reserved(role: &str) -> bool {
    role.starts_with(RESERVED)
}

/// Whether an object of a tenant's cluster that bears our label is one of these; it stands only while it is wished.
#[must_use]
pub fn is_right(key: &Key) -> bool {
    let prefixes: &[&str] = match key.kind {
        Kind::ClusterRole => &[ROLES, INVENTORY],
        Kind::ClusterRoleBinding => &[CLUSTER_GROUPS, INVENTORY],
        Kind::RoleBinding => &[PROJECT_GROUPS],
        Kind::ResourceQuota => return key.name == QUOTA,
        _ => &[],
    };
    prefixes.iter().any(|prefix| key.name.starts_with(prefix))
}

/// Those of the roles that can be given.
fn given(rights: &Rights) -> impl Iterator<Item = &Arc<RoleRights>> {
    rights.roles.iter().filter(|role| !is_reserved(&role.name))
}

pub(super) fn add(wished: &mut Wished, rights: &Rights, standing: &BTreeSet<String>) {
    let roles: Vec<&Arc<RoleRights>> = given(rights).collect();
    wished.objects.push(cluster_role(INVENTORY, &inventory()));
    wished.objects.extend(roles.iter().map(|role| cluster_role(&role_name(&role.name), &rules(&role.rules))));
    let bound =
        |name: &str, role: &str, group: &str| binding(Kind::ClusterRoleBinding, "", name, role, group);
    wished.objects.push(bound(INVENTORY, INVENTORY, INVENTORY_GROUP));
    wished.objects.extend(roles.iter().map(|role| {
        let group = cluster_group(&role.name);
        bound(&group, &role_name(&role.name), &group)
    }));
    let names: Vec<&str> = roles.iter().map(|role| role.name.as_str()).collect();
    for project in &rights.projects {
        for namespace in project.namespaces.intersection(standing) {
            wished.objects.extend(project_objects(project, namespace, &names));
        }
    }
}

/// What gives the members of a project their roles in one of its namespaces, and limits what they use there.
pub fn project_objects(
    project: &ProjectRights,
    namespace: &str,
    roles: &[&str],
) -> impl Iterator<Item = Object> {
    let bindings = roles.iter().map(move |role| {
        let group = project_group(&project.name, role);
        binding(Kind::RoleBinding, namespace, &group, &role_name(role), &group)
    });
    let quota = (!project.quota.is_empty()).then(|| {
        let key = Key::new(Kind::ResourceQuota, namespace, QUOTA);
        object(key, json!({ "spec": { "hard": project.quota } }))
    });
    bindings.chain(quota)
}

/// What stands in an imported cluster from the beginning: the objects of roles, without projects, and the right of the
/// hub to bind these roles, and no others, in namespaces, and to limit what is used there. `groups_role` is the `ClusterRole` that says which groups of
/// projects the agent may act as.
#[must_use]
pub fn rights_objects(rights: &Rights, groups_role: &str) -> Vec<Value> {
    let mut wished = Wished::default();
    add(&mut wished, rights, &BTreeSet::new());
    let roles: Vec<String> = given(rights).map(|role| role_name(&role.name)).collect();
    wished.objects.push(cluster_role(RIGHTS, &binding_rules(&roles, groups_role)));
    wished.objects.push(binding(Kind::ClusterRoleBinding, "", RIGHTS, RIGHTS, RIGHTS_GROUP));
    wished.objects.into_iter().map(|object| object.body).collect()
}

/// The role that a `ClusterRole` of ours stands for.
#[must_use]
pub fn role_of(cluster_role: &str) -> Option<&str> {
    cluster_role.strip_prefix(ROLES).filter(|role| !role.is_empty())
}

/// Kubernetes lets nobody bind what they lack, but for the roles that are named here. To lengthen the list of groups
/// that the agent may act as needs `escalate`, on that one object; it is bound to the agent alone, which acts as
/// nobody's group but the hub's by itself.
fn binding_rules(bindable: &[String], groups_role: &str) -> Vec<Value> {
    let on = |resource: &str, verbs: &[&str]| json!({ "apiGroups": [RBAC], "resources": [resource], "verbs": verbs });
    let quotas =
        |verbs: &[&str]| json!({ "apiGroups": [""], "resources": ["resourcequotas"], "verbs": verbs });
    let mut own_quota = quotas(&["patch", "delete"]);
    own_quota["resourceNames"] = json!([QUOTA]);
    let named = |names: &[String], verbs: &[&str]| {
        let mut rule = on("clusterroles", verbs);
        rule["resourceNames"] = json!(names);
        rule
    };
    let mut rules = vec![
        on("rolebindings", &["list", "create", "patch", "delete"]),
        on("clusterroles", &["list"]),
        // What is made has no name yet to Kubernetes, which heeds names only of what is changed.
        quotas(&["list", "create"]),
        own_quota,
        named(&[groups_role.to_owned()], &["get", "patch", "escalate"]),
    ];
    // A rule without names would allow all of them.
    rules.extend((!bindable.is_empty()).then(|| named(bindable, &["bind"])));
    rules
}

fn role_name(role: &str) -> String {
    format!("{ROLES}{role}")
}

fn cluster_role(name: &str, rules: &[Value]) -> Object {
    object(Key::new(Kind::ClusterRole, "", name), json!({ "rules": rules }))
}

fn binding(kind: Kind, namespace: &str, name: &str, role: &str, to: &str) -> Object {
    let role = json!({ "apiGroup": RBAC, "kind": "ClusterRole", "name": role });
    object(Key::new(kind, namespace, name), json!({ "roleRef": role, "subjects": [group(to)] }))
}

fn object(key: Key, fields: Value) -> Object {
    Object::new(Part::Hub, key, fields).labelled([(labels::HUB, labels::HUB_VALUE)])
}

fn inventory() -> [Value; 2] {
    [
        json!({ "apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"] }),
        json!({ "apiGroups": ["metrics.k8s.io"], "resources": ["nodes"], "verbs": ["get", "list"] }),
    ]
}

/// The rules as Kubernetes has them. One without verbs, groups or resources allows nothing, and the API server
/// would refuse the whole role for it.
fn rules(rules: &[RoleRule]) -> Vec<Value> {
    let means_something = |rule: &&RoleRule| {
        [&rule.verbs, &rule.api_groups, &rule.resources].into_iter().all(|words| !words.is_empty())
    };
    rules.iter().filter(means_something).flat_map(rule).collect()
}

fn rule(rule: &RoleRule) -> Vec<Value> {
    let mut own = json!({ "apiGroups": rule.api_groups, "resources": rule.resources, "verbs": rule.verbs });
    if !rule.resource_names.is_empty() {
        own["resourceNames"] = json!(rule.resource_names);
    }
    let all = |words: &[String]| words.iter().any(|word| word == ALL);
    let is_everything =
        all(&rule.verbs) && all(&rule.api_groups) && all(&rule.resources) && rule.resource_names.is_empty();
    let paths = is_everything.then(|| json!({ "nonResourceURLs": [ALL], "verbs": [ALL] }));
    [own].into_iter().chain(paths).collect()
}
