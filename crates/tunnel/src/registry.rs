//! All tenants that the tunnel knows, each with its agents.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::pool::Pool;
use crate::tenant::{ServerPair, Tenant};

/// Tenants and their agents, and the tunnel's own certificate. Clones share one state.
#[derive(Debug, Clone)]
pub struct Registry {
    state: Arc<RwLock<State>>,
    limits: Limits,
    metrics: Metrics,
}

#[derive(Debug, Default)]
struct State {
    tenants: HashMap<String, Entry>,
    own: Option<ServerPair>,
}

/// A tenant and its agents.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) pool: Arc<Pool>,
}

impl Registry {
    /// One that knows nobody.
    #[must_use]
    pub fn new(limits: Limits, metrics: Metrics) -> Self {
        Self { state: Arc::default(), limits, metrics }
    }

    /// Takes in a tenant, or what changed of it; agents that are connected stay.
    pub fn put(&self, tenant: Tenant) {
        let tenant = Arc::new(tenant);
        let (uid, name) = (tenant.uid.clone(), tenant.name.clone());
        self.write(|state| {
            let pool = state.tenants.get(&uid).map(|entry| Arc::clone(&entry.pool));
            let pool = pool.unwrap_or_else(|| Arc::new(Pool::new(name, self.limits, self.metrics.clone())));
            state.tenants.insert(uid, Entry { tenant, pool });
        });
    }

    /// Forgets a tenant: its agents are disconnected and its streams end.
    pub fn remove(&self, uid: &str) {
        if let Some(entry) = self.write(|state| state.tenants.remove(uid)) {
            entry.pool.close();
        }
    }

    /// Forgets all tenants but these.
    pub(crate) fn retain(&self, uids: &BTreeSet<String>) {
        let gone = self.read(|state| {
            let all = state.tenants.keys();
            all.filter(|uid| !uids.contains(*uid)).cloned().collect::<Vec<_>>()
        });
        for uid in &gone {
            self.remove(uid);
        }
    }

    /// Takes the tunnel's own certificate; connections that stand keep the earlier one.
    pub fn set_own(&self, pair: ServerPair) {
        self.write(|state| state.own = Some(pair));
    }

    pub(crate) fn own(&self) -> Option<ServerPair> {
        self.read(|state| state.own.clone())
    }

    pub(crate) fn find(&self, uid: &str) -> Option<Entry> {
        self.read(|state| state.tenants.get(uid).cloned())
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    // The lock is held for a look-up, never across a wait; a thread that panicked left no half-done state.
    fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.write().unwrap_or_else(PoisonError::into_inner))
    }
}
