//! Coming back from a provider: what the browser brings is of the sign-in that it began, or is refused.

use api::IdentityProvider;
use authn::{ProviderError, SignedIn};
use aws_lc_rs::constant_time;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use kube::ResourceExt;
use records::{AuditEntry, Decision, RecordsError};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Kept, Linker, PURPOSE};
use crate::caller::{clear_flow_cookie, csrf_cookie, flow_of, session_cookie};
use crate::extract::{Asked, Named};
use crate::hub::Hub;
use crate::linking;
use crate::opening::{self, Again, Person};
use crate::problem::{Code, Problem};
use crate::providers::{self, may_vouch};
use crate::request::Facts;

/// What the provider sends back. Whatever else it adds is not heeded.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Back {
    state: Option<String>,
    code: Option<String>,
    iss: Option<String>,
}

/// Why a sign-in is refused: for the log only, outside all look alike.
enum Refused {
    Because(String),
    Failed(Problem),
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

impl From<RecordsError> for Refused {
    fn from(error: RecordsError) -> Self {
        Self::Failed(error.into())
    }
}

fn because(reason: &str) -> Refused {
    Refused::Because(reason.to_owned())
}

/// Somebody who has come back.
struct Arrived {
    user: String,
    signed_in: SignedIn,
    kept: Kept,
}

pub(super) async fn callback(
    State(hub): State<Hub>,
    facts: Facts,
    Named(name): Named,
    headers: HeaderMap,
    Asked(asked): Asked<Back>,
) -> Result<Response, Problem> {
    let now = hub.now();
    let outcome = arrive(&hub, &name, &headers, &asked, now).await;
    let (actor, reason) = match &outcome {
        Ok(arrived) => (arrived.user.clone(), format!("provider {name}")),
        Err(Refused::Because(reason)) => (String::new(), format!("provider {name}: {reason}")),
        Err(Refused::Failed(problem)) => (String::new(), format!("provider {name}: {}", problem.detail)),
    };
    let links = outcome.as_ref().is_ok_and(|arrived| arrived.kept.link.is_some());
    let entry = AuditEntry {
        actor,
        actor_kind: "person".to_owned(),
        verb: "create".to_owned(),
        resource: if links { "links" } else { "sessions" }.to_owned(),
        decision: if outcome.is_ok() { Decision::Allowed } else { Decision::Denied },
        reason,
        ..facts.entry(&hub)
    };
    facts.append(&hub, entry).await?;
    let mut response = match outcome {
        Ok(arrived) => settle(&hub, &facts, &name, arrived, now).await?,
        Err(Refused::Because(_)) => refusal().into_response(),
        Err(Refused::Failed(problem)) => problem.into_response(),
    };
    response.headers_mut().append(header::SET_COOKIE, clear_flow_cookie());
    Ok(response)
}

fn refusal() -> Problem {
    Problem::new(
        Code::Unauthenticated,
        "signing in at the provider failed; begin again, and if it fails again, tell whoever runs the hub",
    )
}

/// Checks everything that a browser brings back, from the cheapest to the dearest.
async fn arrive(
    hub: &Hub,
    name: &str,
    headers: &HeaderMap,
    asked: &Back,
    now: Timestamp,
) -> Result<Arrived, Refused> {
    let sealed = flow_of(headers).ok_or_else(|| because("the browser did not begin a sign-in"))?;
    let text = hub.sealer.open(PURPOSE, sealed).ok_or_else(|| because("the sign-in's cookie was changed"))?;
    let kept: Kept =
        serde_json::from_str(&text).map_err(|_| because("the sign-in's cookie is of another version"))?;
    let state = asked.state.as_deref().unwrap_or_default();
    if constant_time::verify_slices_are_equal(state.as_bytes(), kept.flow.state.as_bytes()).is_err() {
        return Err(because("the state is of another sign-in"));
    }
    let provider =
        providers::find(hub, name).filter(|provider| kept.provider == name && provider.uid() == kept.uid);
    let provider = provider.ok_or_else(|| because("the sign-in began at another provider"))?;
    if kept.expires <= now {
        return Err(because("the sign-in took too long"));
    }
    if !hub.records.vouchers().spend_flow(&kept.flow.state, kept.expires).await? {
        return Err(because("the sign-in has come back before"));
    }
    let code = asked.code.as_deref().ok_or_else(|| because("the provider gave no code"))?;
    let finished = async {
        let client = providers::oidc(hub, &provider).await?;
        if asked.iss.as_deref().is_some_and(|issuer| !client.is_issuer(issuer)) {
            return Err(ProviderError::Refused("the answer is of another issuer"));
        }
        client.finish(&kept.flow, code, now).await
    };
    let signed_in = finished.await.map_err(|error| {
        providers::note(name, &error);
        Refused::Because(error.to_string())
    })?;
    let user = match &kept.link {
        Some(linker) => link(hub, &provider, &signed_in.vouched.subject, linker, now).await?,
        None => linking::user_of(hub, &provider, &signed_in.vouched, now).await?.map_err(because)?,
    };
    Ok(Arrived { user, signed_in, kept })
}

/// Links an identity to whoever began, if they are still signed in.
async fn link(
    hub: &Hub,
    provider: &IdentityProvider,
    subject: &str,
    linker: &Linker,
    now: Timestamp,
) -> Result<String, Refused> {
    let session = hub.records.sessions().find(&linker.session, now).await?;
    if session.is_none_or(|session| session.user != linker.user) {
        return Err(because("whoever wanted to link the identity is not signed in any more"));
    }
    if !may_vouch(&provider.spec, &linker.user, &hub.index.now()) {
        return Err(because("the provider may not vouch for a user outside of its tenant"));
    }
    if !hub.records.links().link(&provider.name_any(), subject, &linker.user, now).await? {
        return Err(because("the identity is linked to somebody else"));
    }
    Ok(linker.user.clone())
}

/// Leads to the page that was asked for, with a session if there is none yet.
async fn settle(
    hub: &Hub,
    facts: &Facts,
    provider: &str,
    arrived: Arrived,
    now: Timestamp,
) -> Result<Response, Problem> {
    let Arrived { user, signed_in, kept } = arrived;
    let location = HeaderValue::try_from(kept.back).map_err(|error| Problem::internal(&error))?;
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response();
    if kept.link.is_some() {
        return Ok(response);
    }
    let SignedIn { vouched, refresh_token } = signed_in;
    let again = Again::With { subject: vouched.subject, refresh_token };
    let person = Person { user, provider: provider.to_owned(), groups: vouched.groups, again };
    let opened = opening::open(hub, facts, person, now).await?;
    let lasts = opened.lasts;
    let cookies = [session_cookie(&opened.token, lasts), csrf_cookie(&opened.csrf, lasts)];
    for cookie in cookies.into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
