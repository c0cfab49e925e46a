//! Identity providers. Whoever changes one could become everybody whom it vouches for.

use aide::axum::ApiRouter;
use aide::axum::routing::put_with;
use api::{IdentityProvider, IdentityProviderSpec};
use authz::{Place, Who};
use axum::http::StatusCode;
use kube::ResourceExt;
use kube::runtime::reflector::Store;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Change, Noun, find, require};
use crate::caches::Caches;
use crate::caller::Caller;
use crate::extract::{Named, Sent};
use crate::hub::Hub;
use crate::problem::Problem;
use crate::providers::{self, LOCAL};

/// Longest name: names of users begin with it.
const LONGEST_NAME: usize = 32;

impl Noun for IdentityProvider {
    const RESOURCE: &'static str = "identityproviders";

    fn cache(caches: &Caches) -> &Store<Self> {
        &caches.providers
    }

    fn place<'a>(_: &'a str, spec: &'a IdentityProviderSpec) -> Place<'a> {
        spec.tenant.as_deref().map_or(Place::Platform, Place::Tenant)
    }

    async fn check(caller: &Caller, change: &Change<'_, Self>) -> Result<(), Problem> {
        match change {
            Change::Create { name, .. } if *name == LOCAL || name.len() > LONGEST_NAME => {
                Err(Problem::invalid("name: must have at most 32 bytes and not be `local`; choose another"))
            }
            // Grants may still name groups of one of this name that is gone.
            Change::Create { name, .. } => outranks(caller, name).await,
            Change::Replace { old, .. } | Change::Delete { old } => outranks(caller, &old.name_any()).await,
        }
    }

    /// What is left of one that had this name, and was deleted past the hub, is not the new one's.
    async fn made(hub: &Hub, name: &str) -> Result<(), Problem> {
        Self::gone(hub, name).await
    }

    async fn gone(hub: &Hub, name: &str) -> Result<(), Problem> {
        providers::forget(hub, name).await
    }
}

/// Whether the caller holds all that is given to the provider's groups and to the users that are linked to it.
async fn outranks(caller: &Caller, provider: &str) -> Result<(), Problem> {
    let policy = &caller.snapshot.policy;
    let prefix = format!("{provider}:");
    for grant in caller.hub.caches.grants.state().iter().filter_map(|grant| crate::index::to_grant(grant)) {
        let is_of_it = matches!(&grant.who, Who::Group(group) if group.starts_with(&prefix));
        let Some(role) = policy.role(&grant.role).filter(|_| is_of_it) else { continue };
        super::grant::may_give(caller, role, &grant.scope).map_err(|_| {
            Problem::denied(format!(
                "groups of provider `{provider}` have rights that you lack; ask somebody who has them all"
            ))
        })?;
    }
    for user in caller.hub.records.links().users_of(provider).await? {
        super::user::outranks(caller, &user)?;
    }
    Ok(())
}

/// The routes that only providers have.
pub(super) fn routes() -> ApiRouter<Hub> {
    ApiRouter::new().api_route(
        "/api/v1/providers/{name}/secret",
        put_with(set_secret, |operation| {
            operation
                .summary("Set a provider's secret")
                .description("The secret of the hub as its client, or the password that it binds with. It is never shown.")
                .tag("providers")
                .response::<204, ()>()
        }),
    )
}

/// A new secret.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewSecret {
    /// The client's secret, or the bind password.
    #[schemars(length(min = 1, max = 1024))]
    secret: String,
}

async fn set_secret(
    caller: Caller,
    Named(name): Named,
    Sent(asked): Sent<NewSecret>,
) -> Result<StatusCode, Problem> {
    let provider = find::<IdentityProvider>(&caller, &name)?;
    require(&caller, "update", &*provider).await?;
    outranks(&caller, &name).await?;
    if asked.secret.is_empty() || asked.secret.len() > 1024 {
        return Err(Problem::invalid("secret: must have 1 to 1024 bytes"));
    }
    providers::set_secret(&caller.hub, &name, &asked.secret).await?;
    Ok(StatusCode::NO_CONTENT)
}
