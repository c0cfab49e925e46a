//! Watches in a tenant's cluster: metadata of our own objects only, to see when somebody changes them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use api::names::labels;
use desired::inside::{Key, Kind};
use futures::StreamExt;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, PartialObjectMeta};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, ResourceExt};
use kubekit::WatchBackoff;

use super::known::Known;
use super::sessions::{Waker, lock};

/// Runs until it is dropped; what fails is tried again with growing pauses.
pub(super) async fn run(client: Client, kind: Kind, known: Arc<Mutex<Known>>, waker: Waker) {
    let (group, version) = kind.api_version().split_once('/').unwrap_or(("", kind.api_version()));
    let resource =
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind.name()), kind.plural());
    let api: Api<PartialObjectMeta<DynamicObject>> = Api::all_with(client, &resource);
    let ours = watcher::Config::default().labels(&format!("{}={}", labels::PROJECT, labels::PROJECT_VALUE));
    let mut events = watcher(api, ours).backoff(WatchBackoff::default()).boxed();
    let mut missing = BTreeSet::new();
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => {
                if take(&mut lock(&known), kind, event, &mut missing) {
                    waker.wake();
                }
            }
            Err(error) => tracing::debug!(kind = kind.name(), %error, "watch inside a tenant"),
        }
    }
}

/// Tells whether a pass is due. `missing` are the objects that a list has not shown yet.
fn take(
    known: &mut Known,
    kind: Kind,
    event: Event<PartialObjectMeta<DynamicObject>>,
    missing: &mut BTreeSet<Key>,
) -> bool {
    match event {
        Event::Apply(object) => {
            find(known, kind, &object).is_some_and(|key| known.see(&key, &object.metadata, false))
        }
        Event::Delete(object) => find(known, kind, &object).is_some_and(|key| known.lose(&key)),
        Event::Init => {
            *missing = known.of_kind(kind);
            false
        }
        Event::InitApply(object) => find(known, kind, &object).is_some_and(|key| {
            missing.remove(&key);
            known.see(&key, &object.metadata, true)
        }),
        Event::InitDone => {
            let lost: Vec<bool> = std::mem::take(missing).into_iter().map(|key| known.lose(&key)).collect();
            lost.contains(&true)
        }
    }
}

fn find(known: &Known, kind: Kind, object: &PartialObjectMeta<DynamicObject>) -> Option<Key> {
    let key = Key::new(kind, object.namespace().unwrap_or_default(), object.name_any());
    known.is_made(&key).then_some(key)
}
