//! The watch of requests for certificates in a tenant's cluster, and their decisions, one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use desired::joining::{Asked, asked, found_no_room};
use futures::{FutureExt, StreamExt};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, ResourceExt};
use kubekit::{Remote, WatchBackoff};
use tokio::time::Instant;

use crate::controllers::TenantRef;
use crate::joining::{Approver, DECIDE_WITHIN, REQUESTS, Round};

/// How soon a request is looked at again that could not be decided.
const AGAIN: Duration = Duration::from_secs(2);
/// How often nodes are counted where a quota limits them, and those that found no room may ask again.
const COUNT_EVERY: Duration = Duration::from_mins(1);

/// Requests that are to be decided, by UID.
type Pending = BTreeMap<String, (CertificateSigningRequest, Asked)>;

/// What the watch has shown.
#[derive(Default)]
struct Shown {
    pending: Pending,
    /// Names of those that found no room. A kubelet keeps to its request while that is there.
    without_room: BTreeSet<String>,
}

/// Runs until it is dropped.
pub(super) async fn run(remote: Remote, tenant: TenantRef, approver: Approver) {
    approver.begin(&tenant, &remote).await;
    let api: Api<CertificateSigningRequest> = Api::all(remote.client().clone());
    let mut events = watcher(api, watcher::Config::default()).backoff(WatchBackoff::default()).boxed();
    let mut shown = Shown::default();
    let mut count_at = Instant::now();
    loop {
        // Nothing else tells when a node has its addresses, or a failure has passed.
        let look_at = if shown.pending.is_empty() { count_at } else { count_at.min(Instant::now() + AGAIN) };
        let event = match tokio::time::timeout_at(look_at, events.next()).await {
            Ok(event) => event,
            Err(_) => Some(Ok(Event::InitDone)),
        };
        let Some(event) = event else { return };
        if Instant::now() >= count_at {
            count_at = Instant::now() + COUNT_EVERY;
            Box::pin(count(&remote, &tenant, &approver)).await;
            Box::pin(make_way(&mut shown.without_room, &remote, &tenant)).await;
        }
        shown.take(event);
        while let Some(Some(event)) = events.next().now_or_never() {
            shown.take(event);
        }
        // On the heap, so that a tenant without requests costs nothing.
        Box::pin(decide(&mut shown.pending, &remote, &tenant, &approver)).await;
    }
}

async fn count(remote: &Remote, tenant: &TenantRef, approver: &Approver) {
    match tokio::time::timeout(DECIDE_WITHIN, approver.count_nodes(tenant, remote)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            let error = &error as &dyn std::error::Error;
            tracing::debug!(tenant = tenant.name, error, "the nodes of a tenant were not counted");
        }
        Err(_) => tracing::debug!(tenant = tenant.name, "the nodes of a tenant were not counted in time"),
    }
}

/// Takes requests away that found no room, so that their kubelets ask again.
async fn make_way(without_room: &mut BTreeSet<String>, remote: &Remote, tenant: &TenantRef) {
    for request in std::mem::take(without_room) {
        if let Err(error) = remote.delete(REQUESTS, &request).await {
            let error = &error as &dyn std::error::Error;
            tracing::debug!(
                tenant = tenant.name,
                request,
                error,
                "a refused request could not be taken away"
            );
            without_room.insert(request);
        }
    }
}

impl Shown {
    fn take(&mut self, event: Result<Event<CertificateSigningRequest>, watcher::Error>) {
        match event {
            Ok(Event::Apply(csr) | Event::InitApply(csr)) => {
                let uid = csr.uid().unwrap_or_default();
                if found_no_room(&csr) {
                    self.without_room.insert(csr.name_any());
                }
                match asked(&csr) {
                    Some(asked) => self.pending.insert(uid, (csr, asked)),
                    None => self.pending.remove(&uid),
                };
            }
            Ok(Event::Delete(csr)) => {
                self.without_room.remove(&csr.name_any());
                self.pending.remove(&csr.uid().unwrap_or_default());
            }
            // The list that follows shows what is left.
            Ok(Event::Init) => *self = Self::default(),
            Ok(Event::InitDone) => {}
            Err(error) => tracing::debug!(%error, "watch of requests inside a tenant"),
        }
    }
}

/// Decides what can be decided; the rest stays.
async fn decide(pending: &mut Pending, remote: &Remote, tenant: &TenantRef, approver: &Approver) {
    let mut round = Round::default();
    for (uid, (csr, asked)) in std::mem::take(pending) {
        let deciding = approver.decide(tenant, remote, &csr, &asked, &mut round);
        match tokio::time::timeout(DECIDE_WITHIN, deciding).await {
            Ok(Ok(true)) => continue,
            Ok(Ok(false)) => {}
            Ok(Err(error)) => {
                let (request, error) = (csr.name_any(), &error as &dyn std::error::Error);
                tracing::warn!(
                    tenant = tenant.name,
                    request,
                    error,
                    "a node's request could not be decided yet"
                );
            }
            Err(_) => tracing::warn!(tenant = tenant.name, "a node's request could not be decided in time"),
        }
        pending.insert(uid, (csr, asked));
    }
}
