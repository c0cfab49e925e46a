//! One's own sessions: where one is signed in, and an end of that.

use aide::axum::ApiRouter;
use aide::axum::routing::{delete_with, get_with};
use aide::transform::TransformOperation;
use axum::Json;
use axum::http::StatusCode;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::caller::Caller;
use crate::extract::Named;
use crate::hub::Hub;
use crate::problem::Problem;

const RESOURCE: &str = "sessions";

/// A session.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SessionShown {
    /// By which it is known.
    id: String,
    /// Whether it is the one that asks.
    current: bool,
    /// Who vouched for you.
    provider: String,
    /// When you signed in.
    created: Timestamp,
    /// When it was last in use, up to a minute.
    last_used: Timestamp,
    /// When it ends.
    expires: Timestamp,
    /// From where you signed in.
    address: String,
    /// With what.
    agent: String,
}

/// The routes of one's own sessions.
pub(crate) fn routes() -> ApiRouter<Hub> {
    ApiRouter::new()
        .api_route(
            "/api/v1/sessions",
            get_with(list, describe_list).delete_with(end_others, describe_end_others),
        )
        .api_route("/api/v1/sessions/{name}", delete_with(end, describe_end))
}

fn describe_list(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation.summary("Where you are signed in").tag(RESOURCE)
}

/// The caller's sessions.
async fn list(caller: Caller) -> Result<Json<Vec<SessionShown>>, Problem> {
    let own = caller.session().await?;
    let sessions = caller.hub.records.sessions().of(&caller.subject.user, caller.hub.now()).await?;
    let shown = sessions.into_iter().map(|session| SessionShown {
        current: session.id == own,
        id: session.id,
        provider: session.provider,
        created: session.created,
        last_used: session.last_seen,
        expires: session.expires,
        address: session.address,
        agent: session.agent,
    });
    Ok(Json(shown.collect()))
}

fn describe_end(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation.summary("End one of your sessions").tag(RESOURCE).response::<204, ()>()
}

/// Ends one of the caller's sessions.
async fn end(caller: Caller, Named(id): Named) -> Result<StatusCode, Problem> {
    caller.session().await?;
    let (sessions, user) = (caller.hub.records.sessions(), &caller.subject.user);
    caller.note_own("delete", RESOURCE, &id).await?;
    let found = sessions.find(&id, caller.hub.now()).await?;
    if found.is_none_or(|session| session.user != *user) {
        return Err(Problem::not_found(RESOURCE, &id));
    }
    sessions.end(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn describe_end_others(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation.summary("End all your sessions but this one").tag(RESOURCE).response::<204, ()>()
}

/// Ends the caller's other sessions.
async fn end_others(caller: Caller) -> Result<StatusCode, Problem> {
    let own = caller.session().await?;
    caller.note_own("deletecollection", RESOURCE, "").await?;
    caller.hub.records.sessions().end_all(&caller.subject.user, Some(own)).await?;
    Ok(StatusCode::NO_CONTENT)
}
