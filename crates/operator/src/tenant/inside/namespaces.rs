//! Namespaces of a tenant's cluster: which of those stand that projects ask for.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use futures::StreamExt;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::PartialObjectMeta;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, ResourceExt};
use kubekit::WatchBackoff;

use super::known::Known;
use super::sessions::{Waker, lock};

/// What is known of them.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    wanted: BTreeSet<String>,
    standing: BTreeSet<String>,
}

impl Namespaces {
    /// Notes which are asked for. Without any, nobody watches, so that nothing is known.
    pub(super) fn want(&mut self, wanted: BTreeSet<String>) {
        if wanted.is_empty() {
            self.standing.clear();
        }
        self.wanted = wanted;
    }

    /// Those that are asked for and stand.
    pub(super) fn present(&self) -> BTreeSet<String> {
        self.wanted.intersection(&self.standing).cloned().collect()
    }

    /// One stands now, or no longer. Tells whether that is news and it is asked for.
    fn note(&mut self, name: String, stands: bool) -> bool {
        let is_wanted = self.wanted.contains(&name);
        let changed = if stands { self.standing.insert(name) } else { self.standing.remove(&name) };
        changed && is_wanted
    }

    /// Exactly these stand. Tells whether that is news of those that are asked for.
    fn replace(&mut self, standing: BTreeSet<String>) -> bool {
        let before = self.present();
        self.standing = standing;
        self.present() != before
    }
}

/// Runs until it is dropped; what fails is tried again with growing pauses.
pub(super) async fn run(client: Client, known: Arc<Mutex<Known>>, waker: Waker) {
    let api: Api<PartialObjectMeta<Namespace>> = Api::all(client);
    let mut events = watcher(api, watcher::Config::default()).backoff(WatchBackoff::default()).boxed();
    let mut listed = BTreeSet::new();
    while let Some(event) = events.next().await {
        let is_due = match event {
            Ok(event) => take(&mut lock(&known), event, &mut listed),
            Err(error) => {
                tracing::debug!(%error, "watch of namespaces inside a tenant");
                false
            }
        };
        if is_due {
            waker.wake();
        }
    }
}

/// Tells whether a pass is due. `listed` are those that a list has shown so far.
fn take(
    known: &mut Known,
    event: Event<PartialObjectMeta<Namespace>>,
    listed: &mut BTreeSet<String>,
) -> bool {
    match event {
        Event::Apply(found) => {
            known.see_namespaces(|namespaces| namespaces.note(found.name_any(), stands(&found)))
        }
        Event::Delete(found) => known.see_namespaces(|namespaces| namespaces.note(found.name_any(), false)),
        Event::Init => {
            listed.clear();
            false
        }
        Event::InitApply(found) => {
            listed.extend(stands(&found).then(|| found.name_any()));
            false
        }
        Event::InitDone => {
            let standing = std::mem::take(listed);
            known.see_namespaces(|namespaces| namespaces.replace(standing))
        }
    }
}

/// In one that ends, nothing can be made any more.
fn stands(namespace: &PartialObjectMeta<Namespace>) -> bool {
    namespace.metadata.deletion_timestamp.is_none()
}
