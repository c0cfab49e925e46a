//! Settings: what holds for the hub as a whole, and what of it anybody may read.

use std::sync::Arc;

use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use api::{Branding, HUB_SETTINGS, HubSettings, HubSettingsSpec};
use authz::Place;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use kube::api::PostParams;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, ResourceExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{changed, heed};
use crate::caller::{Ask, Caller};
use crate::extract::Sent;
use crate::hub::Hub;
use crate::opening::SESSION_HOURS;
use crate::problem::{Code, Problem};
use crate::settings::Settings;

/// The version of settings that nobody has written yet.
const UNWRITTEN: &str = "none";

/// The routes of settings.
pub(super) fn routes() -> ApiRouter<Hub> {
    let settings = get_with(show, |operation| {
        operation.summary("Read the settings").tag("settings").response::<200, Json<SettingsShown>>()
    })
    .put_with(replace, |operation| {
        operation
            .summary("Write the settings anew")
            .description("With `If-Match` they are written only if they are as that ETag says.")
            .tag("settings")
            .response::<200, Json<SettingsShown>>()
    });
    let branding = get_with(branding, |operation| {
        operation
            .summary("What the hub is called")
            .description("For everybody, signed in or not.")
            .tag("settings")
            .response::<200, Json<Branding>>()
    });
    ApiRouter::new().api_route("/api/v1/settings", settings).api_route("/api/v1/branding", branding)
}

/// Settings to be written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewSettings {
    /// What they shall be.
    spec: HubSettingsSpec,
}

/// The settings.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SettingsShown {
    /// What they shall be.
    spec: HubSettingsSpec,
    /// What holds where the settings say nothing.
    defaults: Defaults,
    /// What flags of the server say; it cannot be changed here.
    limits: Limits,
    /// For `If-Match`.
    version: String,
}

/// What holds where the settings say nothing.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Defaults {
    /// Hours that a session lasts.
    session_hours: i32,
}

/// Limits of each replica. 0 is no limit.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Limits {
    /// Requests a second that a user may send.
    requests_per_second: u32,
    /// Requests of a user under way at once.
    requests_at_once: u32,
    /// Watches, logs and streams into pods that a user may have open.
    streams_at_once: u32,
    /// Requests a second from one address by those who have not signed in.
    strangers_per_second: u32,
    /// Connections that are open at once.
    connections: u32,
    /// Days that the audit log is kept.
    audit_days: u16,
}

impl Limits {
    fn of(settings: &Settings) -> Self {
        Self {
            requests_per_second: settings.requests_per_second,
            requests_at_once: settings.requests_at_once,
            streams_at_once: settings.streams_at_once,
            strangers_per_second: settings.strangers_per_second,
            connections: settings.connections,
            audit_days: settings.audit_days,
        }
    }
}

/// It fails only where a stranger asks too much, which is decided before.
async fn branding(State(hub): State<Hub>) -> Result<Json<Branding>, Problem> {
    Ok(Json(current(&hub).map(|settings| settings.spec.branding.clone()).unwrap_or_default()))
}

async fn show(caller: Caller) -> Result<Response, Problem> {
    caller.require(&ask("get")).await?;
    Ok(shown(&caller.hub, current(&caller.hub).as_deref()))
}

async fn replace(
    caller: Caller,
    headers: HeaderMap,
    Sent(asked): Sent<NewSettings>,
) -> Result<Response, Problem> {
    caller.require(&ask("update")).await?;
    let hub = &caller.hub;
    let known = current(hub);
    heed(&headers, &version(known.as_deref()))?;
    let api: Api<HubSettings> = Api::all(hub.client.clone());
    let parameters = PostParams::default();
    let written = match known {
        None => {
            let made = api.create(&parameters, &HubSettings::new(HUB_SETTINGS, asked.spec)).await;
            made.map_err(|error| match Problem::from(error) {
                Problem { code: Code::Exists, .. } => changed(),
                problem => problem,
            })?
        }
        Some(known) => {
            // The cache does not keep all annotations. What was decided about is what is written over.
            let mut live = api.get(HUB_SETTINGS).await?;
            if live.resource_version() != known.resource_version() {
                return Err(changed());
            }
            live.spec = asked.spec;
            api.replace(HUB_SETTINGS, &parameters, &live).await?
        }
    };
    hub.settled(&hub.caches.settings, HUB_SETTINGS, Some(&version(Some(&written)))).await;
    Ok(shown(hub, Some(&written)))
}

fn ask(verb: &str) -> Ask<'_> {
    Ask { verb, resource: "settings", name: HUB_SETTINGS, place: Place::Platform }
}

fn current(hub: &Hub) -> Option<Arc<HubSettings>> {
    hub.caches.settings.get(&ObjectRef::new(HUB_SETTINGS))
}

fn version(settings: Option<&HubSettings>) -> String {
    settings.and_then(ResourceExt::resource_version).unwrap_or_else(|| UNWRITTEN.to_owned())
}

fn shown(hub: &Hub, settings: Option<&HubSettings>) -> Response {
    let shown = SettingsShown {
        spec: settings.map(|settings| settings.spec.clone()).unwrap_or_default(),
        defaults: Defaults { session_hours: SESSION_HOURS },
        limits: Limits::of(&hub.settings),
        version: version(settings),
    };
    let tag = format!("\"{}\"", shown.version);
    ([(header::ETAG, tag)], Json(shown)).into_response()
}
