//! Tenants: a tree of organisations, each with a namespace for its control planes and a quota that holds for all
//! below it.
//!
//! ```text
//!  Tenants ──► Forest ──┬──► choices, quota ──► admission of control planes (every replica)
//!  control planes ──────┘         ▲
//!                             Ledger: what was granted and may not be seen yet (one for each tree)
//!  Tenants ──► reconcile ──► namespace, suspension, leaving, status (the leader)
//!  nodes ────► Workers ────► whether one more may join (the leader)
//! ```

mod admission;
mod clusters;
mod demand;
mod forest;
mod ledger;
mod namespace;
mod quota;
mod reconcile;
mod status;
mod verdict;
mod workers;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use api::{Tenant, TenantControlPlane};
use kube::runtime::reflector::{ObjectRef, Store};

pub(crate) use admission::{VALIDATE_PATH, faults};
pub(crate) use demand::trim;
pub(crate) use forest::Forest;
pub(crate) use quota::Gate;
pub(crate) use reconcile::run;
pub(crate) use workers::Workers;

use demand::Demands;

/// The tenants and control planes as caches show them.
#[derive(Clone)]
pub(crate) struct View {
    tenants: Store<Tenant>,
    clusters: Store<TenantControlPlane>,
    forest: Arc<Mutex<Option<Arc<Forest>>>>,
}

impl View {
    pub(crate) fn new(tenants: Store<Tenant>, clusters: Store<TenantControlPlane>) -> Self {
        Self { tenants, clusters, forest: Arc::default() }
    }

    /// A tenant changed: the tree is read anew when it is asked for next.
    pub(crate) fn changed(&self) {
        *self.forest.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The tree of now.
    pub(crate) fn forest(&self) -> Arc<Forest> {
        let mut known = self.forest.lock().unwrap_or_else(PoisonError::into_inner);
        let read = || Arc::new(Forest::new(self.tenants.state().iter().map(AsRef::as_ref)));
        known.get_or_insert_with(read).clone()
    }

    /// What all control planes of tenants take.
    fn demands(&self, forest: &Forest) -> Demands {
        demand::of_all(forest, self.clusters.state().iter().map(AsRef::as_ref))
    }

    /// A control plane.
    fn cluster(&self, namespace: &str, name: &str) -> Option<Arc<TenantControlPlane>> {
        self.clusters.get(&ObjectRef::new(name).within(namespace))
    }

    /// All control planes.
    fn clusters(&self) -> Vec<Arc<TenantControlPlane>> {
        self.clusters.state()
    }

    /// All control planes, by namespace.
    fn clusters_by_namespace(&self) -> HashMap<String, Vec<Arc<TenantControlPlane>>> {
        let mut found: HashMap<String, Vec<_>> = HashMap::new();
        for cluster in self.clusters() {
            found.entry(cluster.metadata.namespace.clone().unwrap_or_default()).or_default().push(cluster);
        }
        found
    }
}
