//! Caches that watches keep current.

use std::fmt::Debug;

use futures::{FutureExt, Stream, StreamExt};
use kube::runtime::WatchStreamExt;
use kube::runtime::reflector::{self, Lookup, Store};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::WatchBackoff;

/// Tells when a cache has seen everything once.
///
/// In place of `Store::wait_until_ready`, which wakes only one of several tasks that wait (kube 5.0).
#[derive(Debug, Clone)]
pub struct Filled(watch::Receiver<bool>);

impl Filled {
    /// Waits for it. If the cache's stream is dropped before, this never returns: the program stops.
    pub async fn wait(&self) {
        if self.0.clone().wait_for(|filled| *filled).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// A store of all objects that `api` lists under `selection`, when it is filled, and the stream that
/// keeps it current, as [`cached`]; nothing is asked for before `begin` has come to its end.
pub fn cached_from<K>(
    begin: impl Future<Output = ()> + Send + 'static,
    api: Api<K>,
    selection: watcher::Config,
    trim: fn(&mut K),
) -> (Store<K>, Filled, impl Stream<Item = Result<K, watcher::Error>> + Send)
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
    let (reader, filled, stream) = cached(api, selection, trim);
    // The stream asks for nothing before it is polled.
    (reader, filled, begin.map(|()| stream).flatten_stream())
}

/// A store of all objects that `api` lists under `selection`, when it is filled, and the stream that
/// keeps it current.
///
/// The stream must be polled; each item is an object that was added, changed or removed. Failed
/// watches are retried with back-off and neither end it nor show in it: a controller that merges many
/// watches would rest from all of them after the error of one. `trim` runs before an object is stored.
pub fn cached<K>(
    api: Api<K>,
    selection: watcher::Config,
    trim: fn(&mut K),
) -> (Store<K>, Filled, impl Stream<Item = Result<K, watcher::Error>> + Send)
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
    let (tell, filled) = watch::channel(false);
    let stream = watcher(api, selection)
        .backoff(WatchBackoff::default())
        .modify(trim)
        .reflect(writer)
        // After `reflect`, so that the store has what the event says.
        .inspect(move |event| {
            if let Ok(Event::InitDone) = event {
                tell.send_replace(true);
            }
        })
        .touched_objects()
        .filter(|change| {
            if let Err(error) = change {
                tracing::warn!(kind = %<K as Resource>::kind(&()), %error, "a watch broke off, it is tried again");
            }
            std::future::ready(change.is_ok())
        })
        .boxed();
    (reader, Filled(filled), stream)
}

/// Drops what no reader of ours looks at: `managedFields` is often the larger half of an object.
pub fn trimmed<K: Resource>(object: &mut K) {
    object.managed_fields_mut().clear();
    object.annotations_mut().remove("kubectl.kubernetes.io/last-applied-configuration");
}
