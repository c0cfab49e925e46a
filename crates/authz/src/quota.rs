//! How much tenants may have: what one and all below it have together stays within the limits of each above it.

use std::collections::HashMap;
use std::ops::Add;

use crate::{Place, Tree};

/// Something that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Hosted and imported clusters.
    Clusters,
    /// Pods of control planes.
    ControlPlaneReplicas,
    /// Requested CPU of control planes, in thousandths.
    Cpu,
    /// Requested memory of control planes, in bytes.
    Memory,
    /// Workers.
    Workers,
}

/// All that is counted.
pub const KINDS: [Kind; 5] =
    [Kind::Clusters, Kind::ControlPlaneReplicas, Kind::Cpu, Kind::Memory, Kind::Workers];

/// An amount of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// [`Kind::Clusters`].
    pub clusters: u64,
    /// [`Kind::ControlPlaneReplicas`].
    pub control_plane_replicas: u64,
    /// [`Kind::Cpu`].
    pub cpu_millis: u64,
    /// [`Kind::Memory`].
    pub memory_bytes: u64,
    /// [`Kind::Workers`].
    pub workers: u64,
}

impl Amounts {
    /// The amount of one kind.
    #[must_use]
    pub fn of(&self, kind: Kind) -> u64 {
        match kind {
            Kind::Clusters => self.clusters,
            Kind::ControlPlaneReplicas => self.control_plane_replicas,
            Kind::Cpu => self.cpu_millis,
            Kind::Memory => self.memory_bytes,
            Kind::Workers => self.workers,
        }
    }
}

impl Add for Amounts {
    type Output = Self;

    /// Saturates, so that no sum is ever too small.
    fn add(self, other: Self) -> Self {
        Self {
            clusters: self.clusters.saturating_add(other.clusters),
            control_plane_replicas: self.control_plane_replicas.saturating_add(other.control_plane_replicas),
            cpu_millis: self.cpu_millis.saturating_add(other.cpu_millis),
            memory_bytes: self.memory_bytes.saturating_add(other.memory_bytes),
            workers: self.workers.saturating_add(other.workers),
        }
    }
}

/// What a tenant and all below it may have. What is not there is limited from above only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    amounts: HashMap<Kind, u64>,
    /// Versions of Kubernetes, such as `v1.36` or `v1.36.3`; any if empty.
    pub versions: Vec<String>,
    /// DataStores; any if empty.
    pub data_stores: Vec<String>,
}

impl Limits {
    /// Limits the amount of a kind.
    #[must_use]
    pub fn with(mut self, kind: Kind, limit: u64) -> Self {
        self.amounts.insert(kind, limit);
        self
    }

    /// Whether any amount is limited.
    #[must_use]
    pub fn has_amounts(&self) -> bool {
        !self.amounts.is_empty()
    }

    /// The limit of a kind.
    #[must_use]
    pub fn of(&self, kind: Kind) -> Option<u64> {
        self.amounts.get(&kind).copied()
    }
}

/// Which limit does not leave the room that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// The tenant whose limit it is.
    pub tenant: String,
    /// What there is too much of.
    pub kind: Kind,
    /// The limit.
    pub limit: u64,
    /// What the tenant and all below it have already.
    pub used: u64,
    /// What is asked for beside it.
    pub asked: u64,
}

/// Something that a tenant may not choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAllowed {
    /// The tenant that forbids it.
    pub tenant: String,
    /// What that tenant allows.
    pub allowed: Vec<String>,
}

/// Limits of all tenants, and what each has by itself.
#[derive(Clone, Debug, Default)]
pub struct Quotas {
    /// Limits by tenant.
    pub limits: HashMap<String, Limits>,
    /// What tenants have, without those below them.
    pub own: HashMap<String, Amounts>,
}

impl Quotas {
    /// What a tenant and all below it have.
    #[must_use]
    pub fn used(&self, tree: &Tree, tenant: &str) -> Amounts {
        let below = self.own.iter().filter(|(own, _)| tree.is_within(own, tenant));
        below.fold(Amounts::default(), |sum, (_, amounts)| sum + *amounts)
    }

    /// Whether a tenant may have `more` beside what it has. Only what grows is looked at: who is above a limit
    /// may have less, and as much as now.
    ///
    /// # Errors
    /// The limit nearest to the tenant that leaves no room.
    pub fn admit(&self, tree: &Tree, tenant: &str, more: &Amounts) -> Result<(), Exceeded> {
        for above in tree.ancestry(Place::Tenant(tenant)) {
            let Some(limits) = self.limits.get(above).filter(|limits| !limits.amounts.is_empty()) else {
                continue;
            };
            let used = self.used(tree, above);
            for kind in KINDS.into_iter().filter(|kind| more.of(*kind) > 0) {
                let (used, asked) = (used.of(kind), more.of(kind));
                if let Some(limit) =
                    limits.amounts.get(&kind).filter(|limit| used.saturating_add(asked) > **limit)
                {
                    return Err(Exceeded { tenant: above.to_owned(), kind, limit: *limit, used, asked });
                }
            }
        }
        Ok(())
    }

