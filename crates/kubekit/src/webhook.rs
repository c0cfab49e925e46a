//! Serves admission webhooks over TLS, with a certificate that can change while it serves.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::map_response;
use axum::response::Response;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use http::{HeaderValue, header};

/// Largest review that is read: etcd takes no object above 1.5 MiB, and a review may hold two.
const MAX_REVIEW_BYTES: usize = 4 * 1024 * 1024;
/// How long requests under way may take after the stop signal.
const DRAIN: Duration = Duration::from_secs(5);

/// Why webhooks could not be served.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The certificate or key cannot be used.
    #[error("failed to use the webhook's certificate")]
    Certificate(#[source] std::io::Error),
    /// The address cannot be listened on, or the listener failed.
    #[error("failed to serve webhooks on {address}; is the port in use?")]
    Serve {
        /// Address to listen on.
        address: SocketAddr,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
}

/// A webhook server's TLS side.
#[derive(Debug, Clone)]
pub struct WebhookHost {
    tls: RustlsConfig,
    handle: Handle<SocketAddr>,
    is_leaving: Arc<AtomicBool>,
}

impl WebhookHost {
    /// Takes a first certificate and key, PEM.
    pub async fn new(certificate: &str, private_key: &str) -> Result<Self, WebhookError> {
        let tls = RustlsConfig::from_pem(certificate.into(), private_key.into())
            .await
            .map_err(WebhookError::Certificate)?;
        Ok(Self { tls, handle: Handle::new(), is_leaving: Arc::default() })
    }

    /// Uses another certificate from the next connection on.
    pub async fn reload(&self, certificate: &str, private_key: &str) -> Result<(), WebhookError> {
        self.tls
            .reload_from_pem(certificate.into(), private_key.into())
            .await
            .map_err(WebhookError::Certificate)
    }

    /// Serves until [`WebhookHost::stop`].
    pub async fn serve(&self, address: SocketAddr, routes: Router) -> Result<(), WebhookError> {
        let routes = ending_connections(routes, self.is_leaving.clone());
        axum_server::bind_rustls(address, self.tls.clone())
            .handle(self.handle.clone())
            .serve(routes.layer(DefaultBodyLimit::max(MAX_REVIEW_BYTES)).into_make_service())
            .await
            .map_err(|source| WebhookError::Serve { address, source })
    }

    /// Resolves once the port is bound; false if binding failed.
    pub async fn is_listening(&self) -> bool {
        self.handle.listening().await.is_some()
    }

    /// From now on each answer is the last one of its connection: an API server that sends on one in the moment in
    /// which it is closed fails the request, and does not try again.
    pub fn leave(&self) {
        self.is_leaving.store(true, Ordering::Relaxed);
    }

    /// Stops accepting and lets requests under way finish.
    pub fn stop(&self) {
        self.handle.graceful_shutdown(Some(DRAIN));
    }
}

/// API servers speak HTTP/1.1 to webhooks.
fn ending_connections(routes: Router, is_leaving: Arc<AtomicBool>) -> Router {
    routes.layer(map_response(move |mut response: Response| {
        if is_leaving.load(Ordering::Relaxed) {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        std::future::ready(response)
    }))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use http::Request;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn connections_end_with_an_answer_once_it_leaves() {
        let is_leaving = Arc::<AtomicBool>::default();
        let routes = ending_connections(Router::new().route("/", get(|| async {})), is_leaving.clone());
        let answer = || routes.clone().oneshot(Request::get("/").body(Body::empty()).unwrap());
        assert_eq!(answer().await.unwrap().headers().get(header::CONNECTION), None);
        is_leaving.store(true, Ordering::Relaxed);
        assert_eq!(answer().await.unwrap().headers()[header::CONNECTION], "close");
    }
}
