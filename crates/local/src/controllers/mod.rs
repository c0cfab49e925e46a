//! What a cloud would bring along: addresses for services, volumes for claims, and the objects that
//! every cluster needs. Runs in the supervisor.

mod load_balancer;
pub(crate) mod objects;
mod storage;

pub(crate) use load_balancer::LoadBalancer;
pub(crate) use storage::Storage;

use std::fmt::Debug;
use std::hash::Hash;

use futures::{Stream, StreamExt};
use kube::runtime::reflector::{self, Store};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;

/// All objects of a kind, and a stream that yields after each change of them.
fn watched<K>(api: Api<K>) -> (Store<K>, impl Stream<Item = ()> + Send)
where
    K: Resource<DynamicType: Eq + Hash + Clone + Default>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static,
{
    let (store, writer) = reflector::store();
    let changes = reflector::reflector(writer, watcher(api, watcher::Config::default()).default_backoff())
        .filter_map(|event| async {
            match event {
                // While a list comes in, the store still shows the old state.
                Ok(watcher::Event::Init | watcher::Event::InitApply(_)) => None,
                Ok(_) => Some(()),
                Err(error) => {
                    tracing::warn!(%error, "a watch failed; it is opened again");
                    None
                }
            }
        });
    (store, changes)
}
