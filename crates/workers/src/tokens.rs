//! `JoinTokens` of the management cluster: made, waited for, listed and revoked.

use std::time::Duration;

use api::{JoinToken, JoinTokenSpec};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::{Api, Client, ResourceExt};
use tokio::time::Instant;

use crate::tenants::Tenant;
use crate::{Error, Join};

/// Time between two looks at a token.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A token that is ready.
#[derive(Clone, Debug)]
pub struct Handed {
    /// Name of its `JoinToken`.
    pub name: String,
    /// What joins.
    pub join: Join,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// How many nodes may join with it.
    pub max_uses: Option<i32>,
}

/// Makes a token for the tenant under a name that the API server makes up.
pub async fn create(
    management: &Client,
    tenant: &Tenant,
    ttl: &str,
    max_uses: Option<i32>,
) -> Result<JoinToken, Error> {
    let spec = JoinTokenSpec { tenant_control_plane: tenant.name.clone(), ttl: ttl.to_owned(), max_uses };
    let mut token = JoinToken::new("", spec);
    token.metadata.name = None;
    token.metadata.generate_name = Some(format!("{}-", tenant.name));
    let action = format!("create a JoinToken in the namespace `{}`", tenant.namespace);
    tokens(management, &tenant.namespace)
        .create(&PostParams::default(), &token)
        .await
        .map_err(Error::request(action))
}

/// Waits until workers can join with a token.
pub async fn wait(
    management: &Client,
    namespace: &str,
    name: &str,
    limit: Duration,
) -> Result<Handed, Error> {
    let deadline = Instant::now() + limit;
    loop {
        let token = get(management, namespace, name).await?;
        let last = match stands(&token) {
            (true, _) => match handed(management, &token).await? {
                Some(handed) => return Ok(handed),
                None => "its Secret is not there".to_owned(),
            },
            (false, said) => said,
        };
        if Instant::now() >= deadline {
            let name = format!("{namespace}/{name}");
            return Err(Error::TokenNotReady { name, seconds: limit.as_secs(), last });
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// All tokens, or those of one tenant.
pub async fn list(management: &Client, tenant: Option<&Tenant>) -> Result<Vec<JoinToken>, Error> {
    let api = match tenant {
        Some(tenant) => tokens(management, &tenant.namespace),
        None => Api::all(management.clone()),
    };
    let mut found = api.list(&ListParams::default()).await.map_err(Error::request("list JoinTokens"))?.items;
    found.retain(|token| tenant.is_none_or(|tenant| token.spec.tenant_control_plane == tenant.name));
    Ok(found)
}

/// Revokes a token: nobody joins with it any more. Nodes that have joined stay.
pub async fn revoke(management: &Client, namespace: &str, name: &str) -> Result<(), Error> {
    match tokens(management, namespace).delete(name, &DeleteParams::default()).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => {
            Err(Error::NoToken { name: format!("{namespace}/{name}") })
        }
        Err(error) => Err(Error::request(format!("delete the JoinToken `{namespace}/{name}`"))(error)),
    }
}

/// Whether workers can join with a token, and what it says.
#[must_use]
pub fn stands(token: &JoinToken) -> (bool, String) {
    let conditions = token.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
    match conditions.iter().find(|condition| condition.type_ == "Ready") {
        Some(ready) => (ready.status == "True", format!("{}: {}", ready.reason, ready.message)),
        None => (false, "the operator has not seen it yet".to_owned()),
    }
}

async fn handed(management: &Client, token: &JoinToken) -> Result<Option<Handed>, Error> {
    let status = token.status.clone().unwrap_or_default();
    let Some(name) = status.secret_name else { return Ok(None) };
    let namespace = token.namespace().unwrap_or_default();
    let secrets: Api<Secret> = Api::namespaced(management.clone(), &namespace);
    let secret = secrets.get_opt(&name).await.map_err(Error::request(format!("read the Secret `{name}`")))?;
    Ok(secret.as_ref().and_then(Join::read).map(|join| Handed {
        name: token.name_any(),
        join,
        expires_at: status.expires_at.map(|time| time.0),
        max_uses: token.spec.max_uses,
    }))
}

async fn get(management: &Client, namespace: &str, name: &str) -> Result<JoinToken, Error> {
    let found = tokens(management, namespace).get_opt(name).await;
    let found = found.map_err(Error::request(format!("read the JoinToken `{namespace}/{name}`")))?;
    found.ok_or_else(|| Error::NoToken { name: format!("{namespace}/{name}") })
}

fn tokens(management: &Client, namespace: &str) -> Api<JoinToken> {
    Api::namespaced(management.clone(), namespace)
}
