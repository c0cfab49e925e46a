//! Who may do what, as the caches show it now: put together when something changed and is asked for next.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use api::{Cluster, Grant, GrantScope, Project, Role, RoleRule, Tenant, TenantControlPlane, User};
use authz::{Policy, Rule, Scope, Tree, Who, builtin_roles};
use kube::ResourceExt;
use tokio::sync::watch;

use crate::caches::{Caches, hosted_id, imported_id};

/// Facts of one moment.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    /// Roles and grants, and where everything stands.
    pub(crate) policy: Policy,
    /// What is said of users.
    pub(crate) users: HashMap<String, api::UserSpec>,
    /// Whose namespaces of the management cluster are.
    pub(crate) namespaces: HashMap<String, String>,
    /// Which tenant each cluster belongs to.
    pub(crate) clusters: HashMap<String, Option<String>>,
}

impl Snapshot {
    /// Whether there is such a user, and nobody has disabled it.
    pub(crate) fn is_active(&self, user: &str) -> bool {
        self.users.get(user).is_some_and(|user| !user.disabled)
    }

    /// The tenant that a user is of.
    pub(crate) fn home(&self, user: &str) -> Option<&str> {
        self.users.get(user)?.tenant.as_deref()
    }
}

/// The facts of now.
#[derive(Clone)]
pub(crate) struct Index {
    caches: Caches,
    current: Arc<Mutex<Option<Arc<Snapshot>>>>,
    changes: watch::Sender<()>,
}

impl Index {
    pub(crate) fn new(caches: Caches) -> Self {
        Self { caches, current: Arc::default(), changes: watch::Sender::new(()) }
    }

    /// The facts as the caches show them.
    pub(crate) fn now(&self) -> Arc<Snapshot> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.get_or_insert_with(|| Arc::new(read(&self.caches))).clone()
    }

    /// Something changed that facts are made of.
    pub(crate) fn changed(&self) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.changes.send_replace(());
    }

    /// Tells whenever facts may have changed.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// A cluster changed; it matters only if it is new, gone or somebody else's.
    pub(crate) fn cluster_changed(&self, id: &str, is_there: bool, tenant: Option<&str>) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let known = current.as_ref().and_then(|snapshot| snapshot.clusters.get(id));
        let is_same = known.map(Option::as_deref) == is_there.then_some(tenant);
        if !is_same {
            *current = None;
            self.changes.send_replace(());
        }
    }
}

fn read(caches: &Caches) -> Snapshot {
    let namespaces = namespaces(&caches.tenants.state());
    let clusters = clusters(&caches.hosted.state(), &caches.imported.state(), &namespaces);
    let mut tree = Tree::default();
    for tenant in caches.tenants.state() {
        tree.add_tenant(&tenant.name_any(), tenant.spec.parent.as_deref());
    }
    for (id, tenant) in &clusters {
        // A cluster of nobody stands below no tenant.
        tree.add_cluster(id, tenant.as_deref().unwrap_or_default());
    }
    add_projects(&mut tree, &caches.projects.state());
    let custom = caches.roles.state();
    let roles = custom.iter().map(|role| to_role(role)).chain(builtin_roles());
    let grants: Vec<_> = caches.grants.state().iter().filter_map(|grant| to_grant(grant)).collect();
    let users =
        caches.users.state().iter().map(|user: &Arc<User>| (user.name_any(), user.spec.clone())).collect();
    Snapshot { policy: Policy::new(tree, roles, grants), users, namespaces, clusters }
}

/// Namespaces that belong to tenants, as their status says.
fn namespaces(tenants: &[Arc<Tenant>]) -> HashMap<String, String> {
    let own = tenants.iter().filter_map(|tenant| {
        let namespace = tenant.status.as_ref()?.namespace.clone()?;
        Some((namespace, tenant.name_any()))
    });
    own.collect()
}

