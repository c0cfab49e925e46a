//! Signing in with a passkey: the authenticator knows who one is, and has verified it.

use aide::axum::IntoApiResponse;
use aide::transform::TransformOperation;
use authn::{Ceremony, ClientData, Passkey};
use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kube::ResourceExt;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{CarrierChoice, Opened, answer, conclude, local};
use crate::endpoints::passkeys::{Ceremonial, TIMEOUT, challenge};
use crate::extract::Sent;
use crate::factors::relying_party;
use crate::guessing::Guesser;
use crate::hub::Hub;
use crate::passwords;
use crate::problem::{Code, Problem};
use crate::request::Facts;

/// What an authenticator signed.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct SignInWithPasskey {
    credential: Assertion,
    /// How the session is carried: a cookie for browsers, a token for programs.
    #[serde(default)]
    carrier: CarrierChoice,
}

/// `AuthenticationResponseJSON` of the standard, as far as it is read.
#[derive(Deserialize, JsonSchema)]
struct Assertion {
    /// Id of the credential, URL-safe base 64.
    id: String,
    response: AssertionResponse,
}

/// All URL-safe base 64.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct AssertionResponse {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    authenticator_data: String,
    signature: String,
    user_handle: Option<String>,
}

pub(crate) fn describe_begin(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("Begin to sign in with a passkey")
        .description("Answers what goes into `navigator.credentials.get`. It is good once, for five minutes.")
        .tag("session")
}

/// Gives something to sign.
pub(crate) async fn begin(State(hub): State<Hub>, facts: Facts) -> Result<Json<Ceremonial>, Problem> {
    let relying_party = relying_party(&hub)?;
    let challenge = challenge(&hub, &facts, Ceremony::SignIn, "").await?;
    Ok(Json(Ceremonial {
        public_key: json!({
            "challenge": challenge,
            "rpId": relying_party.id(),
            "timeout": TIMEOUT.as_millis(),
            "userVerification": "required",
            "allowCredentials": [],
        }),
    }))
}

pub(crate) fn describe_finish(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation.summary("Sign in with a passkey").tag("session").response::<200, Json<Opened>>()
}

/// Opens a session for whoever's passkey signed.
pub(crate) async fn finish(
    State(hub): State<Hub>,
    facts: Facts,
    Sent(asked): Sent<SignInWithPasskey>,
) -> Result<impl IntoApiResponse, Problem> {
    let user = named(&hub, asked.credential.response.user_handle.as_deref())?;
    let guesser = match &user {
        Some(user) => Guesser::new(user, &facts.address),
        None => Guesser::nobody(&facts.address),
    };
    guesser.heed(&hub, hub.now()).await?;
    let name = user.unwrap_or_default();
    let outcome = check(&hub, &name, &asked.credential).await.map(|()| local(&name));
    let person = conclude(&hub, &facts, &guesser, &name, outcome).await?;
    answer(&hub, &facts, person, asked.carrier).await
}

/// The user of a handle.
fn named(hub: &Hub, handle: Option<&str>) -> Result<Option<String>, Problem> {
    let relying_party = relying_party(hub)?;
    let handle = handle.map(|handle| handle.trim_end_matches('='));
    let users = hub.caches.users.state();
    let mut names = users.iter().map(|user| user.name_any());
    Ok(names.find(|name| Some(relying_party.handle(name).as_str()) == handle))
}

/// Whether a passkey of the user's signed. The challenge is used up, whatever comes of it.
async fn check(hub: &Hub, user: &str, sent: &Assertion) -> Result<(), Problem> {
    let wrong = || {
        Problem::new(
            Code::Unauthenticated,
            "the passkey is not taken: it is unknown, or was asked for by another page or too long ago, or the user is \
             disabled; try again, or sign in with your password",
        )
    };
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| wrong());
    let client = decode(&sent.response.client_data)?;
    let client = ClientData::read(&client).map_err(|_| wrong())?;
    let purpose = Ceremony::SignIn.to_string();
    let is_asked = hub.records.challenges().take(client.challenge(), &purpose, "", hub.now()).await?;
    if !is_asked || !hub.index.now().is_active(user) {
        return Err(wrong());
    }
    let kept = passwords::kept(hub, user).await?;
    let passkey: Option<Passkey> =
        kept.passkeys.iter().find(|passkey| passkey.id == sent.id).and_then(passwords::KeptPasskey::passkey);
    let passkey = passkey.ok_or_else(wrong)?;
    let (data, signature) = (decode(&sent.response.authenticator_data)?, decode(&sent.response.signature)?);
    let counter = relying_party(hub)?.verify(&passkey, &client, &data, &signature).map_err(|refusal| {
        tracing::info!(user, %refusal, "a passkey is not taken");
        wrong()
    })?;
    if hub.records.passkeys().used(&passkey.id, user, counter, hub.now()).await? {
        return Ok(());
    }
    tracing::warn!(user, passkey = passkey.id, "the count of a passkey went back: there may be a copy of it");
    Err(wrong())
}
