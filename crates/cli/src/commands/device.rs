//! Signing in by a code that somebody lets in elsewhere (RFC 8628): both sides of it.

use std::time::Duration;

use kube::Client;
use serde::Deserialize;
use serde_json::json;

use super::runtime;
use super::session::read;
use crate::Error;
use crate::args::Decide;
use crate::hub::{Hubs, ask, try_send};

/// Bounds of what a hub may ask for between questions, in seconds.
const SHORTEST: u64 = 1;
const LONGEST: u64 = 60;
/// By how much a hub that is asked too often is asked more rarely.
const SLOWER: Duration = Duration::from_secs(5);

/// How the hub lets a program in.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Begun {
    device_code: String,
    user_code: String,
    verification_uri: String,
    interval: u64,
}

/// What waits for a code.
#[derive(Deserialize)]
struct Waiting {
    address: String,
    agent: String,
}

/// Shows a code and waits until somebody has decided; answers with the session as the hub opens it.
pub(super) async fn sign_in(client: &Client, hub: &str) -> Result<String, Error> {
    let begun: Begun = read(&ask(client, hub, "POST", "/api/v1/device", None).await?)?;
    let Begun { device_code, user_code, verification_uri, interval } = begun;
    eprintln!("open {verification_uri} and enter {user_code}");
    eprintln!("or, where you are signed in already: flotilla login approve {user_code} --hub {hub}");
    let body = json!({ "deviceCode": device_code });
    let mut interval = Duration::from_secs(interval.clamp(SHORTEST, LONGEST));
    loop {
        tokio::time::sleep(interval).await;
        let request = http::Request::post("/api/v1/device/token");
        match try_send(client, hub, request, Some(&body)).await? {
            Ok(session) => return Ok(session),
            Err(refusal) if refusal.code == "authorization-pending" => {}
            Err(refusal) if refusal.code == "slow-down" => interval += SLOWER,
            Err(refusal) => return Err(Error::Hub { detail: refusal.detail }),
        }
    }
}

/// Lets a program in that shows a code, or turns it away.
pub(super) fn decide(args: &Decide, approve: bool) -> Result<(), Error> {
    let hubs = Hubs::read()?;
    let (hub, known) = hubs.find(args.choice.hub.as_deref())?;
    // What is no letter is not sent: it would be another path.
    let code: String = args.code.chars().filter(char::is_ascii_alphanumeric).collect();
    let path = format!("/api/v1/device/{code}");
    runtime()?.block_on(async {
        let client = kubekit::client_for_server(&hub, known.authority.as_deref(), Some(&known.token))
            .map_err(Error::Client)?;
        let waiting: Waiting = read(&ask(&client, &hub, "GET", &path, None).await?)?;
        ask(&client, &hub, "POST", &path, Some(&json!({ "approve": approve }))).await?;
        let done = if approve { "let in" } else { "turned away" };
        // The program says itself what it is: no escape sequences of its own.
        eprintln!(
            "{done}: {} from {} at {hub}",
            waiting.agent.escape_debug(),
            waiting.address.escape_debug()
        );
        Ok(())
    })
}