    /// Whether a tenant and all above it allow a version of Kubernetes, such as `v1.36.3`.
    ///
    /// # Errors
    /// The nearest tenant that does not.
    pub fn admit_version(&self, tree: &Tree, tenant: &str, version: &str) -> Result<(), NotAllowed> {
        self.admit_choice(
            tree,
            tenant,
            |limits| &limits.versions,
            |allowed| {
                version.strip_prefix(allowed).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            },
        )
    }

    /// Whether a tenant and all above it allow a DataStore.
    ///
    /// # Errors
    /// The nearest tenant that does not.
    pub fn admit_data_store(&self, tree: &Tree, tenant: &str, store: &str) -> Result<(), NotAllowed> {
        self.admit_choice(tree, tenant, |limits| &limits.data_stores, |allowed| store == allowed)
    }

    fn admit_choice(
        &self,
        tree: &Tree,
        tenant: &str,
        choices: impl Fn(&Limits) -> &Vec<String>,
        is_chosen: impl Fn(&str) -> bool,
    ) -> Result<(), NotAllowed> {
        for above in tree.ancestry(Place::Tenant(tenant)) {
            let Some(allowed) = self.limits.get(above).map(&choices).filter(|allowed| !allowed.is_empty())
            else {
                continue;
            };
            if !allowed.iter().any(|allowed| is_chosen(allowed)) {
                return Err(NotAllowed { tenant: above.to_owned(), allowed: allowed.clone() });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Amounts, Exceeded, Kind, Limits, Quotas};
    use crate::Tree;

    fn world() -> (Tree, Quotas) {
        let mut tree = Tree::default();
        tree.add_tenant("acme", None);
        tree.add_tenant("dev", Some("acme"));
        tree.add_tenant("qa", Some("acme"));
        let clusters = |count| Amounts { clusters: count, ..Amounts::default() };
        let quotas = Quotas {
            limits: [
                ("acme".to_owned(), Limits::default().with(Kind::Clusters, 5)),
                (
                    "dev".to_owned(),
                    Limits {
                        versions: vec!["v1.36".to_owned()],
                        ..Limits::default().with(Kind::Clusters, 10)
                    },
                ),
            ]
            .into(),
            own: [
                ("acme".to_owned(), clusters(1)),
                ("dev".to_owned(), clusters(2)),
                ("qa".to_owned(), clusters(1)),
            ]
            .into(),
        };
        (tree, quotas)
    }

    #[test]
    fn the_limit_of_a_tenant_above_counts_for_all_below() {
        let (tree, quotas) = world();
        let one = Amounts { clusters: 1, ..Amounts::default() };
        assert_eq!(quotas.admit(&tree, "dev", &one), Ok(()));
        let two = Amounts { clusters: 2, ..Amounts::default() };
        let exceeded =
            Exceeded { tenant: "acme".to_owned(), kind: Kind::Clusters, limit: 5, used: 4, asked: 2 };
        assert_eq!(quotas.admit(&tree, "dev", &two), Err(exceeded));
    }

    #[test]
    fn who_is_above_a_limit_may_have_less_and_other_things() {
        let (tree, mut quotas) = world();
        quotas.limits.insert("acme".to_owned(), Limits::default().with(Kind::Clusters, 1));
        assert_eq!(quotas.admit(&tree, "qa", &Amounts::default()), Ok(()));
        assert_eq!(quotas.admit(&tree, "qa", &Amounts { workers: 7, ..Amounts::default() }), Ok(()));
        assert!(quotas.admit(&tree, "qa", &Amounts { clusters: 1, ..Amounts::default() }).is_err());
    }

    #[test]
    fn a_minor_version_allows_its_patches_and_no_other() {
        let (tree, quotas) = world();
        for version in ["v1.36", "v1.36.3"] {
            assert_eq!(quotas.admit_version(&tree, "dev", version), Ok(()), "{version}");
        }
        for version in ["v1.35.4", "v1.360.1", "v1.3"] {
            assert!(quotas.admit_version(&tree, "dev", version).is_err(), "{version}");
        }
        assert_eq!(quotas.admit_version(&tree, "qa", "v1.35.4"), Ok(()));
    }

    #[test]
    fn no_sum_overflows() {
        let (tree, mut quotas) = world();
        quotas.own.insert("qa".to_owned(), Amounts { clusters: u64::MAX, ..Amounts::default() });
        assert!(quotas.admit(&tree, "dev", &Amounts { clusters: u64::MAX, ..Amounts::default() }).is_err());
    }
}
