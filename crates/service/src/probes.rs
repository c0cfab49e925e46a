//! The plain HTTP endpoints that a kubelet and Prometheus ask: `/healthz`, `/readyz`, `/metrics`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;

/// Media type of the text format that `prometheus-client` writes.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Why an endpoint could not be served.
#[derive(Debug, thiserror::Error)]
#[error("failed to serve {what} on {address}; is the port in use?")]
pub struct ServeError {
    what: &'static str,
    address: SocketAddr,
    #[source]
    source: std::io::Error,
}

/// Whether the program is ready to serve. Clones share one state.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<AtomicBool>);

impl Health {
    /// Sets what `/readyz` answers.
    pub fn set_ready(&self, ready: bool) {
        self.0.store(ready, Ordering::Release);
    }

    /// What `/readyz` answers.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Serves `/healthz` (always 200: a process that answers is alive) and `/readyz`.
pub async fn serve_health(address: SocketAddr, health: Health) -> Result<(), ServeError> {
    let ready = move || async move {
        if health.is_ready() { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "starting") }
    };
    let routes = Router::new().route("/healthz", get(|| async { "ok" })).route("/readyz", get(ready));
    serve("health probes", address, routes).await
}

/// Serves `/metrics` from a registry.
pub async fn serve_metrics(address: SocketAddr, registry: Arc<Registry>) -> Result<(), ServeError> {
    let metrics = move || async move {
        let mut text = String::new();
        match prometheus_client::encoding::text::encode(&mut text, &registry) {
            Ok(()) => ([(header::CONTENT_TYPE, OPENMETRICS)], text).into_response(),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    };
    serve("metrics", address, Router::new().route("/metrics", get(metrics))).await
}

async fn serve(what: &'static str, address: SocketAddr, routes: Router) -> Result<(), ServeError> {
    let failed = |source| ServeError { what, address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    axum::serve(listener, routes).await.map_err(failed)
}
