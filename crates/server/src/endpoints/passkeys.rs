//! One's own passkeys: which there are, adding one, deleting one.

use std::collections::BTreeMap;
use std::time::Duration;

use aide::axum::ApiRouter;
use aide::axum::routing::{delete_with, get_with, post_with};
use aide::transform::TransformOperation;
use authn::{ALGORITHMS, Ceremony, ClientData};
use authz::Place;
use axum::Json;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use records::Challenge;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::caller::{Ask, Caller};
use crate::extract::{Named, Sent};
use crate::factors::{Proof, prove, relying_party};
use crate::hub::Hub;
use crate::passwords::{self, Kept, KeptPasskey, PASSKEYS};
use crate::problem::{Code, Problem};
use crate::request::Facts;

const RESOURCE: &str = "passkeys";
/// How long a challenge is good.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(5);
/// Challenges that may wait for one address, behind which a whole company may sit.
const MOST_WAITING: u64 = 1000;
/// Passkeys of one user.
const MOST: usize = 20;
/// Longest name of a passkey, in bytes.
const LONGEST_NAME: usize = 64;

/// What goes into the browser's `navigator.credentials`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ceremonial {
    /// The options, in JSON as the standard has it.
    pub(crate) public_key: Value,
}

/// A passkey.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PasskeyShown {
    /// Id of the credential.
    id: String,
    /// What its owner calls it.
    name: String,
    /// When it was added.
    created: Timestamp,
    /// When somebody last signed in with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used: Option<Timestamp>,
}

/// What an authenticator made.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AddPasskey {
    /// What you call it.
    #[schemars(length(min = 1, max = 64))]
    name: String,
    credential: Attestation,
}

/// `RegistrationResponseJSON` of the standard, as far as it is read.
#[derive(Deserialize, JsonSchema)]
struct Attestation {
    response: AttestationResponse,
}

/// Bytes are URL-safe base 64.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct AttestationResponse {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    authenticator_data: String,
    /// The public key, as a `SubjectPublicKeyInfo`.
    public_key: String,
    public_key_algorithm: i64,
}

/// Keeps something to sign.
pub(crate) async fn challenge(
    hub: &Hub,
    facts: &Facts,
    ceremony: Ceremony,
    user: &str,
) -> Result<String, Problem> {
    let (now, challenges) = (hub.now(), hub.records.challenges());
    if challenges.waiting(&facts.address, now).await? >= MOST_WAITING {
        let seconds = TIMEOUT.as_secs();
        return Err(Problem::too_many("too many have begun with a passkey and not gone on; wait", seconds));
    }
    let id = authn::challenge().map_err(|error| Problem::internal(&error))?;
    let lasts = SignedDuration::try_from(TIMEOUT).map_err(|error| Problem::internal(&error))?;
    let challenge = Challenge {
        id: id.clone(),
        purpose: ceremony.to_string(),
        user: user.to_owned(),
        address: facts.address.clone(),
        expires: now + lasts,
    };
    challenges.begin(&challenge).await?;
    Ok(id)
}

/// The routes of one's own passkeys.
pub(crate) fn routes() -> ApiRouter<Hub> {
    ApiRouter::new()
        .api_route("/api/v1/me/passkeys", get_with(list, describe_list))
        .api_route("/api/v1/me/passkeys/begin", post_with(begin, describe_begin))
        .api_route("/api/v1/me/passkeys/finish", post_with(finish, describe_finish))
        .api_route("/api/v1/me/passkeys/{name}", delete_with(delete, describe_delete))
}

fn describe_list(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation.summary("Your passkeys").tag("me")
}

/// The caller's passkeys.
async fn list(caller: Caller) -> Result<Json<Vec<PasskeyShown>>, Problem> {
    caller.session().await?;
    let user = &caller.subject.user;
    let kept = passwords::kept(&caller.hub, user).await?;
    let mut last: BTreeMap<_, _> = caller.hub.records.passkeys().last_uses(user).await?.into_iter().collect();
    let shown = |passkey: KeptPasskey| PasskeyShown {
        last_used: last.remove(&passkey.id),
        id: passkey.id,
        name: passkey.name,
        created: passkey.created,
    };
    Ok(Json(kept.passkeys.into_iter().map(shown).collect()))
}

fn describe_begin(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("Begin to add a passkey")
        .description(
            "Answers what goes into `navigator.credentials.create`. It is good once, for five minutes.",
        )
        .tag("me")
}

