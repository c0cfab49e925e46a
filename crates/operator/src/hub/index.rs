//! Which roles may be given in which hosted cluster, and which projects have namespaces there. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use api::{Project, Role, RoleRule, Tenant, hard_limits};
use authz::builtin_roles;
use desired::hub::cluster_id;
use desired::inside::{ProjectRights, Rights, RoleRights, is_reserved};
use kube::ResourceExt;

use crate::tenancy::Forest;

/// All roles and projects at a moment.
#[derive(Debug, Default)]
pub(super) struct Index {
    forest: Forest,
    /// Roles that may be given everywhere, and those of a tenant; by name.
    everywhere: Vec<Known>,
    of_tenants: HashMap<String, Vec<Known>>,
    /// Parts of projects by the id of the cluster, those of the oldest project first.
    projects: HashMap<String, Vec<Part>>,
}

/// A role and its fingerprint.
#[derive(Debug)]
struct Known {
    rights: Arc<RoleRights>,
    mark: u64,
}

impl Known {
    fn new(rights: RoleRights) -> Self {
        // Marks are compared with those of the same process only.
        let mark = hash(&format!("{rights:?}"));
        Self { rights: Arc::new(rights), mark }
    }
}

/// A namespace of a project.
#[derive(Debug)]
struct Part {
    tenant: String,
    project: String,
    namespace: String,
    quota: Arc<BTreeMap<String, String>>,
}

impl Index {
    pub(super) fn new<'a>(
        roles: impl IntoIterator<Item = &'a Role>,
        projects: impl IntoIterator<Item = &'a Project>,
        tenants: impl IntoIterator<Item = &'a Tenant>,
    ) -> Self {
        let everywhere = builtin().into_iter().map(Known::new).collect();
        let mut index = Self { forest: Forest::new(tenants), everywhere, ..Self::default() };
        let mut roles: Vec<&Role> = roles.into_iter().collect();
        roles.sort_by_key(|role| role.name_any());
        for role in roles {
            index.add_role(role);
        }
        let mut projects: Vec<&Project> = projects.into_iter().collect();
        projects.sort_by_key(|project| {
            (project.creation_timestamp().map(|created| created.0), project.name_any())
        });
        for project in projects {
            index.add_project(project);
        }
        index
    }

    /// The rights in one hosted cluster.
    pub(super) fn rights(&self, namespace: &str, name: &str) -> Rights {
        let line = self.line(namespace);
        let roles = self.roles(&line).map(|role| role.rights.clone()).collect();
        Rights { roles, projects: self.projects(&line, namespace, name) }
    }

    /// Tells rights from others without building them.
    pub(super) fn fingerprint(&self, namespace: &str, name: &str) -> u64 {
        let line = self.line(namespace);
        let marks: Vec<u64> = self.roles(&line).map(|role| role.mark).collect();
        hash(&(marks, self.projects(&line, namespace, name)))
    }

    /// The tenant of a namespace and those above it.
    fn line(&self, namespace: &str) -> Vec<&str> {
        self.forest.owner(namespace).map(|owner| self.forest.line(owner)).unwrap_or_default()
    }

    fn roles(&self, line: &[&str]) -> impl Iterator<Item = &Known> {
        let own = line.iter().filter_map(|tenant| self.of_tenants.get(*tenant)).flatten();
        self.everywhere.iter().chain(own)
    }

    /// Those of tenants in the same branch of the tree. Of two projects that name a namespace, the older has it.
    fn projects(&self, line: &[&str], namespace: &str, name: &str) -> Vec<ProjectRights> {
        let parts = self.projects.get(&cluster_id(namespace, name)).into_iter().flatten();
        let (mut taken, mut found) = (BTreeSet::new(), Vec::<ProjectRights>::new());
        let is_near = |tenant: &str| {
            let shares = |owner: &&str| self.forest.line(tenant).contains(owner);
            line.contains(&tenant) || line.first().is_some_and(shares)
        };
        for part in parts.filter(|part| is_near(&part.tenant)) {
            if !taken.insert(part.namespace.as_str()) {
                continue;
            }
            // Parts of one project follow each other.
            match found.last_mut().filter(|project| project.name == part.project) {
                Some(project) => drop(project.namespaces.insert(part.namespace.clone())),
                None => found.push(ProjectRights {
                    name: part.project.clone(),
                    namespaces: [part.namespace.clone()].into(),
                    quota: part.quota.as_ref().clone(),
                }),
            }
        }
        found
    }

    fn add_role(&mut self, role: &Role) {
        let name = role.name_any();
        // The schema refuses such names; one that is there all the same takes nobody's group.
        let is_taken = is_reserved(&name) || builtin_roles().iter().any(|builtin| builtin.name == name);
        if is_taken || role.spec.cluster.is_empty() {
            return;
        }
        let rights = Known::new(RoleRights { name, rules: role.spec.cluster.clone() });
        match &role.spec.tenant {
            Some(tenant) => self.of_tenants.entry(tenant.clone()).or_default().push(rights),
            None => self.everywhere.push(rights),
        }
    }

    fn add_project(&mut self, project: &Project) {
        let quota = Arc::new(hard_limits(&project.spec.quota));
        for place in &project.spec.namespaces {
            self.projects.entry(place.cluster.clone()).or_default().push(Part {
                tenant: project.spec.tenant.clone(),
                project: project.name_any(),
                namespace: place.namespace.clone(),
                quota: Arc::clone(&quota),
            });
        }
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn builtin() -> Vec<RoleRights> {
    let rule = |rule: authz::Rule| RoleRule {
        verbs: rule.verbs,
        api_groups: rule.groups,
        resources: rule.resources,
        resource_names: rule.names,
    };
    builtin_roles()
        .into_iter()
        .filter(|role| !role.cluster.is_empty())
        .map(|role| RoleRights { name: role.name, rules: role.cluster.into_iter().map(rule).collect() })
        .collect()
}

#[cfg(test)]
mod tests;
