//! Roles and grants, indexed by whom they name and where they hold, and what follows from them.

use std::collections::{BTreeSet, HashMap};

use crate::{Place, Plane, Request, Rule, Scope, Tree};

/// A set of rules with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its name, by which grants call it.
    pub name: String,
    /// What it allows with the hub's objects.
    pub hub: Vec<Rule>,
    /// What it allows inside clusters.
    pub cluster: Vec<Rule>,
}

impl Role {
    /// What it allows on a plane.
    #[must_use]
    pub fn rules(&self, plane: Plane) -> &[Rule] {
        match plane {
            Plane::Hub => &self.hub,
            Plane::Cluster => &self.cluster,
        }
    }
}

/// Whom a grant names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Who {
    /// A person or a machine, by the hub's own name for it.
    User(String),
    /// A group, by the hub's own name for it.
    Group(String),
}

/// Gives somebody a role somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its name.
    pub name: String,
    /// To whom.
    pub who: Who,
    /// Name of the role.
    pub role: String,
    /// Where.
    pub scope: Scope,
}

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The hub's own name for the person or machine.
    pub user: String,
    /// The groups that it is in now.
    pub groups: Vec<String>,
}

/// A grant that holds for somebody somewhere, and its role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding<'a> {
    /// The grant.
    pub grant: &'a Grant,
    /// The role that it gives.
    pub role: &'a Role,
}

/// What is answered to a request, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision<'a> {
    /// It is allowed by this.
    Allowed(Holding<'a>),
    /// Nothing allows it.
    Denied,
}

impl Decision<'_> {
    /// Whether it is allowed.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }
}

/// All roles and grants, and the tree that they hold in.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    tree: Tree,
    roles: HashMap<String, Role>,
    grants: Vec<Grant>,
    users: HashMap<String, ByScope>,
    groups: HashMap<String, ByScope>,
}

/// Positions of the grants of one user or group.
#[derive(Clone, Debug, Default)]
struct ByScope {
    platform: Vec<usize>,
    tenants: HashMap<String, Vec<usize>>,
    projects: HashMap<String, Vec<usize>>,
    clusters: HashMap<String, Vec<usize>>,
}

impl ByScope {
    fn add(&mut self, scope: &Scope, position: usize) {
        let positions = match scope {
            Scope::Platform => &mut self.platform,
            Scope::Tenant(tenant) => self.tenants.entry(tenant.clone()).or_default(),
            Scope::Project(project) => self.projects.entry(project.clone()).or_default(),
            Scope::Cluster(cluster) => self.clusters.entry(cluster.clone()).or_default(),
        };
        positions.push(position);
    }

    fn at(&self, step: Place<'_>) -> &[usize] {
        let found = match step {
            Place::Platform => Some(&self.platform),
            Place::Tenant(tenant) => self.tenants.get(tenant),
            Place::Project(project) => self.projects.get(project),
            Place::Cluster(cluster) => self.clusters.get(cluster),
            Place::Namespace(..) => None,
        };
        found.map(Vec::as_slice).unwrap_or_default()
    }

    fn all(&self) -> impl Iterator<Item = usize> {
        let others = [&self.tenants, &self.projects, &self.clusters];
        let others = others.into_iter().flat_map(|by_name| by_name.values().flatten());
        self.platform.iter().chain(others).copied()
    }
}

impl Policy {
    /// Puts everything together. A grant whose role is not there allows nothing until it is.
    #[must_use]
    pub fn new(
        tree: Tree,
        roles: impl IntoIterator<Item = Role>,
        grants: impl IntoIterator<Item = Grant>,
    ) -> Self {
        let roles = roles.into_iter().map(|role| (role.name.clone(), role)).collect();
        let mut policy = Self { tree, roles, ..Self::default() };
        for (position, grant) in grants.into_iter().enumerate() {
            let by_scope = match &grant.who {
                Who::User(user) => policy.users.entry(user.clone()).or_default(),
                Who::Group(group) => policy.groups.entry(group.clone()).or_default(),
            };
            by_scope.add(&grant.scope, position);
            policy.grants.push(grant);
        }
        policy
    }

    /// Where everything stands.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// A role by its name.
    #[must_use]
    pub fn role(&self, name: &str) -> Option<&Role> {
        self.roles.get(name)
    }