/// Says what the authenticator shall make.
async fn begin(caller: Caller, Sent(proof): Sent<Proof>) -> Result<Json<Ceremonial>, Problem> {
    let (hub, user) = (&caller.hub, caller.subject.user.as_str());
    let relying_party = relying_party(hub)?;
    let ask = Ask { verb: "create", resource: RESOURCE, name: "", place: Place::Platform };
    let kept = prove(&caller, &ask, proof).await?;
    heed_number(&kept)?;
    let challenge = challenge(hub, &caller.facts, Ceremony::Add, user).await?;
    let display_name = caller.snapshot.users.get(user).and_then(|user| user.display_name.clone());
    let known = kept.passkeys.iter().map(|passkey| json!({ "type": "public-key", "id": passkey.id }));
    Ok(Json(Ceremonial {
        public_key: json!({
            "rp": { "id": relying_party.id(), "name": "Flotilla" },
            "user": {
                "id": relying_party.handle(user),
                "name": user,
                "displayName": display_name.as_deref().unwrap_or(user),
            },
            "challenge": challenge,
            "pubKeyCredParams": ALGORITHMS.map(|number| json!({ "type": "public-key", "alg": number })),
            "timeout": TIMEOUT.as_millis(),
            "excludeCredentials": known.collect::<Vec<_>>(),
            "authenticatorSelection": {
                "residentKey": "required", "requireResidentKey": true, "userVerification": "required",
            },
            "attestation": "none",
        }),
    }))
}

fn heed_number(kept: &Kept) -> Result<(), Problem> {
    if kept.passkeys.len() < MOST {
        return Ok(());
    }
    Err(Problem::invalid(format!("there are {MOST} passkeys, which is the most; delete one first")))
}

fn describe_finish(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation.summary("Add a passkey").tag("me").response::<201, Json<PasskeyShown>>()
}

/// Adds what the authenticator made.
async fn finish(
    caller: Caller,
    Sent(asked): Sent<AddPasskey>,
) -> Result<(StatusCode, Json<PasskeyShown>), Problem> {
    caller.session().await?;
    if asked.name.is_empty() || asked.name.len() > LONGEST_NAME {
        return Err(Problem::invalid(format!("name: must have 1 to {LONGEST_NAME} bytes")));
    }
    let (hub, user) = (&caller.hub, caller.subject.user.as_str());
    let (passkey, counter) = made(&caller, &asked.credential.response).await?;
    let mut kept = passwords::kept(hub, user).await?;
    heed_number(&kept)?;
    caller.note_own("create", RESOURCE, &passkey.id).await?;
    if !hub.records.passkeys().add(&passkey.id, user, counter).await? {
        return Err(Problem::new(Code::Exists, "the passkey is known already; use another authenticator"));
    }
    let added = KeptPasskey::new(&passkey, asked.name, hub.now());
    kept.passkeys.push(added.clone());
    if let Err(problem) = write(hub, user, &kept).await {
        hub.records.passkeys().forget(&passkey.id, user).await?;
        return Err(problem);
    }
    let KeptPasskey { id, name, created, .. } = added;
    Ok((StatusCode::CREATED, Json(PasskeyShown { id, name, created, last_used: None })))
}

/// The passkey in an answer. The challenge is used up, whatever comes of it.
async fn made(caller: &Caller, sent: &AttestationResponse) -> Result<(authn::Passkey, u32), Problem> {
    let decode = |field: &str, text: &str| {
        let decoded = URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
        decoded.map_err(|_| Problem::invalid(format!("credential.response.{field}: is no URL-safe base 64")))
    };
    let client = decode("clientDataJSON", &sent.client_data)?;
    let refused = |refusal: authn::PasskeyRefusal| Problem::invalid(format!("credential: {refusal}"));
    let client = ClientData::read(&client).map_err(refused)?;
    let (hub, purpose) = (&caller.hub, Ceremony::Add.to_string());
    let challenges = hub.records.challenges();
    if !challenges.take(client.challenge(), &purpose, &caller.subject.user, hub.now()).await? {
        return Err(Problem::invalid(
            "credential: it answers nothing that you were asked within five minutes; begin again",
        ));
    }
    let data = decode("authenticatorData", &sent.authenticator_data)?;
    let key = decode("publicKey", &sent.public_key)?;
    relying_party(hub)?.add(&client, &data, sent.public_key_algorithm, &key).map_err(refused)
}

async fn write(hub: &Hub, user: &str, kept: &Kept) -> Result<(), Problem> {
    let list = serde_json::to_string(&kept.passkeys).map_err(|error| Problem::internal(&error))?;
    passwords::change(hub, user, kept, [(PASSKEYS, Some(list.as_str()))]).await
}

fn describe_delete(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation.summary("Delete a passkey").tag("me").response::<204, ()>()
}

/// Deletes one of the caller's passkeys.
async fn delete(caller: Caller, Named(id): Named) -> Result<StatusCode, Problem> {
    caller.session().await?;
    let (hub, user) = (&caller.hub, caller.subject.user.as_str());
    caller.note_own("delete", RESOURCE, &id).await?;
    let mut kept = passwords::kept(hub, user).await?;
    let before = kept.passkeys.len();
    kept.passkeys.retain(|passkey| passkey.id != id);
    if kept.passkeys.len() == before {
        return Err(Problem::not_found(RESOURCE, &id));
    }
    write(hub, user, &kept).await?;
    hub.records.passkeys().forget(&id, user).await?;
    Ok(StatusCode::NO_CONTENT)
}
