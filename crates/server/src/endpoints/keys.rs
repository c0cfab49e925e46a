//! Keys for programs: made by their owner, shown once.

use aide::transform::TransformOperation;
use authn::{Kind, Minted};
use authz::{Place, Tree};
use axum::Json;
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use records::{Key, NewKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::caller::{Caller, Credential, KeyScope};
use crate::extract::{Named, Sent};
use crate::problem::Problem;

/// Longest life of a key.
const LONGEST_DAYS: i64 = 366;

/// A key to make.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MakeKey {
    /// What its owner calls it.
    #[schemars(length(min = 1, max = 253))]
    name: String,
    /// Days until it ends, 1 to 366.
    #[schemars(range(min = 1, max = 366))]
    days: i64,
    /// What it may do of what its owner may.
    #[serde(default)]
    scope: KeyScope,
}

/// A key.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyShown {
    /// By which it is known.
    id: String,
    /// What its owner calls it.
    name: String,
    /// What it may do of what its owner may; nothing if it cannot be read.
    scope: Option<KeyScope>,
    /// When it was made.
    created: Timestamp,
    /// When it ends.
    expires: Option<Timestamp>,
    /// When it was last used.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used: Option<Timestamp>,
    /// From where.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_address: Option<String>,
}

/// A key that was made. Its text is shown only here.
#[derive(Serialize, JsonSchema)]
pub(crate) struct KeyMade {
    /// By which it is known.
    id: String,
    /// What goes into `Authorization: Bearer`.
    key: String,
    /// When it ends.
    expires: Timestamp,
}

pub(crate) fn describe_list(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation.summary("Your keys").tag("keys")
}

/// The caller's keys.
pub(crate) async fn list(caller: Caller) -> Result<Json<Vec<KeyShown>>, Problem> {
    let keys = caller.hub.records.keys().of(&caller.subject.user).await?;
    Ok(Json(keys.into_iter().map(shown).collect()))
}

fn shown(key: Key) -> KeyShown {
    KeyShown {
        scope: serde_json::from_str(&key.scope).ok(),
        id: key.id,
        name: key.name,
        created: key.created,
        expires: key.expires,
        last_used: key.last_used,
        last_address: key.last_address,
    }
}

pub(crate) fn describe_make(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation.summary("Make a key").tag("keys").response::<201, Json<KeyMade>>()
}

/// Makes a key. A key makes no other, so that one that leaks ends when it is deleted.
pub(crate) async fn make(
    caller: Caller,
    Sent(asked): Sent<MakeKey>,
) -> Result<(StatusCode, Json<KeyMade>), Problem> {
    caller.session().await?;
    let within = match &caller.credential {
        Credential::Session { within, .. } => within,
        Credential::Key { .. } => &None,
    };
    if asked.name.is_empty() || asked.name.len() > 253 {
        return Err(Problem::invalid("name: must have 1 to 253 bytes"));
    }
    if !(1..=LONGEST_DAYS).contains(&asked.days) {
        return Err(Problem::invalid(format!("days: `{}` is not between 1 and {LONGEST_DAYS}", asked.days)));
    }
    let scope = narrowed(asked.scope, within.as_deref(), caller.snapshot.policy.tree())?;
    let now = caller.hub.now();
    let minted = Minted::new(Kind::ApiKey).map_err(|error| Problem::internal(&error))?;
    let expires = now + SignedDuration::from_hours(24 * asked.days);
    let key = NewKey {
        id: minted.id.clone(),
        digest: records::Digest(minted.digest.0),
        user: caller.subject.user.clone(),
        name: asked.name,
        scope: serde_json::to_string(&scope).map_err(|error| Problem::internal(&error))?,
        expires: Some(expires),
    };
    caller.note_own("create", "keys", &key.id).await?;
    caller.hub.records.keys().add(&key, now).await?;
    Ok((StatusCode::CREATED, Json(KeyMade { id: minted.id, key: minted.text.to_string(), expires })))
}

/// A key gets no further than the session that makes it.
fn narrowed(scope: KeyScope, within: Option<&str>, tree: &Tree) -> Result<KeyScope, Problem> {
    let Some(tenant) = within else { return Ok(scope) };
    if scope.tenants.is_empty() && scope.clusters.is_empty() {
        return Ok(KeyScope { tenants: vec![tenant.to_owned()], ..scope });
    }
    let homes = scope.clusters.iter().map(|cluster| tree.tenant_of(Place::Cluster(cluster)));
    let mut homes = homes.chain(scope.tenants.iter().map(|tenant| Some(tenant.as_str())));
    if homes.all(|home| home.is_some_and(|home| tree.is_within(home, tenant))) {
        return Ok(scope);
    }
    Err(Problem::denied(format!(
        "scope: your provider vouches for you in tenant `{tenant}` only; name what is in it"
    )))
}

pub(crate) fn describe_delete(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation.summary("Delete a key").tag("keys").response::<204, ()>()
}

/// Deletes a key of the caller.
pub(crate) async fn delete(caller: Caller, Named(id): Named) -> Result<StatusCode, Problem> {
    caller.note_own("delete", "keys", &id).await?;
    let was_there = caller.hub.records.keys().delete(&id, &caller.subject.user).await?;
    if was_there { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found("keys", &id)) }
}
