//! One's own second factor: an app's codes, and recovery codes for when the app is lost.

use aide::axum::ApiRouter;
use aide::axum::routing::{get_with, post_with};
use aide::transform::TransformOperation;
use authn::{Code as Step, Digest, Enrolment, RecoveryCode};
use authz::Place;
use axum::Json;
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::caller::{Ask, Caller};
use crate::extract::Sent;
use crate::factors::{Proof, prove};
use crate::guessing::Guesser;
use crate::hub::Hub;
use crate::passwords::{self, PASSKEYS, PENDING, Pending, RECOVERY, TOTP, recovery_text};
use crate::problem::Problem;

const RESOURCE: &str = "factors";
/// What apps show above the code.
const ISSUER: &str = "Flotilla";
/// How long a second factor may wait to be confirmed.
const LASTS: SignedDuration = SignedDuration::from_mins(15);
const RECOVERY_CODES: usize = 10;

/// How somebody signs in.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct FactorsShown {
    /// Whether signing in with the password takes a code.
    totp: bool,
    /// Recovery codes that were not used.
    recovery_codes: usize,
    /// How many passkeys there are.
    passkeys: usize,
}

/// A second factor to confirm.
#[derive(Serialize, JsonSchema)]
struct Begun {
    /// What is typed into an app that reads no picture.
    secret: String,
    /// What an app reads from a picture of it.
    uri: String,
    /// Until when it can be confirmed.
    expires: Timestamp,
}

/// What an app shows.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Confirm {
    /// Six digits.
    code: String,
}

/// Codes that are shown only here. Each signs in once, in the place of an app's code.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RecoveryCodes {
    recovery_codes: Vec<String>,
}

/// The routes of one's own second factor.
pub(crate) fn routes() -> ApiRouter<Hub> {
    ApiRouter::new()
        .api_route("/api/v1/me/factors", get_with(show, describe_show))
        .api_route("/api/v1/me/totp/begin", post_with(begin, describe_begin))
        .api_route("/api/v1/me/totp/confirm", post_with(confirm, describe_confirm))
        .api_route("/api/v1/me/totp/disable", post_with(disable, describe_disable))
        .api_route("/api/v1/me/recovery-codes", post_with(renew, describe_renew))
}

fn describe_show(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation.summary("How you sign in").tag("me")
}

/// What the caller has.
async fn show(caller: Caller) -> Result<Json<FactorsShown>, Problem> {
    caller.session().await?;
    let kept = passwords::kept(&caller.hub, &caller.subject.user).await?;
    Ok(Json(FactorsShown {
        totp: kept.totp.is_some(),
        recovery_codes: kept.recovery.len(),
        passkeys: kept.passkeys.len(),
    }))
}

fn ask<'a>(caller: &'a Caller, verb: &'a str) -> Ask<'a> {
    Ask { verb, resource: RESOURCE, name: &caller.subject.user, place: Place::Platform }
}

fn describe_begin(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("Begin with a second factor")
        .description("It counts once a code of it was confirmed, within 15 minutes.")
        .tag("me")
}

/// Makes a secret that waits to be confirmed.
async fn begin(caller: Caller, Sent(proof): Sent<Proof>) -> Result<Json<Begun>, Problem> {
    let (hub, user) = (&caller.hub, caller.subject.user.as_str());
    let kept = prove(&caller, &ask(&caller, "create"), proof).await?;
    if kept.totp.is_some() {
        return Err(Problem::invalid("you have a second factor already; disable it first"));
    }
    let enrolment = Enrolment::new().map_err(|error| Problem::internal(&error))?;
    let pending = Pending { enrolment, expires: hub.now() + LASTS };
    passwords::change(hub, user, &kept, [(PENDING, Some(pending.text().as_str()))]).await?;
    Ok(Json(Begun {
        secret: pending.enrolment.expose().to_string(),
        uri: pending.enrolment.uri(ISSUER, user).to_string(),
        expires: pending.expires,
    }))
}

