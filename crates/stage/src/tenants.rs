//! Tenants' API servers, played: TLS with the tenant's own certificate, objects in memory.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::{Method, Response, StatusCode, Uri, header};
use axum::response::IntoResponse;
use axum::{Json, Router};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use serde_json::{Value, json};

use crate::Fuse;
use crate::objects::{Ask, Objects};

/// The tenants of a stage, by the UID of their control plane.
#[derive(Debug, Clone)]
pub(crate) struct Tenants {
    known: Arc<Mutex<HashMap<String, Tenant>>>,
    fuse: Fuse,
}

#[derive(Debug, Default)]
struct Tenant {
    objects: Arc<Mutex<Objects>>,
    server: Option<Server>,
}

#[derive(Debug)]
struct Server {
    address: SocketAddr,
    certificate: String,
    tls: RustlsConfig,
    handle: Handle<SocketAddr>,
}

/// Where a tenant's API server listens and what it shows.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) address: SocketAddr,
    pub(crate) certificate: String,
    pub(crate) private_key: String,
}

impl Tenants {
    /// No tenant yet; their writes pass `fuse`.
    pub(crate) fn new(fuse: Fuse) -> Self {
        Self { known: Arc::default(), fuse }
    }

    /// Has the tenant's API server listen; one that does with this certificate goes on.
    pub(crate) async fn serve(&self, uid: &str, identity: &Identity) -> Result<()> {
        let running = self.running(uid);
        if let Some((address, certificate, tls)) = running
            && address == identity.address
        {
            if certificate != identity.certificate {
                let (certificate, key) = pem(identity);
                tls.reload_from_pem(certificate, key).await.context("use the tenant's new certificate")?;
                self.note_certificate(uid, identity);
            }
            return Ok(());
        }
        self.stop(uid);
        let (certificate, key) = pem(identity);
        let tls = RustlsConfig::from_pem(certificate, key).await.context("use the tenant's certificate")?;
        let handle = Handle::new();
        let objects = self.objects(uid);
        let routes = Router::new().fallback(answer).with_state((objects, self.fuse.clone()));
        let listener = std::net::TcpListener::bind(identity.address)
            .with_context(|| format!("listen on {} for a tenant", identity.address))?;
        listener.set_nonblocking(true).context("make a tenant's listener asynchronous")?;
        let server = axum_server::from_tcp_rustls(listener, tls.clone())
            .context("serve a tenant")?
            .handle(handle.clone());
        tokio::spawn(server.serve(routes.into_make_service()));
        let server =
            Server { address: identity.address, certificate: identity.certificate.clone(), tls, handle };
        self.lock().entry(uid.to_owned()).or_default().server = Some(server);
        Ok(())
    }

    /// Ends the tenant's API server; its objects stay, as they would in a store.
    pub(crate) fn stop(&self, uid: &str) {
        let server = self.lock().get_mut(uid).and_then(|tenant| tenant.server.take());
        if let Some(server) = server {
            server.handle.shutdown();
        }
    }

    /// The objects in the tenant's cluster, by path.
    pub(crate) fn all_objects(&self, uid: &str) -> BTreeMap<String, Value> {
        let objects = self.objects(uid);
        let objects = objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.all()
    }

    fn running(&self, uid: &str) -> Option<(SocketAddr, String, RustlsConfig)> {
        let known = self.lock();
        let server = known.get(uid)?.server.as_ref()?;
        Some((server.address, server.certificate.clone(), server.tls.clone()))
    }

    fn note_certificate(&self, uid: &str, identity: &Identity) {
        if let Some(server) = self.lock().get_mut(uid).and_then(|tenant| tenant.server.as_mut()) {
            server.certificate.clone_from(&identity.certificate);
        }
    }

    fn objects(&self, uid: &str) -> Arc<Mutex<Objects>> {
        self.lock().entry(uid.to_owned()).or_default().objects.clone()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Tenant>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everybody may do everything here.
fn allowed(review: &[u8]) -> Value {
    let mut review: Value = serde_json::from_slice(review).unwrap_or_default();
    review["status"] = json!({ "allowed": true });
    review
}

fn pem(identity: &Identity) -> (Vec<u8>, Vec<u8>) {
    (identity.certificate.clone().into_bytes(), identity.private_key.clone().into_bytes())
}

type Shared = (Arc<Mutex<Objects>>, Fuse);

async fn answer(
    State((objects, fuse)): State<Shared>,
    method: Method,
    uri: Uri,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response<Body> {
    let query = query.unwrap_or_default();
    match uri.path() {
        "/livez" | "/readyz" | "/healthz" => return "ok".into_response(),
        "/version" => return Json(version()).into_response(),
        // What is asked of an API server is kept nowhere.
        "/apis/authorization.k8s.io/v1/subjectaccessreviews" => {
            return (StatusCode::CREATED, Json(allowed(&body))).into_response();
        }
        _ if query.split('&').any(|part| part == "watch=true" || part == "watch=1") => return silence(),
        _ => {}
    }
    let ask = || {
        let body = serde_json::from_slice(&body).unwrap_or_default();
        let ask = Ask { method: &method, path: uri.path(), labels: labels(&query), body };
        objects.lock().unwrap_or_else(PoisonError::into_inner).answer(ask)
    };
    let (code, body) = if method == Method::GET {
        ask()
    } else {
        fuse.write(format!("tenant {method} {}", uri.path()), async { ask() }).await
    };
    (code, Json(body)).into_response()
}

/// The answer to a watch: nothing ever changes by itself here.
fn silence() -> Response<Body> {
    let body = Body::from_stream(futures::stream::pending::<Result<Bytes, Infallible>>());
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

fn version() -> Value {
    json!({
        "major": "1", "minor": "36", "gitVersion": "v1.36.3", "gitCommit": "", "gitTreeState": "",
        "buildDate": "", "goVersion": "", "compiler": "", "platform": "",
    })
}

/// Equality conditions of `labelSelector`, percent-encoded as kube writes them.
fn labels(query: &str) -> Vec<(String, String)> {
    let selector = query.split('&').find_map(|part| part.strip_prefix("labelSelector="));
    let decoded = selector.unwrap_or_default().replace("%2F", "/").replace("%3D", "=").replace("%2C", ",");
    decoded
        .split(',')
        .filter_map(|part| part.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.trim_start_matches('=').to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::labels;

    #[test]
    fn selectors_are_read_as_they_are_sent() {
        let found = labels("limit=5&labelSelector=kamaji.clastix.io%2Fproject%3Dkamaji%2Ca%3Db");
        let expected = [("kamaji.clastix.io/project", "kamaji"), ("a", "b")];
        assert_eq!(found, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }
}
