//! Takes a node out of its cluster, with what it left undecided there.

use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use k8s_openapi::api::core::v1::Node;
use kube::api::{DeleteParams, ListParams};
use kube::{Api, Client, ResourceExt};

use super::drain::{DrainOptions, drain};
use crate::Error;

/// How a node is removed.
#[derive(Clone, Copy, Debug)]
pub struct RemoveOptions {
    /// How it is drained first; a machine that is lost is not.
    pub drain: Option<DrainOptions>,
}

/// Drains and deletes a node, and the requests that it left; `tell` gets what happens, one line each.
pub async fn remove(
    client: &Client,
    node: &str,
    options: RemoveOptions,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<(), Error> {
    if let Some(options) = options.drain {
        Box::pin(drain(client, node, options, tell)).await?;
    }
    let nodes: Api<Node> = Api::all(client.clone());
    match nodes.delete(node, &DeleteParams::default()).await {
        Ok(_) => tell(&format!("node {node} removed")),
        Err(kube::Error::Api(status)) if status.is_not_found() => {
            return Err(Error::NoNode { name: node.to_owned() });
        }
        Err(error) => return Err(Error::request(format!("delete node `{node}`"))(error)),
    }
    remove_requests(client, node, tell).await
}

async fn remove_requests(client: &Client, node: &str, tell: &(dyn Fn(&str) + Sync)) -> Result<(), Error> {
    let requests: Api<CertificateSigningRequest> = Api::all(client.clone());
    let found = requests.list(&ListParams::default()).await;
    let found = found.map_err(Error::request("list the requests for certificates"))?;
    for request in found.iter().filter(|request| is_left_by(request, node)) {
        let name = request.name_any();
        match requests.delete(&name, &DeleteParams::default()).await {
            Ok(_) => tell(&format!("its pending request {name} removed")),
            Err(kube::Error::Api(status)) if status.is_not_found() => {}
            Err(error) => return Err(Error::request(format!("delete the request `{name}`"))(error)),
        }
    }
    Ok(())
}

/// Whether a request is undecided and for the node: from itself, or from a machine that would be it.
fn is_left_by(request: &CertificateSigningRequest, node: &str) -> bool {
    let status = request.status.as_ref();
    let is_decided = status.is_some_and(|status| status.conditions.iter().flatten().next().is_some());
    let user = format!("system:node:{node}");
    !is_decided
        && request.spec.signer_name.starts_with("kubernetes.io/kube")
        && (request.spec.username.as_deref() == Some(user.as_str())
            || pki::read_signing_request(&request.spec.request.0)
                .is_ok_and(|read| read.common_names == [user]))
}
