//! By what clusters verify the identities that the hub signs.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::hub::Hub;

/// How long clusters may keep the answer: shorter than the time for which a new key waits before it signs.
const CACHED: &str = "public, max-age=60";

/// The discovery document.
pub(crate) async fn discovery(State(hub): State<Hub>) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, CACHED)], Json(hub.signing.issuer().discovery()))
}

/// The discovery document for the API servers of hosted clusters, which reach the keys inside the management cluster.
pub(crate) async fn discovery_inside(State(hub): State<Hub>) -> impl IntoResponse {
    let mut document = hub.signing.issuer().discovery();
    let host = format!("{}.{}.svc", hub.settings.service, hub.settings.namespace);
    document["jwks_uri"] = format!("https://{host}/issuer/keys").into();
    ([(header::CACHE_CONTROL, CACHED)], Json(document))
}

/// The public keys.
pub(crate) async fn keys(State(hub): State<Hub>) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, CACHED)], Json(hub.signing.issuer().key_set()))
}