fn clusters(
    hosted: &[Arc<TenantControlPlane>],
    imported: &[Arc<Cluster>],
    namespaces: &HashMap<String, String>,
) -> HashMap<String, Option<String>> {
    let hosted = hosted.iter().map(|control_plane| {
        let tenant = namespaces.get(&control_plane.namespace().unwrap_or_default()).cloned();
        (hosted_id(control_plane).to_string(), tenant)
    });
    let imported =
        imported.iter().map(|cluster| (imported_id(cluster).to_string(), cluster.spec.tenant.clone()));
    hosted.chain(imported).collect()
}

/// Older projects come last: a namespace that two name is the older one's.
fn add_projects(tree: &mut Tree, projects: &[Arc<Project>]) {
    let mut projects: Vec<&Arc<Project>> = projects.iter().collect();
    projects.sort_by_key(|project| (project.creation_timestamp(), project.name_any()));
    for project in &projects {
        tree.add_project(&project.name_any(), &project.spec.tenant);
    }
    for project in projects.into_iter().rev() {
        for part in &project.spec.namespaces {
            tree.add_namespace(&part.cluster, &part.namespace, &project.name_any());
        }
    }
}

/// A role as decisions know it.
pub(crate) fn to_role(role: &Role) -> authz::Role {
    let rules = |rules: &[RoleRule]| rules.iter().map(to_rule).collect();
    authz::Role { name: role.name_any(), hub: rules(&role.spec.hub), cluster: rules(&role.spec.cluster) }
}

fn to_rule(rule: &RoleRule) -> Rule {
    // The core group is meant where none is named, which is that of the hub's objects too.
    let groups = if rule.api_groups.is_empty() { vec![String::new()] } else { rule.api_groups.clone() };
    Rule {
        verbs: rule.verbs.clone(),
        groups,
        resources: rule.resources.clone(),
        names: rule.resource_names.clone(),
    }
}

/// A grant as decisions know it; nothing if it names nobody or no place.
pub(crate) fn to_grant(grant: &Grant) -> Option<authz::Grant> {
    let spec = &grant.spec;
    let who = match (&spec.user, &spec.group) {
        (Some(user), None) => Who::User(user.clone()),
        (None, Some(group)) => Who::Group(group.clone()),
        _ => return None,
    };
    Some(authz::Grant { name: grant.name_any(), who, role: spec.role.clone(), scope: to_scope(&spec.scope)? })
}

/// A scope as decisions know it; nothing if it names no place or several.
pub(crate) fn to_scope(scope: &GrantScope) -> Option<Scope> {
    match (scope.platform, &scope.tenant, &scope.project, &scope.cluster) {
        (true, None, None, None) => Some(Scope::Platform),
        (false, Some(tenant), None, None) => Some(Scope::Tenant(tenant.clone())),
        (false, None, Some(project), None) => Some(Scope::Project(project.clone())),
        (false, None, None, Some(cluster)) => Some(Scope::Cluster(cluster.clone())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use api::{Grant, GrantScope, GrantSpec};
    use authz::{Scope, Who};

    use super::{to_grant, to_scope};

    #[test]
    fn a_grant_that_names_two_places_or_nobody_gives_nothing() {
        let tenant = GrantScope { tenant: Some("acme".to_owned()), ..GrantScope::default() };
        assert_eq!(to_scope(&tenant), Some(Scope::Tenant("acme".to_owned())));
        assert_eq!(to_scope(&GrantScope { platform: true, ..tenant.clone() }), None);
        assert_eq!(to_scope(&GrantScope::default()), None);
        let spec = |user: Option<&str>, group: Option<&str>| GrantSpec {
            user: user.map(str::to_owned),
            group: group.map(str::to_owned),
            role: "auditor".to_owned(),
            scope: tenant.clone(),
        };
        let read = |spec| to_grant(&Grant::new("g", spec)).map(|grant| grant.who);
        assert_eq!(read(spec(Some("olga"), None)), Some(Who::User("olga".to_owned())));
        assert_eq!(read(spec(Some("olga"), Some("corp:a"))), None);
        assert_eq!(read(spec(None, None)), None);
    }
}
