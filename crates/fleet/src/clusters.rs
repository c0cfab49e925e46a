//! The API servers of all clusters as one server. An agent's service account token is its cluster's number.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum_server::tls_rustls::RustlsConfig;
use base::{Clock, SystemClock};
use futures::stream;
use http::{HeaderMap, Method, StatusCode, Uri, header};
use pki::{CertificateAuthority, CertificatePlan, ONE_YEAR};
use tokio::task::JoinHandle;

use crate::objects::Objects;

/// Clusters that answer until this is dropped.
pub struct Clusters {
    port: u16,
    authority: String,
    server: JoinHandle<()>,
}

impl Clusters {
    /// Begins to answer for any number of clusters.
    ///
    /// # Errors
    /// If there is no port or certificate to be had.
    pub async fn start() -> Result<Self> {
        let now = SystemClock.now();
        let authority = CertificateAuthority::generate("clusters", ONE_YEAR, now)?;
        let address = Ipv4Addr::LOCALHOST.into();
        let pair = CertificatePlan::server("cluster", Vec::new(), vec![address]).issue(&authority, now)?;
        let (certificate, key) = (pair.certificate.clone(), pair.private_key.expose_pem().to_owned());
        let config = RustlsConfig::from_pem(certificate.into(), key.into()).await;
        let config = config.context("use the certificate of the clusters")?;
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).context("listen")?;
        listener.set_nonblocking(true).context("listen")?;
        let port = listener.local_addr().context("read the port")?.port();
        let server = axum_server::from_tcp_rustls(listener, config).context("serve clusters")?;
        let routes = Router::new().fallback(answer).with_state(Objects::default());
        let server = tokio::spawn(async move {
            if let Err(error) = server.serve(routes.into_make_service()).await {
                tracing::error!(%error, "the clusters are gone");
            }
        });
        Ok(Self { port, authority: authority.pair().certificate.clone(), server })
    }

    /// Port on loopback.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Certificate of their authority, PEM.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl Drop for Clusters {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl std::fmt::Debug for Clusters {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Clusters").field("port", &self.port).finish_non_exhaustive()
    }
}

async fn answer(
    State(objects): State<Objects>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(cluster) = cluster(&headers) else { return StatusCode::UNAUTHORIZED.into_response() };
    let is_watch = uri.query().is_some_and(|query| query.contains("watch=true") || query.contains("watch=1"));
    if is_watch {
        // Nothing ever changes.
        return Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>()).into_response();
    }
    let found = match method {
        Method::GET => objects.get(cluster, uri.path()),
        Method::PATCH | Method::POST | Method::PUT => objects.put(cluster, uri.path(), &body),
        _ => None,
    };
    match found {
        Some(object) => ([(header::CONTENT_TYPE, "application/json")], object.to_string()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn cluster(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?.parse().ok()
}
