//! The few requests that a provider is sent: over TLS, in time, to no other place than the one that was named.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::provider::{ProviderError, tls};

/// Longest wait for an answer.
const ANSWER: Duration = Duration::from_secs(5);
/// Largest answer.
const LARGEST: usize = 1024 * 1024;

#[derive(Clone)]
pub(super) struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Http {
    pub(super) fn new(ca_bundle: Option<&str>) -> Result<Self, ProviderError> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(ANSWER));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls(ca_bundle)?)
            .https_only()
            .enable_http1()
            .wrap_connector(tcp);
        Ok(Self { client: Client::builder(TokioExecutor::new()).build(connector) })
    }

    /// Reads JSON, with a bearer token if there is one.
    pub(super) async fn get(&self, url: &str, bearer: Option<&str>) -> Result<Value, ProviderError> {
        let mut request = Request::builder().method(Method::GET).uri(url);
        if let Some(token) = bearer {
            let value = Zeroizing::new(format!("Bearer {token}"));
            request = request.header(header::AUTHORIZATION, value.as_str());
        }
        match self.send(request, Bytes::new()).await? {
            (StatusCode::OK, answer) => Ok(answer),
            (status, _) => Err(ProviderError::Unreachable(format!("{url} answers {status}"))),
        }
    }

    /// Sends a form; answers whatever JSON comes back.
    pub(super) async fn post(
        &self,
        url: &str,
        authorization: Option<&str>,
        form: String,
    ) -> Result<(StatusCode, Value), ProviderError> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(url)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        self.send(request, form.into()).await
    }

    async fn send(
        &self,
        request: http::request::Builder,
        body: Bytes,
    ) -> Result<(StatusCode, Value), ProviderError> {
        let request = request
            .header(header::ACCEPT, "application/json")
            .body(Full::new(body))
            .map_err(|error| ProviderError::Unreachable(error.to_string()))?;
        let asked = async {
            let answer = self.client.request(request).await.map_err(|error| unreachable(&error))?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), LARGEST).collect().await;
            let body = body.map_err(|error| ProviderError::Unreachable(error.to_string()))?;
            Ok((status, serde_json::from_slice(&body.to_bytes()).unwrap_or_default()))
        };
        let late = |_| ProviderError::Unreachable("no answer within 5 s".to_owned());
        tokio::time::timeout(ANSWER, asked).await.map_err(late)?
    }
}

/// With the causes, which say what is wrong with a certificate.
fn unreachable(error: &dyn std::error::Error) -> ProviderError {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    ProviderError::Unreachable(text)
}
