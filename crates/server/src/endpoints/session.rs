//! Signing in with a password, who one is, signing out.

pub(crate) mod passkey;

use aide::axum::routing::post_with;
use aide::axum::{ApiRouter, IntoApiResponse};
use aide::transform::TransformOperation;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use jiff::Timestamp;
use records::{AuditEntry, Decision};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::caller::{Caller, Credential, clear_cookie, clear_csrf_cookie, csrf_cookie, session_cookie};
use crate::extract::Sent;
use crate::factors;
use crate::guessing::Guesser;
use crate::hub::Hub;
use crate::opening::{self, Again, Person};
use crate::problem::{Code, Problem};
use crate::providers::{self, LOCAL};
use crate::request::Facts;
use crate::{directory, linking, passwords};

/// A name and a password.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SignIn {
    /// Name of the user.
    #[schemars(length(min = 1, max = 253))]
    user: String,
    /// The password.
    #[schemars(length(min = 1, max = 1024))]
    password: String,
    /// Six digits of the second factor, if the user has one, or a recovery code.
    code: Option<String>,
    /// Name of the directory that knows them; local users have none.
    provider: Option<String>,
    /// How the session is carried: a cookie for browsers, a token for programs.
    #[serde(default)]
    carrier: CarrierChoice,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CarrierChoice {
    #[default]
    Cookie,
    Token,
}

/// A session that was opened.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Opened {
    /// Name of the user.
    user: String,
    /// When it ends.
    expires: Timestamp,
    /// What pages send as `X-Flotilla-Csrf` with everything that changes something.
    csrf: String,
    /// The session's token, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// Who one is.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Me {
    /// Name of the user.
    user: String,
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    /// Groups that grants can name.
    groups: Vec<String>,
    /// `person` or `key`.
    kind: String,
}

/// The routes of signing in and out.
pub(crate) fn routes() -> ApiRouter<Hub> {
    ApiRouter::new()
        .api_route(
            "/api/v1/session",
            post_with(open, describe_open).get_with(show, describe_show).delete_with(end, describe_end),
        )
        .api_route("/api/v1/session/passkey/begin", post_with(passkey::begin, passkey::describe_begin))
        .api_route("/api/v1/session/passkey/finish", post_with(passkey::finish, passkey::describe_finish))
}

fn describe_open(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation.summary("Sign in with a password").tag("session").response::<200, Json<Opened>>()
}

/// Opens a session.
async fn open(
    State(hub): State<Hub>,
    facts: Facts,
    Sent(asked): Sent<SignIn>,
) -> Result<impl IntoApiResponse, Problem> {
    let account = match &asked.provider {
        None => asked.user.clone(),
        Some(provider) => format!("{provider}/{}", asked.user),
    };
    let guesser = Guesser::new(&account, &facts.address);
    guesser.heed(&hub, hub.now()).await?;
    let outcome = check(&hub, &asked).await;
    let person = conclude(&hub, &facts, &guesser, &account, outcome).await?;
    answer(&hub, &facts, person, asked.carrier).await
}

/// A user of whom the hub itself knows who they are.
pub(crate) fn local(user: &str) -> Person {
    Person { user: user.to_owned(), provider: LOCAL.to_owned(), groups: Vec::new(), again: Again::Never }
}

/// Writes into the log what came of a try to sign in, and lets failures cost time.
async fn conclude(
    hub: &Hub,
    facts: &Facts,
    guesser: &Guesser,
    actor: &str,
    outcome: Result<Person, Problem>,
) -> Result<Person, Problem> {
    let entry = AuditEntry {
        actor: outcome.as_ref().map_or_else(|_| actor.to_owned(), |person| person.user.clone()),
        actor_kind: "person".to_owned(),
        verb: "create".to_owned(),
        resource: "sessions".to_owned(),
        decision: if outcome.is_ok() { Decision::Allowed } else { Decision::Denied },
        reason: outcome.as_ref().err().map(|problem| problem.detail.clone()).unwrap_or_default(),
        ..facts.entry(hub)
    };
    facts.append(hub, entry).await?;
    match outcome {
        Ok(person) => guesser.succeeded(hub).await.map(|()| person),
        Err(problem) if problem.code == Code::Unauthenticated => {
            guesser.failed(hub, hub.now()).await?;
            Err(problem)
        }
        Err(problem) => {
            guesser.forgiven(hub).await?;
            Err(problem)
        }
    }
}

