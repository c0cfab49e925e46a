//! Signing in at a provider with a browser: which providers there are, there and back.

mod callback;

use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use api::IdentityProvider;
use authn::OidcFlow;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::caller::flow_cookie;
use crate::cluster_id::is_label;
use crate::extract::{Asked, Named};
use crate::hub::Hub;
use crate::problem::Problem;
use crate::{providers, return_path};

/// How long somebody may take at the provider.
const FLOW_LASTS: SignedDuration = SignedDuration::from_mins(10);
/// What is sealed for the browser.
const PURPOSE: &str = "sign-in";

/// The routes of signing in with a browser.
pub(crate) fn routes() -> ApiRouter<Hub> {
    ApiRouter::new()
        .api_route(
            "/api/v1/session/providers",
            get_with(list, |operation| {
                operation.summary("Providers to sign in with").tag("session").response::<200, Json<Vec<Shown>>>()
            }),
        )
        .api_route(
            "/api/v1/session/oidc/{name}",
            get_with(start, |operation| {
                operation
                    .summary("Sign in at a provider")
                    .description("For browsers: leads to the provider.")
                    .tag("session")
                    .response::<303, ()>()
            }),
        )
        .api_route(
            "/api/v1/session/oidc/{name}/callback",
            get_with(callback::callback, |operation| {
                operation
                    .summary("Come back from a provider")
                    .description("For browsers: opens a session, or links the identity, and leads to the page that was asked for.")
                    .tag("session")
                    .response::<303, ()>()
            }),
        )
}

/// Whose providers.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Whose {
    /// Also those of this tenant.
    tenant: Option<String>,
}

/// A provider to sign in with.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Shown {
    /// Its name.
    name: String,
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    /// `oidc` leads to the provider, `ldap` takes a name and a password.
    kind: &'static str,
}

async fn list(State(hub): State<Hub>, Asked(asked): Asked<Whose>) -> Result<Json<Vec<Shown>>, Problem> {
    if asked.tenant.as_deref().is_some_and(|tenant| !is_label(tenant)) {
        return Err(Problem::invalid("tenant: must be the name of a tenant"));
    }
    let mut providers = hub.caches.providers.state();
    providers.retain(|provider| provider.spec.tenant.is_none() || provider.spec.tenant == asked.tenant);
    providers.sort_by_key(|provider| provider.name_any());
    let shown = |provider: &IdentityProvider| Shown {
        name: provider.name_any(),
        display_name: provider.spec.display_name.clone(),
        kind: if provider.spec.oidc.is_some() { "oidc" } else { "ldap" },
    };
    Ok(Json(providers.iter().map(|provider| shown(provider)).collect()))
}

/// Where to go afterwards.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Where {
    /// A path of the hub; `/` if there is none.
    #[serde(rename = "return")]
    back: Option<String>,
}

/// What a browser keeps while it is at the provider.
#[derive(Serialize, Deserialize)]
struct Kept {
    provider: String,
    /// Of the provider: one that has taken its name since is another.
    uid: Option<String>,
    flow: OidcFlow,
    back: String,
    expires: Timestamp,
    /// Who links the identity, in which session; nobody if it is to sign in.
    link: Option<Linker>,
}

/// Somebody who is signed in and links an identity.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Linker {
    pub(crate) user: String,
    pub(crate) session: String,
}

async fn start(
    State(hub): State<Hub>,
    Named(name): Named,
    Asked(asked): Asked<Where>,
) -> Result<Response, Problem> {
    let (location, cookie) = begin(&hub, &name, asked.back.as_deref(), None).await?;
    let headers = [(header::LOCATION, location), (header::SET_COOKIE, cookie)];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

/// Where the browser goes, and the cookie that it takes along.
pub(crate) async fn begin(
    hub: &Hub,
    name: &str,
    back: Option<&str>,
    link: Option<Linker>,
) -> Result<(HeaderValue, HeaderValue), Problem> {
    let back = return_path::local(back.unwrap_or("/"))
        .ok_or_else(|| Problem::invalid("return: must be a path of the hub, such as `/clusters`"))?;
    let provider = providers::find(hub, name).filter(|provider| provider.spec.oidc.is_some());
    let provider = provider.ok_or_else(|| Problem::not_found("providers", name))?;
    let begun = async { providers::oidc(hub, &provider).await?.begin().await };
    let (location, flow) = begun.await.map_err(|error| {
        providers::note(name, &error);
        Problem::unavailable("the identity provider does not answer as it should; try again in a moment")
    })?;
    let kept = Kept {
        provider: name.to_owned(),
        uid: provider.uid(),
        flow,
        back: back.to_owned(),
        expires: hub.now() + FLOW_LASTS,
        link,
    };
    let text = serde_json::to_string(&kept).map_err(|error| Problem::internal(&error))?;
    let sealed = hub.sealer.seal(PURPOSE, &text).map_err(|error| Problem::internal(&error))?;
    let unsendable = |_| Problem::unavailable("the identity provider does not answer as it should");
    let location = HeaderValue::try_from(location).map_err(unsendable)?;
    Ok((location, flow_cookie(&sealed, FLOW_LASTS).map_err(unsendable)?))
}
