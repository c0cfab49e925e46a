//! Programs that a person lets in from a page or another program (RFC 8628).

use aide::axum::routing::{get_with, post_with};
use aide::axum::{ApiRouter, IntoApiResponse};
use aide::transform::TransformOperation;
use authn::{Digest, Kind, Minted, Presented, UserCode};
use authz::Place;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use records::{Approval, AuditEntry, Decision, Device, DeviceState, NewDevice, Session, Taken};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::session::{CarrierChoice, Opened, answer};
use crate::caller::{Ask, Caller};
use crate::extract::{Named, Sent};
use crate::guessing::Guesser;
use crate::hub::Hub;
use crate::opening::{Again, Person};
use crate::problem::{Code, Problem};
use crate::request::Facts;

const RESOURCE: &str = "devices";
/// How long a device waits.
const LASTS: SignedDuration = SignedDuration::from_mins(10);
/// How long a device waits before it asks again.
const INTERVAL: SignedDuration = SignedDuration::from_secs(5);
/// By how much that may be less when it arrives here.
const JITTER: SignedDuration = SignedDuration::from_secs(1);
/// Devices that may wait for one address, behind which a whole company may sit.
const MOST_WAITING: u64 = 200;
/// How often another user code is drawn, where a device that waits has the same.
const DRAWS: usize = 8;

/// How a device is let in.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Begun {
    /// What the device asks with; secret.
    device_code: String,
    /// What a person types.
    user_code: String,
    /// Where.
    verification_uri: String,
    /// The same, with the code.
    verification_uri_complete: String,
    /// Seconds between the device's questions.
    interval: i64,
    /// Until when it waits.
    expires: Timestamp,
}

/// What a device asks with.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Poll {
    /// Its code.
    device_code: String,
}

/// A device that waits to be let in.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct DeviceShown {
    /// What a person types.
    user_code: String,
    /// From where it asked.
    address: String,
    /// What it says it is.
    agent: String,
    /// When it asked.
    created: Timestamp,
    /// Until when it waits.
    expires: Timestamp,
}

/// What somebody decides.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Decide {
    /// Whether it is let in, as you.
    approve: bool,
}

/// The routes of devices.
pub(crate) fn routes() -> ApiRouter<Hub> {
    ApiRouter::new()
        .api_route("/api/v1/device", post_with(begin, describe_begin))
        .api_route("/api/v1/device/token", post_with(token, describe_token))
        .api_route("/api/v1/device/{name}", get_with(show, describe_show).post_with(decide, describe_decide))
}

fn describe_begin(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("Ask for a person to let a program in")
        .description(
            "As in RFC 8628: show the user code and the address, and poll until somebody has decided.",
        )
        .tag(RESOURCE)
}

/// Lets a device wait.
async fn begin(State(hub): State<Hub>, facts: Facts) -> Result<Json<Begun>, Problem> {
    let (devices, now) = (hub.records.devices(), hub.now());
    if devices.waiting(&facts.address, now).await? >= MOST_WAITING {
        let seconds = u64::try_from(LASTS.as_secs()).unwrap_or_default();
        return Err(Problem::too_many("too many programs wait at your address; try again later", seconds));
    }
    let minted = Minted::new(Kind::Device).map_err(|error| Problem::internal(&error))?;
    for _ in 0..DRAWS {
        let code = UserCode::new().map_err(|error| Problem::internal(&error))?;
        let device = NewDevice {
            id: minted.id.clone(),
            digest: records::Digest(minted.digest.0),
            user_code: code.as_str().to_owned(),
            address: facts.address.clone(),
            agent: facts.agent.clone(),
            expires: now + LASTS,
        };
        if devices.begin(&device, now).await? {
            let uri = format!("{}/device", hub.settings.url);
            return Ok(Json(Begun {
                device_code: minted.text.to_string(),
                verification_uri_complete: format!("{uri}?code={}", device.user_code),
                verification_uri: uri,
                user_code: device.user_code,
                interval: INTERVAL.as_secs(),
                expires: device.expires,
            }));
        }
    }
    Err(Problem::too_many("all codes that were drawn are in use; try again", 1))
}

fn describe_token(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("Ask whether a person has let you in")
        .description(
            "Until then the answer is 400 with the code `authorization-pending`, or `slow-down` where it is asked too \
             often; `access-denied` and `expired-token` are final.",
        )
        .tag(RESOURCE)
        .response::<200, Json<Opened>>()
}

