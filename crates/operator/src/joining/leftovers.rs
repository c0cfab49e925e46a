//! Tokens that a tenant's cluster still knows though their `JoinToken` is gone: it could not be reached when
//! that was deleted.

use std::collections::HashSet;

use api::JoinToken;
use api::names::labels;
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt};
use kubekit::Remote;
use serde_json::Value;

use super::{Error, TENANT_SECRETS, failed};
use crate::controllers::TenantRef;

/// Removes them. Whatever stands there is older than what is listed after it, so that none is taken for a
/// leftover whose `JoinToken` was made meanwhile.
pub(super) async fn remove(management: &Client, tenant: &TenantRef, remote: &Remote) -> Result<(), Error> {
    let standing = remote.list(TENANT_SECRETS, labels::JOIN_TOKEN).await?;
    if standing.is_empty() {
        return Ok(());
    }
    let namespace = tenant.namespace.clone().unwrap_or_default();
    let tokens: Api<JoinToken> = Api::namespaced(management.clone(), &namespace);
    let tokens = tokens.list(&ListParams::default()).await.map_err(failed("list JoinTokens"))?;
    let known: HashSet<String> = tokens.items.iter().filter_map(ResourceExt::uid).collect();
    for secret in standing {
        let uid = secret.pointer("/metadata/labels").and_then(|labels| labels.get(labels::JOIN_TOKEN));
        let name = secret.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        if uid.and_then(Value::as_str).is_some_and(|uid| !known.contains(uid)) {
            remote.delete(TENANT_SECRETS, name).await?;
            tracing::info!(
                tenant = tenant.name,
                secret = name,
                "a token was removed whose JoinToken is gone"
            );
        }
    }
    Ok(())
}