fn describe_confirm(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation.summary("Confirm a second factor").description("Answers recovery codes, once.").tag("me")
}

/// Makes the secret that waits the second factor, if the caller's app has it.
async fn confirm(caller: Caller, Sent(asked): Sent<Confirm>) -> Result<Json<RecoveryCodes>, Problem> {
    caller.session().await?;
    let (hub, user, now) = (&caller.hub, caller.subject.user.as_str(), caller.hub.now());
    let kept = passwords::kept(hub, user).await?;
    let pending = kept.pending.as_ref().filter(|pending| now < pending.expires);
    let pending = pending.ok_or_else(|| Problem::invalid("no second factor waits for you; begin again"))?;
    let guesser = Guesser::new(user, &caller.facts.address);
    guesser.heed(hub, now).await?;
    caller.note_own("update", RESOURCE, user).await?;
    let step = pending.enrolment.accept(&asked.code, None, now);
    let step = step.and_then(|Step(step)| u64::try_from(step).ok());
    let is_new = match step {
        Some(step) => hub.records.codes().accept_step(user, step).await?,
        None => false,
    };
    if !is_new {
        guesser.failed(hub, now).await?;
        return Err(Problem::invalid(
            "code: is not the one that the app shows now; check the clock of the phone, or wait for the next code",
        ));
    }
    guesser.succeeded(hub).await?;
    let (shown, digests) = recovery_codes()?;
    let recovery = recovery_text(&digests);
    let secret = pending.enrolment.expose();
    let values = [(TOTP, Some(secret.as_str())), (PENDING, None), (RECOVERY, Some(recovery.as_str()))];
    passwords::change(hub, user, &kept, values).await?;
    Ok(Json(shown))
}

fn recovery_codes() -> Result<(RecoveryCodes, Vec<Digest>), Problem> {
    let codes: Result<Vec<_>, _> = (0..RECOVERY_CODES).map(|_| RecoveryCode::new()).collect();
    let codes = codes.map_err(|error| Problem::internal(&error))?;
    let digests = codes.iter().map(|code| code.digest).collect();
    Ok((RecoveryCodes { recovery_codes: codes.iter().map(|code| code.text.to_string()).collect() }, digests))
}

fn describe_renew(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("Make new recovery codes")
        .description("Those of before are of no use any more.")
        .tag("me")
}

/// Replaces the recovery codes.
async fn renew(caller: Caller, Sent(proof): Sent<Proof>) -> Result<Json<RecoveryCodes>, Problem> {
    let kept = prove(&caller, &ask(&caller, "update"), proof).await?;
    if kept.totp.is_none() {
        return Err(Problem::invalid("recovery codes stand in for a second factor, and you have none"));
    }
    let (shown, digests) = recovery_codes()?;
    let text = recovery_text(&digests);
    passwords::change(&caller.hub, &caller.subject.user, &kept, [(RECOVERY, Some(text.as_str()))]).await?;
    Ok(Json(shown))
}

fn describe_disable(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation.summary("Disable your second factor").tag("me").response::<204, ()>()
}

/// Takes the second factor away.
async fn disable(caller: Caller, Sent(proof): Sent<Proof>) -> Result<StatusCode, Problem> {
    let kept = prove(&caller, &ask(&caller, "delete"), proof).await?;
    let (hub, user) = (&caller.hub, &caller.subject.user);
    passwords::change(hub, user, &kept, [(TOTP, None), (PENDING, None), (RECOVERY, None)]).await?;
    // The steps of another secret are other codes.
    hub.records.codes().forget(user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes away whatever a user has beside the password, who has lost it.
pub(crate) async fn reset(hub: &Hub, user: &str) -> Result<(), Problem> {
    let kept = passwords::kept(hub, user).await?;
    if kept.is_there() {
        let values = [(TOTP, None), (PENDING, None), (RECOVERY, None), (PASSKEYS, None)];
        passwords::change(hub, user, &kept, values).await?;
    }
    hub.records.codes().forget(user).await?;
    hub.records.passkeys().forget_all(user).await?;
    Ok(())
}
