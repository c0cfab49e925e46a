//! What only generators look at: caches of their own, so that they hold up nothing else.

use std::sync::Arc;

use api::KubeconfigGenerator;
use api::names::labels;
use futures::stream::{Stream, StreamExt, select_all};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::runtime::reflector::Store;
use kube::runtime::watcher;
use kube::{Api, Client};
use kubekit::{Filled, cached, trimmed};

/// Readers of the caches.
pub(super) struct Watched {
    /// All generators.
    pub(super) generators: Store<KubeconfigGenerator>,
    /// All namespaces; only their labels are kept.
    pub(super) namespaces: Store<Namespace>,
    /// Secrets that generators made, Kamaji's among them.
    pub(super) secrets: Store<Secret>,
    filled: [Filled; 3],
}

impl Watched {
    /// The caches, and a stream that must be polled; each item is a change in one of them.
    pub(super) fn begin(client: Client) -> (Arc<Self>, impl Stream<Item = ()> + Send + use<>) {
        let all = watcher::Config::default();
        let made = watcher::Config::default().labels(labels::MANAGED_BY);
        let (generators, generators_filled, generator_changes) =
            cached::<KubeconfigGenerator>(Api::all(client.clone()), all.clone(), trimmed);
        let (namespaces, namespaces_filled, namespace_changes) =
            cached::<Namespace>(Api::all(client.clone()), all, trim_namespace);
        let (secrets, secrets_filled, secret_changes) = cached::<Secret>(Api::all(client), made, trimmed);
        let changes = select_all([
            generator_changes.map(|_| ()).boxed(),
            namespace_changes.map(|_| ()).boxed(),
            secret_changes.map(|_| ()).boxed(),
        ]);
        let filled = [generators_filled, namespaces_filled, secrets_filled];
        (Arc::new(Self { generators, namespaces, secrets, filled }), changes)
    }

    /// Waits until every cache has seen everything once.
    pub(super) async fn filled(&self) {
        for filled in &self.filled {
            filled.wait().await;
        }
    }
}

fn trim_namespace(namespace: &mut Namespace) {
    trimmed(namespace);
    namespace.metadata.annotations = None;
    namespace.spec = None;
    namespace.status = None;
}
