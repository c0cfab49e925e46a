//! Where things stand: tenants in a tree, clusters and projects in tenants, namespaces in projects.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Deepest nesting of tenants. What lies deeper, or in a ring, belongs to nobody but the platform.
pub const DEEPEST: usize = 32;

/// Where a grant holds, and below.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Everywhere.
    Platform,
    /// In a tenant and its descendants.
    Tenant(String),
    /// In the namespaces of a project.
    Project(String),
    /// In a cluster.
    Cluster(String),
}

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// The platform itself.
    Platform,
    /// A tenant.
    Tenant(&'a str),
    /// A project.
    Project(&'a str),
    /// A cluster as a whole.
    Cluster(&'a str),
    /// A namespace of a cluster.
    Namespace(&'a str, &'a str),
}

/// Which tenant, cluster, project and namespace stands where.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    parents: HashMap<String, Option<String>>,
    clusters: HashMap<String, String>,
    projects: HashMap<String, String>,
    namespaces: HashMap<String, HashMap<String, String>>,
}

impl Tree {
    /// Adds a tenant below another, or at the top.
    pub fn add_tenant(&mut self, tenant: &str, parent: Option<&str>) {
        self.parents.insert(tenant.to_owned(), parent.map(str::to_owned));
    }

    /// Adds a cluster of a tenant.
    pub fn add_cluster(&mut self, cluster: &str, tenant: &str) {
        self.clusters.insert(cluster.to_owned(), tenant.to_owned());
    }

    /// Adds a project of a tenant.
    pub fn add_project(&mut self, project: &str, tenant: &str) {
        self.projects.insert(project.to_owned(), tenant.to_owned());
    }

    /// Puts a namespace of a cluster into a project.
    pub fn add_namespace(&mut self, cluster: &str, namespace: &str, project: &str) {
        let of_cluster = self.namespaces.entry(cluster.to_owned()).or_default();
        of_cluster.insert(namespace.to_owned(), project.to_owned());
    }

    /// Whether a scope exists.
    #[must_use]
    pub fn has(&self, scope: &Scope) -> bool {
        match scope {
            Scope::Platform => true,
            Scope::Tenant(tenant) => self.parents.contains_key(tenant),
            Scope::Project(project) => self.projects.contains_key(project),
            Scope::Cluster(cluster) => self.clusters.contains_key(cluster),
        }
    }

    /// Whether a grant at `scope` holds for `place`. A place that is not known lies in the platform only.
    #[must_use]
    pub fn holds(&self, scope: &Scope, place: Place<'_>) -> bool {
        match (scope, place) {
            (Scope::Platform, _) => true,
            (Scope::Tenant(tenant), _) => {
                self.tenant_of(place).is_some_and(|own| self.is_within(own, tenant))
            }
            (Scope::Project(project), Place::Project(own)) => project == own && self.has(scope),
            (Scope::Project(project), Place::Namespace(cluster, namespace)) => {
                self.project_of(cluster, namespace).is_some_and(|own| own == project)
            }
            (Scope::Cluster(cluster), Place::Cluster(own) | Place::Namespace(own, _)) => {
                cluster == own && self.has(scope)
            }
            _ => false,
        }
    }

    /// The place that a scope is.
    #[must_use]
    pub fn place(scope: &Scope) -> Place<'_> {
        match scope {
            Scope::Platform => Place::Platform,
            Scope::Tenant(tenant) => Place::Tenant(tenant),
            Scope::Project(project) => Place::Project(project),
            Scope::Cluster(cluster) => Place::Cluster(cluster),
        }
    }

    /// The project of a namespace. It counts only where project and cluster belong to the same branch of the
    /// tree: a tenant shares its clusters with those below it, and looks after theirs, but cannot take in a
    /// namespace of somebody else's cluster.
    #[must_use]
    pub fn project_of(&self, cluster: &str, namespace: &str) -> Option<&str> {
        let project = self.namespaces.get(cluster)?.get(namespace)?;
        let (owner, host) = (self.projects.get(project)?, self.clusters.get(cluster)?);
        (self.is_within(owner, host) || self.is_within(host, owner)).then_some(project.as_str())
    }

    /// The tenant that a place belongs to.
    #[must_use]
    pub fn tenant_of<'a>(&'a self, place: Place<'a>) -> Option<&'a str> {
        match place {
            Place::Platform => None,
            Place::Tenant(tenant) => Some(tenant),
            Place::Project(project) => self.projects.get(project).map(String::as_str),
            Place::Cluster(cluster) | Place::Namespace(cluster, _) => {
                self.clusters.get(cluster).map(String::as_str)
            }
        }
    }

    /// Whether a project has namespaces in a cluster.
    #[must_use]
    pub fn is_in(&self, cluster: &str, project: &str) -> bool {
        let of_cluster = self.namespaces.get(cluster);
        let mut namespaces = of_cluster.into_iter().flat_map(HashMap::keys);
        namespaces.any(|namespace| self.project_of(cluster, namespace) == Some(project))
    }

    /// The projects that have namespaces in a cluster, each with its namespaces.
    #[must_use]
    pub fn projects_in(&self, cluster: &str) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut found = BTreeMap::<&str, BTreeSet<&str>>::new();
        for namespace in self.namespaces.get(cluster).into_iter().flat_map(HashMap::keys) {
            if let Some(project) = self.project_of(cluster, namespace) {
                found.entry(project).or_default().insert(namespace);
            }
        }
        found
    }

    /// The tenant of a place and those above it, up to the top. Nothing for tenants whose way up does not end.
    pub fn ancestry<'a>(&'a self, place: Place<'a>) -> impl Iterator<Item = &'a str> {
        let mut line = Vec::new();
        let mut own = self.tenant_of(place);
        while let Some(tenant) = own {
            let Some((tenant, parent)) = self.parents.get_key_value(tenant).filter(|_| line.len() < DEEPEST)
            else {
                return Vec::new().into_iter();
            };
            line.push(tenant.as_str());
            own = parent.as_deref();
        }
        line.into_iter()
    }

    /// Whether a tenant is another or one of its descendants.
    #[must_use]
    pub fn is_within(&self, tenant: &str, ancestor: &str) -> bool {
        self.ancestry(Place::Tenant(tenant)).any(|own| own == ancestor)
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, Scope, Tree};

    fn tree() -> Tree {
        let mut tree = Tree::default();
        for (tenant, parent) in [("acme", None), ("acme-dev", Some("acme")), ("globex", None)] {
            tree.add_tenant(tenant, parent);
        }
        tree.add_cluster("c-1", "acme");
        tree.add_cluster("c-2", "globex");
        tree.add_project("p-1", "acme-dev");
        tree.add_namespace("c-1", "shop", "p-1");
        tree.add_namespace("c-2", "vault", "p-1");
        tree
    }

    #[test]
    fn a_tenants_scope_reaches_down_and_not_up_or_sideways() {
        let tree = tree();
        let acme = Scope::Tenant("acme".to_owned());
        for place in [
            Place::Tenant("acme-dev"),
            Place::Cluster("c-1"),
            Place::Project("p-1"),
            Place::Namespace("c-1", "other"),
        ] {
            assert!(tree.holds(&acme, place), "{place:?}");
        }
        for place in
            [Place::Platform, Place::Tenant("globex"), Place::Cluster("c-2"), Place::Tenant("nobody")]
        {
            assert!(!tree.holds(&acme, place), "{place:?}");
        }
        assert!(!tree.holds(&Scope::Tenant("acme-dev".to_owned()), Place::Tenant("acme")));
        assert!(!tree.holds(&Scope::Tenant("acme-dev".to_owned()), Place::Cluster("c-1")));
    }

    #[test]
    fn a_project_reaches_its_namespaces_and_no_cluster() {
        let tree = tree();
        let project = Scope::Project("p-1".to_owned());
        assert!(tree.holds(&project, Place::Namespace("c-1", "shop")));
        assert!(!tree.holds(&project, Place::Namespace("c-1", "other")));
        assert!(!tree.holds(&project, Place::Cluster("c-1")));
    }

    #[test]
    fn a_namespace_of_a_foreign_cluster_is_in_no_project() {
        let tree = tree();
        assert_eq!(tree.project_of("c-2", "vault"), None);
        assert!(tree.projects_in("c-2").is_empty());
        assert_eq!(tree.projects_in("c-1"), [("p-1", ["shop"].into())].into());
        assert!(!tree.holds(&Scope::Project("p-1".to_owned()), Place::Namespace("c-2", "vault")));
        assert!(!tree.holds(&Scope::Tenant("acme".to_owned()), Place::Namespace("c-2", "vault")));
    }

    #[test]
    fn tenants_in_a_ring_belong_to_the_platform_only() {
        let mut tree = tree();
        tree.add_tenant("head", Some("tail"));
        tree.add_tenant("tail", Some("head"));
        assert!(!tree.holds(&Scope::Tenant("acme".to_owned()), Place::Tenant("head")));
        assert!(tree.holds(&Scope::Platform, Place::Tenant("head")));
    }
}
