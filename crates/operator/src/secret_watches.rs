//! Watches the Secrets that DataStores refer to, each alone and only its metadata, so that credentials
//! which change are followed at once. All Secrets of a cluster would be too many to watch for a few.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use api::DataStore;
use futures::StreamExt;
use k8s_openapi::api::core::v1::Secret;
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, ResourceExt};
use kubekit::WatchBackoff;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;

use crate::stores::referenced;

/// Namespace and name of a Secret.
pub(crate) type SecretKey = (String, String);

/// The watches.
pub(crate) struct SecretWatches {
    client: Client,
    changed: UnboundedSender<SecretKey>,
    // Dropping a set ends its task.
    running: Mutex<HashMap<SecretKey, JoinSet<()>>>,
}

impl SecretWatches {
    /// No watch yet; Secrets that change are told to `changed`.
    pub(crate) fn new(client: Client, changed: UnboundedSender<SecretKey>) -> Self {
        Self { client, changed, running: Mutex::default() }
    }

    /// Watches what the stores refer to, and nothing else.
    pub(crate) fn follow<'a>(&self, stores: impl Iterator<Item = &'a DataStore>) {
        let wanted: BTreeSet<SecretKey> = stores.flat_map(referenced).collect();
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|key, _| wanted.contains(key));
        for key in wanted {
            running.entry(key).or_insert_with_key(|key| {
                let mut task = JoinSet::new();
                task.spawn(watch(self.client.clone(), key.clone(), self.changed.clone()));
                task
            });
        }
    }
}

async fn watch(client: Client, key: SecretKey, changed: UnboundedSender<SecretKey>) {
    let api: Api<PartialObjectMeta<Secret>> = Api::namespaced(client, &key.0);
    let only = watcher::Config::default().fields(&format!("metadata.name={}", key.1));
    let mut events = std::pin::pin!(watcher(api, only).backoff(WatchBackoff::default()));
    let mut known: Option<Version> = None;
    let mut listed = Version::default();
    while let Some(event) = events.next().await {
        let found = match event {
            Ok(Event::Apply(secret)) => secret.resource_version(),
            Ok(Event::Delete(_)) => None,
            Ok(Event::Init) => {
                listed = None;
                continue;
            }
            Ok(Event::InitApply(secret)) => {
                listed = secret.resource_version();
                continue;
            }
            Ok(Event::InitDone) => listed.take(),
            Err(error) => {
                tracing::debug!(namespace = key.0, secret = key.1, %error, "watch of a Secret");
                continue;
            }
        };
        // The first list is what was read when the watch was asked for.
        if known.as_ref().is_some_and(|known| *known != found) && changed.send(key.clone()).is_err() {
            return;
        }
        known = Some(found);
    }
}

/// Version of the Secret; none while it does not exist.
type Version = Option<String>;