    /// Whether somebody may do something somewhere, and by which grant.
    #[must_use]
    pub fn may(&self, subject: &Subject, request: &Request<'_>, place: Place<'_>) -> Decision<'_> {
        let allows =
            |holding: &Holding<'_>| holding.role.rules(request.plane).iter().any(|rule| rule.allows(request));
        self.holdings(subject, place).find(allows).map_or(Decision::Denied, Decision::Allowed)
    }

    /// Whether somebody may do something with a cluster, in all of it or in a project that has namespaces there.
    #[must_use]
    pub fn may_within(&self, subject: &Subject, request: &Request<'_>, cluster: &str) -> Decision<'_> {
        let wide = self.may(subject, request, Place::Cluster(cluster));
        if wide.is_allowed() {
            return wide;
        }
        let allows =
            |holding: &Holding<'_>| holding.role.rules(request.plane).iter().any(|rule| rule.allows(request));
        self.in_projects(subject, cluster)
            .map(|(_, holding)| holding)
            .find(allows)
            .map_or(wide, Decision::Allowed)
    }

    /// The scopes of all grants that allow somebody something.
    pub fn allowed_at<'own: 'asked, 'asked>(
        &'own self,
        subject: &'asked Subject,
        request: &'asked Request<'asked>,
    ) -> impl Iterator<Item = &'own Scope> {
        let held = self.indexes(subject).flat_map(ByScope::all).filter_map(|position| self.holding(position));
        let allows =
            |holding: &Holding<'_>| holding.role.rules(request.plane).iter().any(|rule| rule.allows(request));
        held.filter(allows).map(|holding| &holding.grant.scope)
    }

    /// All that holds for somebody somewhere, those at the narrowest scope first.
    pub fn holdings<'own: 'asked, 'asked>(
        &'own self,
        subject: &'asked Subject,
        place: Place<'asked>,
    ) -> impl Iterator<Item = Holding<'own>> {
        self.steps(place).into_iter().flat_map(move |step| {
            self.indexes(subject)
                .flat_map(move |index| index.at(step).iter())
                .filter_map(move |position| self.holding(*position))
        })
    }

    /// All grants that hold somewhere, whomever they name, in no order.
    #[must_use]
    pub fn members(&self, place: Place<'_>) -> Vec<Holding<'_>> {
        let steps = self.steps(place);
        let everybody = self.users.values().chain(self.groups.values());
        everybody
            .flat_map(|index| steps.iter().flat_map(|step| index.at(*step)))
            .filter_map(|position| self.holding(*position))
            .collect()
    }

    /// Whether somebody holds anything at or below a place: only then may its existence be known.
    #[must_use]
    pub fn sees(&self, subject: &Subject, place: Place<'_>) -> bool {
        self.holdings(subject, place).next().is_some() || self.holds_below(subject, place)
    }

    /// Names of the groups by which a cluster knows somebody's roles: `flotilla:cluster:ROLE` for those that hold
    /// in all of it, `flotilla:project:PROJECT:ROLE` for those of a project with namespaces there.
    #[must_use]
    pub fn cluster_groups(&self, subject: &Subject, cluster: &str) -> BTreeSet<String> {
        let wide = self.holdings(subject, Place::Cluster(cluster));
        let mut groups: BTreeSet<String> =
            wide.map(|holding| format!("flotilla:cluster:{}", holding.role.name)).collect();
        let narrow = self.in_projects(subject, cluster);
        groups.extend(
            narrow.map(|(project, holding)| format!("flotilla:project:{project}:{}", holding.role.name)),
        );
        groups
    }

    /// What holds for somebody in projects that have namespaces in a cluster.
    fn in_projects<'own: 'asked, 'asked>(
        &'own self,
        subject: &'asked Subject,
        cluster: &'asked str,
    ) -> impl Iterator<Item = (&'own str, Holding<'own>)> {
        let of_projects = self.indexes(subject).flat_map(|index| &index.projects);
        of_projects.filter(move |(project, _)| self.tree.is_in(cluster, project)).flat_map(
            move |(project, positions)| {
                positions
                    .iter()
                    .filter_map(move |position| Some((project.as_str(), self.holding(*position)?)))
            },
        )
    }

    /// From a place up to the platform. What is unknown stands nowhere.
    fn steps<'a>(&'a self, place: Place<'a>) -> Vec<Place<'a>> {
        let mut steps = Vec::new();
        let mut known = true;
        match place {
            Place::Platform | Place::Tenant(_) => {}
            Place::Namespace(cluster, namespace) => {
                steps.extend(self.tree.project_of(cluster, namespace).map(Place::Project));
                known = self.tree.tenant_of(place).is_some();
                steps.extend(known.then_some(Place::Cluster(cluster)));
            }
            Place::Project(_) | Place::Cluster(_) => {
                known = self.tree.tenant_of(place).is_some();
                steps.extend(known.then_some(place));
            }
        }
        if known {
            steps.extend(self.tree.ancestry(place).map(Place::Tenant));
        }
        steps.push(Place::Platform);
        steps
    }

    fn holds_below(&self, subject: &Subject, place: Place<'_>) -> bool {
        let mut held =
            self.indexes(subject).flat_map(ByScope::all).filter_map(|position| self.holding(position));
        match place {
            Place::Platform => held.next().is_some(),
            Place::Tenant(tenant) => held.any(|holding| {
                let scope = Tree::place(&holding.grant.scope);
                self.tree.tenant_of(scope).is_some_and(|own| self.tree.is_within(own, tenant))
            }),
            Place::Cluster(cluster) => held.any(
                |holding| matches!(&holding.grant.scope, Scope::Project(project) if self.tree.is_in(cluster, project)),
            ),
            Place::Project(_) | Place::Namespace(..) => false,
        }
    }

    fn indexes<'own: 'asked, 'asked>(
        &'own self,
        subject: &'asked Subject,
    ) -> impl Iterator<Item = &'own ByScope> {
        let of_groups = subject.groups.iter().filter_map(|group| self.groups.get(group));
        self.users.get(&subject.user).into_iter().chain(of_groups)
    }

    fn holding(&self, position: usize) -> Option<Holding<'_>> {
        let grant = self.grants.get(position)?;
        Some(Holding { grant, role: self.roles.get(&grant.role)? })
    }
}
