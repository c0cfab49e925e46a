//! Identities at providers that are linked to the caller.

use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use authz::Place;
use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use kube::ResourceExt;
use records::Decision;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::providers::{Linker, begin};
use crate::caller::{Ask, Caller, Credential};
use crate::directory;
use crate::extract::{Asked, Sent};
use crate::guessing::Guesser;
use crate::hub::Hub;
use crate::problem::{Code, Problem};
use crate::providers::{self, may_vouch};

/// The routes of links.
pub(crate) fn routes() -> ApiRouter<Hub> {
    ApiRouter::new().api_route(
            "/api/v1/session/links",
            get_with(list, |operation| operation.summary("Your identities at providers").tag("session"))
                .post_with(make, |operation| {
                    operation
                        .summary("Link an identity")
                        .description("One of a directory with its name and password: 204. One of OpenID Connect: go where `location` leads.")
                        .tag("session")
                        .response::<200, Json<Leads>>()
                })
                .delete_with(delete, |operation| {
                    operation
                        .summary("Unlink an identity")
                        .description("Ends your sessions that its provider vouched for.")
                        .tag("session")
                        .response::<204, ()>()
                }),
        )
}

/// An identity of the caller.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct LinkShown {
    /// The provider's name.
    provider: String,
    /// Who one is there.
    subject: String,
    /// When it was linked.
    created: Timestamp,
    /// When one last signed in with it.
    last_sign_in: Timestamp,
}

async fn list(caller: Caller) -> Result<Json<Vec<LinkShown>>, Problem> {
    let links = caller.hub.records.links().of(&caller.subject.user).await?;
    let shown = links.into_iter().map(|link| LinkShown {
        provider: link.provider,
        subject: link.subject,
        created: link.created,
        last_sign_in: link.last_sign_in,
    });
    Ok(Json(shown.collect()))
}

/// Which identity.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewLink {
    /// Name of the provider.
    provider: String,
    /// Where to go afterwards; a path of the hub.
    #[serde(rename = "return")]
    back: Option<String>,
    /// Name in the directory.
    user: Option<String>,
    /// Password in the directory.
    password: Option<String>,
}

/// Where the browser is to go.
#[derive(Serialize, JsonSchema)]
struct Leads {
    /// URL of the provider.
    location: String,
}

async fn make(caller: Caller, Sent(asked): Sent<NewLink>) -> Result<Response, Problem> {
    let linker = linker(&caller, &asked.provider)?;
    let Some(provider) = providers::find(&caller.hub, &asked.provider) else {
        return Err(Problem::not_found("providers", &asked.provider));
    };
    log(&caller, "create", &asked.provider, Decision::Allowed).await?;
    if provider.spec.oidc.is_some() {
        let (location, cookie) =
            begin(&caller.hub, &asked.provider, asked.back.as_deref(), Some(linker)).await?;
        let location = location.to_str().map_err(|error| Problem::internal(&error))?.to_owned();
        return Ok(([(header::SET_COOKIE, cookie)], Json(Leads { location })).into_response());
    }
    let (user, password) = (asked.user.unwrap_or_default(), asked.password.unwrap_or_default());
    let guesser = Guesser::new(&format!("{}/{user}", asked.provider), &caller.facts.address);
    let now = caller.hub.now();
    guesser.heed(&caller.hub, now).await?;
    let Some(vouched) = directory::vouched(&caller.hub, &provider, &user, password).await? else {
        guesser.failed(&caller.hub, now).await?;
        log(&caller, "create", &asked.provider, Decision::Denied).await?;
        return Err(Problem::denied("name or password are wrong in the directory; check them"));
    };
    guesser.succeeded(&caller.hub).await?;
    let links = caller.hub.records.links();
    if links.link(&provider.name_any(), &vouched.subject, &linker.user, now).await? {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    log(&caller, "create", &asked.provider, Decision::Denied).await?;
    Err(Problem::new(Code::Exists, "the identity is linked to somebody else; ask them to unlink it"))
}

/// Who may link an identity of a provider: a person, whom it may vouch for, and who does not get further by it than
/// the provider that vouched for them lets them.
fn linker(caller: &Caller, provider: &str) -> Result<Linker, Problem> {
    let missing = || Problem::not_found("providers", provider);
    let found = providers::find(&caller.hub, provider).ok_or_else(missing)?;
    let Credential::Session { id, within } = &caller.credential else {
        return Err(Problem::denied("a key cannot link identities; sign in"));
    };
    let is_no_further = within.is_none() || *within == found.spec.tenant;
    if !is_no_further || !may_vouch(&found.spec, &caller.subject.user, &caller.snapshot) {
        return Err(missing());
    }
    Ok(Linker { user: caller.subject.user.clone(), session: id.clone() })
}

/// One of the caller's identities.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    /// The provider's name.
    provider: String,
    /// Who one is there.
    subject: String,
}

async fn delete(
    caller: Caller,
    Asked(Which { provider, subject }): Asked<Which>,
) -> Result<StatusCode, Problem> {
    let Credential::Session { .. } = &caller.credential else {
        return Err(Problem::denied("a key cannot unlink identities; sign in"));
    };
    log(&caller, "delete", &provider, Decision::Allowed).await?;
    let (user, records) = (&caller.subject.user, &caller.hub.records);
    if !records.links().unlink(&provider, &subject, user).await? {
        return Err(Problem::not_found("links", &provider));
    }
    let sessions = records.sessions();
    for session in sessions.of(user, caller.hub.now()).await? {
        if session.provider == provider {
            sessions.end(&session.id).await?;
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

/// What people do with their own identities needs no grant, but stands in the log.
async fn log(caller: &Caller, verb: &str, provider: &str, decision: Decision) -> Result<(), Problem> {
    let ask = Ask { verb, resource: "links", name: provider, place: Place::Platform };
    let reason = "one's own identity".to_owned();
    let entry = records::AuditEntry { decision, reason, ..caller.entry(&ask) };
    caller.facts.append(&caller.hub, entry).await?;
    Ok(())
}
