//! What the reconcilers read: caches of the objects they own, kept current by one watch each.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::TenantControlPlane;
use api::names::labels;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Node, Secret, Service};
use k8s_openapi::api::networking::v1::Ingress;
use kube::Resource;
use kube::runtime::reflector::{Lookup, ObjectRef, Store};
use kube::runtime::watcher;
use kubekit::Filled;

use crate::stores::DataStoreLookup;

/// Readers of all caches.
#[derive(Clone)]
pub(crate) struct Caches {
    /// All control planes.
    pub tenants: Store<TenantControlPlane>,
    /// Secrets made for control planes.
    pub secrets: Store<Secret>,
    /// Services made for control planes.
    pub services: Store<Service>,
    /// Deployments made for control planes.
    pub deployments: Store<Deployment>,
    /// ConfigMaps made for control planes.
    pub config_maps: Store<ConfigMap>,
    /// Ingresses made for control planes.
    pub ingresses: Store<Ingress>,
    /// All data stores.
    pub data_stores: DataStoreLookup,
    /// All nodes; only their capacity is kept.
    pub nodes: Store<Node>,
    /// When each of them is filled.
    pub filled: Arc<[Filled]>,
}

impl Caches {
    /// Waits until every cache has seen everything once. A pass before that would take what runs for
    /// missing, and hold it back or forget it.
    pub(crate) async fn filled(&self) {
        for filled in self.filled.iter() {
            filled.wait().await;
        }
    }

    /// An object of a control plane, by name.
    #[must_use]
    pub(crate) fn find<K>(store: &Store<K>, namespace: &str, name: &str) -> Option<Arc<K>>
    where
        K: Resource<DynamicType = ()> + Lookup<DynamicType = ()> + Clone,
    {
        store.get(&ObjectRef::new(name).within(namespace))
    }

    /// The Secrets of a control plane, by name.
    #[must_use]
    pub(crate) fn secrets_of(&self, namespace: &str, names: &[String]) -> BTreeMap<String, Arc<Secret>> {
        names
            .iter()
            .filter_map(|name| Some((name.clone(), Self::find(&self.secrets, namespace, name)?)))
            .collect()
    }
}

/// Selects the objects that belong to control planes, Kamaji's among them.
#[must_use]
pub(crate) fn ours() -> watcher::Config {
    watcher::Config::default().labels(&format!("{}={}", labels::PROJECT, labels::PROJECT_VALUE))
}

/// Keeps of a node only what the start gate asks for: its capacity and whether it takes pods.
pub(crate) fn trim_node(node: &mut Node) {
    kubekit::trimmed(node);
    node.metadata.annotations = None;
    if let Some(status) = node.status.as_mut() {
        status.images = None;
        status.conditions = None;
        status.addresses = None;
        status.node_info = None;
    }
}