/// Opens a session, and gives it to a browser or a program.
pub(crate) async fn answer(
    hub: &Hub,
    facts: &Facts,
    person: Person,
    carrier: CarrierChoice,
) -> Result<Response, Problem> {
    let user = person.user.clone();
    let session = opening::open(hub, facts, person, hub.now()).await?;
    let is_cookie = carrier == CarrierChoice::Cookie;
    let cookies = [session_cookie(&session.token, session.lasts), csrf_cookie(&session.csrf, session.lasts)];
    let token = (!is_cookie).then(|| session.token.to_string());
    let opened = Opened { user, expires: session.expires, csrf: session.csrf.to_string(), token };
    let mut response = Json(opened).into_response();
    for cookie in cookies.into_iter().flatten().filter(|_| is_cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

fn wrong() -> Problem {
    Problem::new(
        Code::Unauthenticated,
        "name, password or code are wrong, or the user is disabled; check them, or ask whoever runs the hub for a new password",
    )
}

/// Whoever a directory knows by this name and password. What is wrong stands in the log only.
async fn of_directory(hub: &Hub, asked: &SignIn, name: &str) -> Result<Person, Problem> {
    let provider = providers::find(hub, name).filter(|provider| provider.spec.ldap.is_some());
    let provider = provider.ok_or_else(wrong)?;
    let vouched = directory::vouched(hub, &provider, &asked.user, asked.password.clone()).await?;
    let vouched = vouched.ok_or_else(wrong)?;
    let user = linking::user_of(hub, &provider, &vouched, hub.now()).await?.map_err(|reason| {
        tracing::info!(provider = name, reason, "somebody whom a directory knows is not let in");
        wrong()
    })?;
    let again = Again::With { subject: vouched.subject, refresh_token: None };
    Ok(Person { user, provider: name.to_owned(), groups: vouched.groups, again })
}

/// Whose name, password and code are right. Which of them is wrong is not told, but that a code is missing.
async fn check(hub: &Hub, asked: &SignIn) -> Result<Person, Problem> {
    if let Some(name) = &asked.provider {
        return of_directory(hub, asked, name).await;
    }
    let kept = if hub.index.now().is_active(&asked.user) {
        passwords::kept(hub, &asked.user).await?
    } else {
        passwords::Kept::default()
    };
    if !hub.hashing.is_right(kept.password.clone(), Zeroizing::new(asked.password.clone())).await? {
        return Err(wrong());
    }
    if kept.totp.is_none() {
        return Ok(local(&asked.user));
    }
    let Some(code) = &asked.code else {
        return Err(Problem::new(
            Code::SecondFactor,
            "the user has a second factor; add its six digits, or a recovery code, as `code`",
        ));
    };
    if factors::is_second(hub, &asked.user, &kept, code).await? {
        Ok(local(&asked.user))
    } else {
        Err(wrong())
    }
}

fn describe_show(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation.summary("Who you are").tag("session")
}

/// Who the caller is.
async fn show(caller: Caller) -> Json<Me> {
    let user = caller.snapshot.users.get(&caller.subject.user);
    Json(Me {
        display_name: user.and_then(|user| user.display_name.clone()),
        groups: caller.subject.groups.clone(),
        kind: caller.credential.kind().to_owned(),
        user: caller.subject.user,
    })
}

fn describe_end(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation.summary("Sign out").tag("session").response::<204, ()>()
}

/// Ends the caller's session.
async fn end(caller: Caller) -> Result<impl IntoApiResponse, Problem> {
    let Credential::Session { id, .. } = &caller.credential else {
        return Err(Problem::invalid("a key has no session to end; delete the key instead"));
    };
    caller.hub.records.sessions().end(id).await?;
    let cookies = [clear_cookie(), clear_csrf_cookie()].map(|cookie| (header::SET_COOKIE, cookie));
    Ok((StatusCode::NO_CONTENT, AppendHeaders(cookies)).into_response())
}
