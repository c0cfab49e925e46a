//! The watch of requests for certificates in a tenant's cluster, and their decisions, one after the other.

use std::collections::BTreeMap;
use std::time::Duration;

use desired::joining::{Asked, asked};
use futures::{FutureExt, StreamExt};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, ResourceExt};
use kubekit::{Remote, WatchBackoff};

use crate::controllers::TenantRef;
use crate::joining::{Approver, DECIDE_WITHIN, Round};

/// How soon a request is looked at again that could not be decided.
const AGAIN: Duration = Duration::from_secs(2);

/// Requests that are to be decided, by UID.
type Pending = BTreeMap<String, (CertificateSigningRequest, Asked)>;

/// Runs until it is dropped.
pub(super) async fn run(remote: Remote, tenant: TenantRef, approver: Approver) {
    approver.begin(&tenant, &remote).await;
    let api: Api<CertificateSigningRequest> = Api::all(remote.client().clone());
    let mut events = watcher(api, watcher::Config::default()).backoff(WatchBackoff::default()).boxed();
    let mut pending = Pending::new();
    loop {
        let event = if pending.is_empty() {
            events.next().await
        } else {
            // Nothing else tells when a node has its addresses, or a failure has passed.
            match tokio::time::timeout(AGAIN, events.next()).await {
                Ok(event) => event,
                Err(_) => Some(Ok(Event::InitDone)),
            }
        };
        let Some(event) = event else { return };
        take(&mut pending, event);
        while let Some(Some(event)) = events.next().now_or_never() {
            take(&mut pending, event);
        }
        // On the heap, so that a tenant without requests costs nothing.
        Box::pin(decide(&mut pending, &remote, &tenant, &approver)).await;
    }
}

fn take(pending: &mut Pending, event: Result<Event<CertificateSigningRequest>, watcher::Error>) {
    match event {
        Ok(Event::Apply(csr) | Event::InitApply(csr)) => {
            let uid = csr.uid().unwrap_or_default();
            match asked(&csr) {
                Some(asked) => pending.insert(uid, (csr, asked)),
                None => pending.remove(&uid),
            };
        }
        Ok(Event::Delete(csr)) => {
            pending.remove(&csr.uid().unwrap_or_default());
        }
        // The list that follows shows what is left.
        Ok(Event::Init) => pending.clear(),
        Ok(Event::InitDone) => {}
        Err(error) => tracing::debug!(%error, "watch of requests inside a tenant"),
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