/// Opens a session for a device that was let in, once.
async fn token(
    State(hub): State<Hub>,
    facts: Facts,
    Sent(asked): Sent<Poll>,
) -> Result<impl IntoApiResponse, Problem> {
    let gone = || {
        Problem::new(
            Code::ExpiredToken,
            "the code is unknown, was used, or nobody let you in in time; begin again",
        )
    };
    let (devices, now) = (hub.records.devices(), hub.now());
    let shown = Presented::read(&asked.device_code).filter(|shown| shown.kind == Kind::Device);
    let shown = shown.ok_or_else(gone)?;
    let device = devices.find(shown.id, now).await?;
    device.filter(|device| shown.is(&Digest(device.digest.0))).ok_or_else(gone)?;
    let approval = match devices.take(shown.id, now).await? {
        Taken::Approved(approval) => approval,
        Taken::Gone => return Err(gone()),
        Taken::Denied => return Err(Problem::new(Code::AccessDenied, "somebody turned you away")),
        Taken::Pending => {
            let is_patient = devices.poll(shown.id, INTERVAL - JITTER, now).await?;
            return Err(waiting(is_patient));
        }
    };
    let is_active = hub.index.now().is_active(&approval.user);
    log(&hub, &facts, &approval, shown.id, is_active).await?;
    if !is_active {
        return Err(gone());
    }
    let Approval { user, provider, groups, voucher } = approval;
    // The program stands and falls with what the provider says of the person, also when that one has signed out.
    let person = Person { user, provider, groups, again: Again::As(voucher) };
    answer(&hub, &facts, person, CarrierChoice::Token).await
}

fn waiting(is_patient: bool) -> Problem {
    if is_patient {
        return Problem::new(
            Code::AuthorizationPending,
            "nobody has decided yet; ask again after the interval",
        );
    }
    Problem::new(
        Code::SlowDown,
        format!("you ask too often; wait {} s before each question", INTERVAL.as_secs()),
    )
}

async fn log(
    hub: &Hub,
    facts: &Facts,
    approval: &Approval,
    device: &str,
    is_active: bool,
) -> Result<(), Problem> {
    let entry = AuditEntry {
        actor: approval.user.clone(),
        actor_kind: "person".to_owned(),
        credential: device.to_owned(),
        verb: "create".to_owned(),
        resource: "sessions".to_owned(),
        decision: if is_active { Decision::Allowed } else { Decision::Denied },
        reason: "a device that they let in".to_owned(),
        ..facts.entry(hub)
    };
    Ok(facts.append(hub, entry).await?)
}

fn describe_show(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation.summary("What asks to be let in").tag(RESOURCE)
}

/// Shows a person what they decide on.
async fn show(caller: Caller, Named(code): Named) -> Result<Json<DeviceShown>, Problem> {
    let Device { user_code, address, agent, created, expires, .. } = find(&caller, &code).await?;
    Ok(Json(DeviceShown { user_code, address, agent, created, expires }))
}

/// The device of a code that a person types. Wrong ones cost more and more time, and right ones do not make up for them:
/// whoever guesses could have some of their own.
async fn find(caller: &Caller, typed: &str) -> Result<Device, Problem> {
    caller.session().await?;
    let (hub, now) = (&caller.hub, caller.hub.now());
    let guesser = Guesser::of_devices(&caller.subject.user, &caller.facts.address);
    guesser.heed(hub, now).await?;
    let found = match UserCode::read(typed) {
        Some(code) => hub.records.devices().find_by_user_code(code.as_str(), now).await?,
        None => None,
    };
    if let Some(device) = found.filter(|device| device.state == DeviceState::Pending) {
        guesser.forgiven(hub).await?;
        return Ok(device);
    }
    guesser.failed(hub, now).await?;
    Err(Problem::new(Code::NotFound, "nothing waits with this code; compare it with what the program shows"))
}

fn describe_decide(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("Let a program in, or turn it away")
        .description("It gets a session of yours, with all your rights. Only what you have started yourself is to be let in.")
        .tag(RESOURCE)
        .response::<204, ()>()
}

/// Decides on a device.
async fn decide(
    caller: Caller,
    Named(code): Named,
    Sent(asked): Sent<Decide>,
) -> Result<StatusCode, Problem> {
    let device = find(&caller, &code).await?;
    let (hub, now) = (&caller.hub, caller.hub.now());
    let verb = if asked.approve { "approve" } else { "deny" };
    let ask = Ask { verb, resource: RESOURCE, name: &device.id, place: Place::Platform };
    let reason = format!("asked from {} with {}", device.address, device.agent);
    let entry = AuditEntry { decision: Decision::Allowed, reason, ..caller.entry(&ask) };
    caller.facts.append(hub, entry).await?;
    let devices = hub.records.devices();
    let is_decided = if asked.approve {
        let session = hub.records.sessions().find(caller.session().await?, now).await?;
        let session = session.ok_or_else(Problem::unauthenticated)?;
        let Session { user, provider, groups, voucher, .. } = session;
        let approval = Approval { user, provider, groups, voucher };
        devices.approve(&device.user_code, &approval, now).await?
    } else {
        devices.deny(&device.user_code, now).await?
    };
    if is_decided {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::new(Code::NotFound, "it does not wait any more; start the program again"))
}
