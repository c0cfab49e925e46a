//! What those above a user do when its password, phone or laptop is lost.

use aide::axum::ApiRouter;
use aide::axum::routing::delete_with;
use api::User;
use authz::Place;
use axum::http::StatusCode;
use kube::runtime::reflector::ObjectRef;

use super::super::require;
use super::outranks;
use crate::caller::{Ask, Caller};
use crate::endpoints::factors;
use crate::extract::Named;
use crate::hub::Hub;
use crate::problem::Problem;

pub(super) fn routes() -> ApiRouter<Hub> {
    ApiRouter::new()
        .api_route(
            "/api/v1/users/{name}/factors",
            delete_with(reset_factors, |operation| {
                operation
                    .summary("Take a user's second factor and passkeys away")
                    .description("For those who have lost them; the user's sessions end.")
                    .tag("users")
                    .response::<204, ()>()
            }),
        )
        .api_route(
            "/api/v1/users/{name}/sessions",
            delete_with(end_sessions, |operation| {
                operation.summary("End all sessions of a user").tag("users").response::<204, ()>()
            }),
        )
}

/// Lets somebody act on another user, whom they may update and outrank.
pub(super) async fn require_over(caller: &Caller, name: &str) -> Result<(), Problem> {
    let user = caller.hub.caches.users.get(&ObjectRef::<User>::new(name));
    let user = user.ok_or_else(|| Problem::not_found("users", name))?;
    require(caller, "update", &*user).await?;
    outranks(caller, name)
}

async fn reset_factors(caller: Caller, Named(name): Named) -> Result<StatusCode, Problem> {
    if caller.subject.user == name {
        let why =
            "one's own second factor is disabled with the password or a code, at `/api/v1/me/totp/disable`";
        let ask = Ask { verb: "update", resource: "users", name: &name, place: Place::Platform };
        return Err(caller.refuse(&ask, why).await?);
    }
    require_over(&caller, &name).await?;
    factors::reset(&caller.hub, &name).await?;
    caller.hub.records.sessions().end_all(&name, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn end_sessions(caller: Caller, Named(name): Named) -> Result<StatusCode, Problem> {
    require_over(&caller, &name).await?;
    caller.hub.records.sessions().end_all(&name, None).await?;
    Ok(StatusCode::NO_CONTENT)
}
