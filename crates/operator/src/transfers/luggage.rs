//! The Secrets that go along with a control plane.

use api::TenantControlPlane;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, ResourceExt};

use super::{Error, failed};
use crate::context::Context;

/// Brings the Secrets; says what is missing if the control plane could not go on. The API server is asked: an authority
/// that is one rotation behind would lock the workers out.
pub(super) async fn bring(
    source: &TenantControlPlane,
    successor: &TenantControlPlane,
    context: &Context,
) -> Result<Result<(), String>, Error> {
    let there: Api<Secret> = Api::namespaced(context.client.clone(), &source.namespace().unwrap_or_default());
    for part in desired::transfer::luggage(&source.name_any(), &successor.name_any()) {
        match there.get_opt(&part.from).await.map_err(failed("read a Secret of the control plane"))? {
            Some(secret) => {
                let wanted = desired::transfer::unpacked(&secret, &part.to, successor);
                context.applier.apply(&wanted, None).await?;
            }
            None if part.is_needed => {
                return Ok(Err(format!(
                    "the control plane has no Secret `{}`, without which it would have other keys; transfer it when \
                     it is ready",
                    part.from
                )));
            }
            None => {}
        }
    }
    Ok(Ok(()))
}

/// A Secret of somebody else at the destination that would be written over.
pub(super) async fn in_the_way(
    source: &TenantControlPlane,
    namespace: &str,
    name: &str,
    context: &Context,
) -> Result<Option<String>, Error> {
    let here: Api<Secret> = Api::namespaced(context.client.clone(), namespace);
    for part in desired::transfer::luggage(&source.name_any(), name) {
        let found = here.get_metadata_opt(&part.to).await;
        if found.map_err(failed("look for Secrets at the destination"))?.is_some() {
            return Ok(Some(part.to));
        }
    }
    Ok(None)
}
