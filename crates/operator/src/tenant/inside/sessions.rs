//! One connection to each tenant that runs, and what was learnt through it. None to a tenant that sleeps.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::names::FIELD_MANAGER;
use desired::inside::{Kind, OPERATOR_USER};
use kubekit::{ClientError, Endpoint, Remote, shared_client_for_kubeconfig};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;

use super::known::Known;
use super::{namespaces, requests, watches};
use crate::controllers::TenantRef;
use crate::joining::Approver;

/// The sessions of this process.
pub(crate) struct Sessions {
    wake: UnboundedSender<TenantRef>,
    approver: Approver,
    open: Mutex<HashMap<String, Arc<Session>>>,
}

/// What a tenant is reached by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Access {
    pub(super) kubeconfig: String,
    pub(super) url: String,
    pub(super) server_name: String,
}

/// A connection to a tenant's API server. What watches learn wakes the tenant's reconcile.
pub(super) struct Session {
    access: Access,
    remote: Remote,
    waker: Waker,
    known: Arc<Mutex<Known>>,
    watches: Mutex<HashMap<Kind, JoinSet<()>>>,
    namespaces: Mutex<JoinSet<()>>,
    approver: Approver,
    requests: Mutex<JoinSet<()>>,
}

/// Asks for a pass over one tenant.
#[derive(Clone)]
pub(super) struct Waker {
    wake: UnboundedSender<TenantRef>,
    tenant: TenantRef,
}

impl Waker {
    pub(super) fn wake(&self) {
        // A closed channel means that the controller stops.
        let _ = self.wake.send(self.tenant.clone());
    }
}

impl Sessions {
    /// None open yet; they ask for passes through `wake`, and have nodes' requests decided by `approver`.
    pub(crate) fn new(wake: UnboundedSender<TenantRef>, approver: Approver) -> Self {
        Self { wake, approver, open: Mutex::default() }
    }

    /// The way to a tenant whose cluster has all that joining needs.
    pub(crate) fn joinable(&self, uid: &str) -> Option<Remote> {
        let session = lock(&self.open).get(uid).cloned()?;
        let is_joinable = !lock(&session.requests).is_empty();
        is_joinable.then(|| session.remote.clone())
    }

    /// Ends the session with a tenant that is gone, asleep or not ready.
    pub(crate) fn end(&self, uid: &str) {
        lock(&self.open).remove(uid);
    }

    /// The session with a tenant; a new one if there is none or the tenant is reached otherwise now. A new
    /// one takes the occasion to end those with tenants that are no longer among the `living`, which
    /// happens to those that nobody told us the end of.
    pub(super) async fn with(
        &self,
        uid: &str,
        tenant: TenantRef,
        access: Access,
        living: impl FnOnce() -> HashSet<String>,
    ) -> Result<Arc<Session>, ClientError> {
        let open = lock(&self.open).get(uid).filter(|open| open.access == access).cloned();
        if let Some(open) = open {
            return Ok(open);
        }
        let endpoint = Endpoint { url: access.url.clone(), server_name: access.server_name.clone() };
        let client = shared_client_for_kubeconfig(&access.kubeconfig, &endpoint, OPERATOR_USER).await?;
        let session = Arc::new(Session {
            access,
            remote: Remote::new(client, FIELD_MANAGER),
            waker: Waker { wake: self.wake.clone(), tenant },
            known: Arc::default(),
            watches: Mutex::default(),
            namespaces: Mutex::default(),
            approver: self.approver.clone(),
            requests: Mutex::default(),
        });
        let living = living();
        let mut open = lock(&self.open);
        open.retain(|uid, _| living.contains(uid));
        open.insert(uid.to_owned(), session.clone());
        Ok(session)
    }
}

impl Session {
    pub(super) fn remote(&self) -> &Remote {
        &self.remote
    }

    pub(super) fn waker(&self) -> &Waker {
        &self.waker
    }

    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        lock(&self.known)
    }

    /// What lives as long as the session or one of its watches.
    #[cfg(test)]
    pub(super) fn trace(&self) -> std::sync::Weak<Mutex<Known>> {
        Arc::downgrade(&self.known)
    }

    /// Decides the requests of nodes from now on.
    pub(super) fn decide_requests(&self) {
        let mut requests = lock(&self.requests);
        if requests.is_empty() {
            requests.spawn(requests::run(
                self.remote.clone(),
                self.waker.tenant.clone(),
                self.approver.clone(),
            ));
        }
    }

    /// Watches namespaces while projects ask for some.
    pub(super) fn follow_namespaces(&self, wanted: BTreeSet<String>) {
        let mut watching = lock(&self.namespaces);
        if wanted.is_empty() {
            *watching = JoinSet::new();
        } else if watching.is_empty() {
            let client = self.remote.client().clone();
            watching.spawn(namespaces::run(client, self.known.clone(), self.waker.clone()));
        }
        lock(&self.known).want_namespaces(wanted);
    }

    /// Watches exactly these kinds.
    pub(super) fn watch(&self, kinds: &HashSet<Kind>) {
        let mut watches = lock(&self.watches);
        watches.retain(|kind, _| kinds.contains(kind));
        for kind in kinds {
            watches.entry(*kind).or_insert_with(|| {
                let mut task = JoinSet::new();
                task.spawn(watches::run(
                    self.remote.client().clone(),
                    *kind,
                    self.known.clone(),
                    self.waker.clone(),
                ));
                task
            });
        }
    }
}

/// What a task that panicked left is still true: every update is one assignment.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
