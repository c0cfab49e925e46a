//! Tokens in the tenant's cluster: brought there, shortened, taken back.

use api::JoinToken;
use api::names::labels;
use desired::joining::{Token, tenant_secret, tenant_secret_name};
use jiff::Timestamp;
use k8s_openapi::ByteString;
use kube::ResourceExt;
use kubekit::{Remote, is_current};
use serde_json::{Value, json};

use super::{Error, TENANT_SECRETS};

/// Has the tenant's cluster know the token until `expires`.
pub(super) async fn bring(
    remote: &Remote,
    token: &JoinToken,
    known: &Token,
    expires: Timestamp,
) -> Result<(), Error> {
    let wanted = tenant_secret(token, known, expires);
    let name = tenant_secret_name(known.id());
    let live = remote.get(TENANT_SECRETS, &name).await?;
    match &live {
        Some(live) if !is_of(live, token) => return Err(Error::Taken),
        Some(live) if is_current(live, &wanted) => return Ok(()),
        _ => {}
    }
    remote.apply(TENANT_SECRETS, &name, &wanted).await?;
    Ok(())
}

/// Has the tenant's cluster forget the token at `expires`.
pub(super) async fn shorten(
    remote: &Remote,
    token: &JoinToken,
    token_id: &str,
    expires: Timestamp,
) -> Result<(), Error> {
    let name = tenant_secret_name(token_id);
    let Some(live) = remote.get(TENANT_SECRETS, &name).await?.filter(|live| is_of(live, token)) else {
        return Ok(());
    };
    let text = api::condition::whole_seconds(expires).to_string();
    let wanted = json!(ByteString(text.into_bytes()));
    if live.pointer("/data/expiration") != Some(&wanted) {
        remote.merge(TENANT_SECRETS, &name, None, &json!({ "data": { "expiration": wanted } })).await?;
    }
    Ok(())
}

/// Takes the token back; one that is not there, or is somebody else's, is no error.
pub(super) async fn take_back(remote: &Remote, token: &JoinToken, token_id: &str) -> Result<(), Error> {
    let name = tenant_secret_name(token_id);
    if remote.get(TENANT_SECRETS, &name).await?.is_some_and(|live| is_of(&live, token)) {
        remote.delete(TENANT_SECRETS, &name).await?;
    }
    Ok(())
}

fn is_of(live: &Value, token: &JoinToken) -> bool {
    let label = live.pointer("/metadata/labels").and_then(|labels| labels.get(labels::JOIN_TOKEN));
    label.and_then(Value::as_str) == Some(token.uid().unwrap_or_default().as_str())
}
