//! Users: people and machines, their passwords.

mod resets;

use aide::axum::ApiRouter;
use aide::axum::routing::put_with;
use api::{User, UserSpec};
use authn::WeakPassword;
use authz::{Place, Who};
use axum::http::StatusCode;
use kube::ResourceExt;
use kube::runtime::reflector::Store;
use schemars::JsonSchema;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Change, Noun};
use crate::caches::Caches;
use crate::caller::{Ask, Caller};
use crate::extract::{Named, Sent};
use crate::factors::{Proof, prove};
use crate::hub::Hub;
use crate::passwords;
use crate::problem::Problem;
use resets::require_over;

impl Noun for User {
    const RESOURCE: &'static str = "users";

    fn cache(caches: &Caches) -> &Store<Self> {
        &caches.users
    }

    fn place<'a>(_: &'a str, spec: &'a UserSpec) -> Place<'a> {
        spec.tenant.as_deref().map_or(Place::Platform, Place::Tenant)
    }

    async fn check(caller: &Caller, change: &Change<'_, Self>) -> Result<(), Problem> {
        match change {
            // Grants may still name one of this name who is gone.
            Change::Create { name, .. } => outranks(caller, name),
            Change::Replace { old, spec } => {
                outranks(caller, &old.name_any())?;
                let place = Self::place("", spec);
                if place == Self::place("", &old.spec) {
                    return Ok(());
                }
                let name = old.name_any();
                caller.require(&Ask { verb: "create", resource: "users", name: &name, place }).await
            }
            Change::Delete { old } => outranks(caller, &old.name_any()),
        }
    }

    /// What is left of one who had this name, and was deleted past the hub, is not the new one's.
    async fn made(hub: &Hub, name: &str) -> Result<(), Problem> {
        Self::gone(hub, name).await
    }

    async fn gone(hub: &Hub, name: &str) -> Result<(), Problem> {
        passwords::forget(hub, name).await?;
        hub.records.sessions().end_all(name, None).await?;
        hub.records.keys().delete_all(name).await?;
        hub.records.codes().forget(name).await?;
        hub.records.passkeys().forget_all(name).await?;
        hub.records.links().unlink_all(name).await?;
        Ok(())
    }

    /// A user who is disabled does not come back to sessions of before.
    async fn written(hub: &Hub, user: &Self) -> Result<(), Problem> {
        if user.spec.disabled {
            hub.records.sessions().end_all(&user.name_any(), None).await?;
        }
        Ok(())
    }
}

/// Whoever changes a user could become it, and so must hold all that was given to it by name.
pub(super) fn outranks(caller: &Caller, user: &str) -> Result<(), Problem> {
    if caller.subject.user == user {
        return Ok(());
    }
    let policy = &caller.snapshot.policy;
    for grant in caller.hub.caches.grants.state().iter().filter_map(|grant| crate::index::to_grant(grant)) {
        let Some(role) = policy.role(&grant.role).filter(|_| grant.who == Who::User(user.to_owned())) else {
            continue;
        };
        super::grant::may_give(caller, role, &grant.scope).map_err(|_| {
            Problem::denied(format!("user `{user}` has rights that you lack; ask somebody who has them all"))
        })?;
    }
    Ok(())
}

/// The routes that only users have.
pub(super) fn routes() -> ApiRouter<Hub> {
    resets::routes().api_route(
        "/api/v1/users/{name}/password",
        put_with(set_password, |operation| {
            operation
                .summary("Set a user's password")
                .description("One's own with the old one; that of others with the right to update them. Ends all their other sessions.")
                .tag("users")
                .response::<204, ()>()
        }),
    )
}

/// A new password.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// The new one.
    #[schemars(length(min = 12, max = 1024))]
    password: String,
    /// The old one, for one's own.
    old: Option<String>,
}

async fn set_password(
    caller: Caller,
    Named(name): Named,
    Sent(asked): Sent<NewPassword>,
) -> Result<StatusCode, Problem> {
    let is_own = caller.subject.user == name;
    let keep = if is_own {
        let ask = Ask { verb: "update", resource: "users/password", name: &name, place: Place::Platform };
        let proof = Proof { password: Some(asked.old.unwrap_or_default()), code: None };
        prove(&caller, &ask, proof).await?;
        Some(caller.session().await?.to_owned())
    } else {
        require_over(&caller, &name).await?;
        None
    };
    authn::check(&asked.password, &name)
        .map_err(|weak: WeakPassword| Problem::invalid(format!("password: {weak}")))?;
    let hash = caller.hub.hashing.hash(Zeroizing::new(asked.password)).await?;
    passwords::set_password(&caller.hub, &name, &hash).await?;
    caller.hub.records.sessions().end_all(&name, keep.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}
