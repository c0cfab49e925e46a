//! What still runs of a control plane that is held.

use api::names::labels;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::ListParams;

use crate::caches::Caches;
use crate::context::Context;

/// What is there of a control plane's pods.
pub(crate) struct Running {
    /// Whether its Deployment asks for none, as far as the cache shows; nothing without a Deployment.
    pub(crate) is_scaled: Option<bool>,
    /// Pods that are left, by the API server's word.
    pub(crate) left: usize,
}

/// Looks at the Deployment and the pods of a control plane.
pub(crate) async fn running(namespace: &str, name: &str, context: &Context) -> Result<Running, kube::Error> {
    let deployment = Caches::find(&context.caches.deployments, namespace, name);
    let is_scaled = deployment.map(|found| found.spec.as_ref().is_some_and(|spec| spec.replicas == Some(0)));
    let pods: Api<Pod> = Api::namespaced(context.client.clone(), namespace);
    let selection = ListParams::default().labels(&format!("{}={name}", labels::NAME));
    let left = pods.list_metadata(&selection).await?.items.len();
    Ok(Running { is_scaled, left })
}
