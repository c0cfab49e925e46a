//! The hub as an agent reaches it: TLS with a pinned authority, a few requests, and the connection.

use std::io;
use std::sync::Arc;

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming as Body;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::dial::dial;
use crate::greeting::{INSTANCE_HEADER, PROTOCOL, RENEW, TOKEN_HEADER, accept_key};
use crate::{
    CONNECT_PATH, DialError, Driver, Incoming, KEYS_PATH, Limits, Proxies, Proxy, REGISTER_PATH, RENEW_PATH,
    REPLICA_HEADER, REPLICAS_HEADER, Registered, Registration, Renewed, Session, Side,
};

/// Longest answer to a request.
const LONGEST_ANSWER: usize = 256 << 10;
/// What is quoted of an answer that says no.
const LONGEST_REASON: usize = 300;
const LONGEST_REPLICA: usize = 256;

/// Why the hub's address cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HubError {
    /// It is no URL.
    #[error("the hub's address is no URL such as https://hub.example.com")]
    Url,
    /// It would be reached without TLS.
    #[error("the hub must be reached by https")]
    Scheme,
    /// There is no certificate in the file of authorities.
    #[error("the file of the hub's authority holds no certificate in PEM form")]
    Authority,
}

/// Why a request to the hub failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// It was not reached.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// What answers is not the hub, or its authority is another one.
    #[error("no TLS with the hub; see whether its authority is the one in the agent's file")]
    Tls(#[source] io::Error),
    /// It took too long.
    #[error("the hub did not answer in time")]
    Timeout,
    /// The connection broke.
    #[error("the connection to the hub broke")]
    Http(#[from] hyper::Error),
    /// It says no.
    #[error("the hub answers {status}: {reason}")]
    Refused {
        /// Status of HTTP.
        status: StatusCode,
        /// The hub's words.
        reason: String,
    },
    /// What it says cannot be understood.
    #[error("the hub's answer cannot be understood: {0}")]
    Malformed(&'static str),
}

impl CallError {
    /// Whether the hub knows the agent and does not want it, which time alone does not change.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        let refusals =
            [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND, StatusCode::GONE];
        matches!(self, Self::Refused { status, .. } if refusals.contains(status))
    }
}

/// Where the hub is, and whom to trust that it is.
#[derive(Clone)]
pub struct Hub {
    host: String,
    port: u16,
    /// What comes before all paths, without a slash at its end.
    prefix: String,
    name: ServerName<'static>,
    tls: TlsConnector,
    proxy: Option<Proxy>,
    limits: Limits,
}

/// A connection that the hub has let in, on which nothing was said yet.
pub struct Connected {
    /// Which replica it is with.
    pub replica: String,
    /// How many replicas there are.
    pub replicas: usize,
    /// The hub wants the agent to get itself a new token.
    pub is_to_renew: bool,
    socket: TlsStream<TcpStream>,
    early: Vec<u8>,
    limits: Limits,
}

impl Hub {
    /// A hub by its URL. Only certificates of the authorities in `authority` (PEM) are taken for it.
    ///
    /// # Errors
    /// [`HubError`] if an argument cannot be used.
    pub fn new(url: &str, authority: &str, proxies: &Proxies, limits: Limits) -> Result<Self, HubError> {
        let uri: Uri = url.parse().map_err(|_| HubError::Url)?;
        if uri.scheme_str() != Some("https") {
            return Err(HubError::Scheme);
        }
        let host = uri.host().ok_or(HubError::Url)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host.clone()).map_err(|_| HubError::Url)?;
        if uri.query().is_some() || uri.authority().is_some_and(|all| all.as_str().contains('@')) {
            return Err(HubError::Url);
        }
        let port = uri.port_u16().unwrap_or(443);
        let prefix = uri.path().trim_end_matches('/').to_owned();
        let tls = TlsConnector::from(Arc::new(tls_config(authority)?));
        let proxy = proxies.proxy(&host, port).cloned();
        Ok(Self { host, port, prefix, name, tls, proxy, limits })
    }

    /// Gives the import token for a token of the agent's own.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn register(
        &self,
        import_token: &str,
        registration: &Registration,
    ) -> Result<Registered, CallError> {
        let body =
            serde_json::to_vec(registration).map_err(|_| CallError::Malformed("the request is no JSON"))?;
        let mut request = self.request(Method::POST, REGISTER_PATH, Some(import_token), body.into())?;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let answer = self.call(request).await?;
        serde_json::from_slice(&answer).map_err(|_| CallError::Malformed("a field is missing"))
    }

    /// Gives the agent's token for a new one.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn renew(&self, token: &str) -> Result<Renewed, CallError> {
        let answer = self.call(self.request(Method::POST, RENEW_PATH, Some(token), Bytes::new())?).await?;
        serde_json::from_slice(&answer).map_err(|_| CallError::Malformed("a field is missing"))
    }

    /// The public keys of the hub's issuer, a JWK set.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn keys(&self) -> Result<Value, CallError> {
        let request = self.request(Method::GET, KEYS_PATH, None, Bytes::new())?;
        serde_json::from_slice(&self.call(request).await?).map_err(|_| CallError::Malformed("it is no JSON"))
    }

    /// Connects, as run `instance` of the agent.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn connect(&self, token: &str, instance: &str) -> Result<Connected, CallError> {
        let connecting = Box::pin(self.upgrade(token, instance));
        tokio::time::timeout(self.limits.dial, connecting).await.map_err(|_| CallError::Timeout)?
    }

    async fn upgrade(&self, token: &str, instance: &str) -> Result<Connected, CallError> {
        let mut nonce = [0; 16];
        rand::fill(&mut nonce).map_err(|_| CallError::Malformed("the system has no randomness"))?;
        let key = STANDARD.encode(nonce);
        let mut request = self.request(Method::GET, CONNECT_PATH, Some(token), Bytes::new())?;
        let headers = request.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(SEC_WEBSOCKET_PROTOCOL, PROTOCOL);
        headers.insert(SEC_WEBSOCKET_KEY, header(&key)?);
        headers.insert(INSTANCE_HEADER, header(instance)?);
        let answer = self.exchange(request).await?;
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(refusal(answer).await);
        }
        let (replica, replicas) = replica(answer.headers(), &key)?;
        let is_to_renew = answer.headers().get(TOKEN_HEADER) == Some(&RENEW);
        let upgraded = hyper::upgrade::on(answer).await?;
        let parts = upgraded.downcast::<TokioIo<TlsStream<TcpStream>>>();
        let parts = parts.map_err(|_| CallError::Malformed("the connection is of another kind"))?;
        let (socket, early) = (parts.io.into_inner(), parts.read_buf.to_vec());
        Ok(Connected { replica, replicas, is_to_renew, socket, early, limits: self.limits })
    }

    /// The body of the answer to a request, if it went well.
    async fn call(&self, request: Request<Full<Bytes>>) -> Result<Bytes, CallError> {
        let calling = Box::pin(async {
            let answer = self.exchange(request).await?;
            if answer.status().is_success() { body(answer).await } else { Err(refusal(answer).await) }
        });
        tokio::time::timeout(self.limits.dial, calling).await.map_err(|_| CallError::Timeout)?
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Response<Body>, CallError> {
        let stream = dial(&self.host, self.port, self.proxy.as_ref()).await?;
        let stream = self.tls.connect(self.name.clone(), stream).await.map_err(CallError::Tls)?;
        let builder = hyper::client::conn::http1::Builder::new();
        let (mut sender, connection) = builder.handshake::<_, Full<Bytes>>(TokioIo::new(stream)).await?;
        // Ends with the sender and the answer's body.
        tokio::spawn(async move {
            if let Err(error) = connection.with_upgrades().await {
                tracing::debug!(%error, "a connection to the hub ended");
            }
        });
        Ok(sender.send_request(request).await?)
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        bearer: Option<&str>,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, CallError> {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let host = if self.port == 443 { host } else { format!("{host}:{}", self.port) };
        let request =
            Request::builder().method(method).uri(format!("{}{path}", self.prefix)).header(HOST, host);
        let mut request =
            request.body(Full::new(body)).map_err(|_| CallError::Malformed("its path is none"))?;
        if let Some(token) = bearer {
            let text = zeroize::Zeroizing::new(format!("Bearer {token}"));
            let mut value = header(&text)?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        Ok(request)
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Hub")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl Connected {
    /// Begins to speak.
    pub async fn start(self) -> (Session, Incoming, Driver) {
        Session::start(self.socket, self.early, Side::Agent, &self.limits).await
    }
}

impl std::fmt::Debug for Connected {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Connected").field("replica", &self.replica).finish_non_exhaustive()
    }
}

fn tls_config(authority: &str) -> Result<ClientConfig, HubError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authority.as_bytes()) {
        let certificate = certificate.map_err(|_| HubError::Authority)?;
        roots.add(certificate).map_err(|_| HubError::Authority)?;
    }
    if roots.is_empty() {
        return Err(HubError::Authority);
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config =
        builder.map_err(|_| HubError::Authority)?.with_root_certificates(roots).with_no_client_auth();
    // The hub may offer HTTP/2 too, in which no connection can be taken over.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn header(text: &str) -> Result<HeaderValue, CallError> {
    HeaderValue::from_str(text.trim()).map_err(|_| CallError::Malformed("a token holds what no header can"))
}

fn replica(headers: &HeaderMap, key: &str) -> Result<(String, usize), CallError> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if text(SEC_WEBSOCKET_ACCEPT) != Some(&accept_key(key)) {
        return Err(CallError::Malformed("its WebSocket key is wrong"));
    }
    if headers.get(SEC_WEBSOCKET_PROTOCOL) != Some(&PROTOCOL) {
        return Err(CallError::Malformed("it speaks another protocol; update the agent"));
    }
    let id = text(REPLICA_HEADER).filter(|id| !id.is_empty() && id.len() <= LONGEST_REPLICA);
    let id = id.ok_or(CallError::Malformed("its replica has no name"))?;
    let count = text(REPLICAS_HEADER).and_then(|count| count.parse().ok()).unwrap_or(1);
    Ok((id.to_owned(), count))
}

async fn body(answer: Response<Body>) -> Result<Bytes, CallError> {
    let collected = Limited::new(answer.into_body(), LONGEST_ANSWER).collect().await;
    Ok(collected.map_err(|_| CallError::Malformed("it is too long or was cut off"))?.to_bytes())
}

async fn refusal(answer: Response<Body>) -> CallError {
    let status = answer.status();
    let text = body(answer).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let reason = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    CallError::Refused { status, reason: reason.take(LONGEST_REASON).collect() }
}
