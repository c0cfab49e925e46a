//! Caches that watches keep current.

use std::fmt::Debug;

use futures::{Stream, StreamExt};
use kube::runtime::WatchStreamExt;
use kube::runtime::reflector::{self, Lookup, Store};
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;

/// A store of all objects that `api` lists under `selection`, and the stream that keeps it current.
///
/// The stream must be polled; each item is an object that was added, changed or removed. Failed
/// watches are retried with back-off and do not end it. `trim` runs before an object is stored.
pub fn cached<K>(
    api: Api<K>,
    selection: watcher::Config,
    trim: fn(&mut K),
) -> (Store<K>, impl Stream<Item = Result<K, watcher::Error>> + Send)
where
    K: Resource<DynamicType = ()>
        + Lookup<DynamicType = ()>
        + DeserializeOwned
        + Clone
        + Debug
        + Send
        + Sync
        + 'static,
{
    let (reader, writer) = reflector::store();
    let stream =
        watcher(api, selection).default_backoff().modify(trim).reflect(writer).touched_objects().boxed();
    (reader, stream)
}

/// Drops what no reader of ours looks at: `managedFields` is often the larger half of an object.
pub fn trimmed<K: Resource>(object: &mut K) {
    object.managed_fields_mut().clear();
    object.annotations_mut().remove("kubectl.kubernetes.io/last-applied-configuration");
}
