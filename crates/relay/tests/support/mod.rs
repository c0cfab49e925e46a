//! A small upstream over TLS, and a front that relays to it, both real hyper servers.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::allow_attributes,
    reason = "not every test uses all of it; a test that cannot go on ends"
)]

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base::{Clock, SystemClock};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use pki::{CertificateAuthority, CertificatePlan};
use relay::{
    Credentials, Ending, Endpoint, ResponseBody, Status, Target, Timeouts, Upstream, relay, relay_until,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;
pub(crate) type Answering = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;
pub(crate) type Handler = Arc<dyn Fn(Request<Incoming>) -> Answering + Send + Sync>;

pub(crate) const SHORT: Timeouts =
    Timeouts { connect: Duration::from_secs(5), answer: Duration::from_millis(300) };
pub(crate) const LONG: Timeouts =
    Timeouts { connect: Duration::from_mins(1), answer: Duration::from_mins(1) };

pub(crate) fn text(text: impl Into<Bytes>) -> Body {
    Full::new(text.into()).boxed_unsync()
}

pub(crate) fn nothing() -> Body {
    Empty::new().boxed_unsync()
}

pub(crate) fn handler<F, A>(answer: F) -> Handler
where
    F: Fn(Request<Incoming>) -> A + Send + Sync + 'static,
    A: Future<Output = Response<Body>> + Send + 'static,
{
    Arc::new(move |request| Box::pin(answer(request)))
}

/// Waits until a condition holds.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..6000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

/// An upstream over TLS. Dropping it ends all its connections.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) connections: Arc<AtomicUsize>,
    certificates: Certificates,
    handler: Handler,
    streams: u32,
    task: AbortOnDropHandle<()>,
}

#[derive(Clone)]
struct Certificates {
    authority: String,
    acceptor: TlsAcceptor,
}

impl Server {
    pub(crate) async fn start(handler: Handler) -> Self {
        Self::with_streams(100, handler).await
    }

    /// One that takes so many streams on a connection.
    pub(crate) async fn with_streams(streams: u32, handler: Handler) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener, certificates(), handler, streams)
    }

    fn on(listener: TcpListener, certificates: Certificates, handler: Handler, streams: u32) -> Self {
        let connections = Arc::new(AtomicUsize::new(0));
        let address = listener.local_addr().unwrap();
        let settings = (certificates.acceptor.clone(), Arc::clone(&handler), streams);
        let serving = serve(listener, settings, Arc::clone(&connections));
        let task = AbortOnDropHandle::new(tokio::spawn(serving));
        Self { address, connections, certificates, handler, streams, task }
    }

    /// Ends all connections and does not listen any more.
    pub(crate) async fn stop(&mut self) {
        self.task.abort();
        eventually("the server has ended", || self.task.is_finished()).await;
    }

    /// Listens again on the same port.
    pub(crate) async fn resume(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        *self = Self::on(listener, self.certificates.clone(), Arc::clone(&self.handler), self.streams);
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint {
            address: self.address.to_string(),
            server_name: "127.0.0.1".to_owned(),
            authority: self.certificates.authority.clone(),
            client: None,
        }
    }

    pub(crate) fn upstream(&self, timeouts: Timeouts) -> Arc<Upstream> {
        Arc::new(Upstream::endpoint("c-1", &self.endpoint(), timeouts).unwrap())
    }
}

fn certificates() -> Certificates {
    let now = SystemClock.now();
    let authority = CertificateAuthority::generate("test", pki::ONE_YEAR, now).unwrap();
    let plan = CertificatePlan::server("test", Vec::new(), vec!["127.0.0.1".parse().unwrap()]);
    let pair = plan.issue(&authority, now).unwrap();
    let chain =
        CertificateDer::pem_slice_iter(pair.certificate.as_bytes()).collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(pair.private_key.expose_pem().as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Certificates {
        authority: authority.pair().certificate.clone(),
        acceptor: TlsAcceptor::from(Arc::new(config)),
    }
}

async fn serve(
    listener: TcpListener,
    (acceptor, handler, streams): (TlsAcceptor, Handler, u32),
    count: Arc<AtomicUsize>,
) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        count.fetch_add(1, Ordering::SeqCst);
        let (acceptor, handler) = (acceptor.clone(), Arc::clone(&handler));
        connections.spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            if is_http2 {
                speak_http2(stream, handler, streams).await;
            } else {
                speak_http1(stream, handler).await;
            }
        });
    }
}

async fn speak_http2(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    handler: Handler,
    streams: u32,
) {
    let service = service_fn(move |request| {
        let answer = handler(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let mut settings = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    settings.max_concurrent_streams(streams);
    let _ = settings.serve_connection(TokioIo::new(stream), service).await;
}

/// A connection with HTTP/1.1, also for what is behind a dialled stream.
pub(crate) async fn speak_http1(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    handler: Handler,
) {
    let service = service_fn(move |request| {
        let answer = handler(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let settings = hyper::server::conn::http1::Builder::new();
    let _ = settings.serve_connection(TokioIo::new(stream), service).with_upgrades().await;
}

/// A front on plain TCP that relays all to an upstream. Returns its address.
pub(crate) async fn front(upstream: Arc<Upstream>, credentials: Credentials) -> SocketAddr {
    front_until(upstream, credentials, std::future::pending).await
}

/// The same, where what is streamed is cut off when the future that belongs to it is ready.
pub(crate) async fn front_until<F, E>(upstream: Arc<Upstream>, credentials: Credentials, end: F) -> SocketAddr
where
    F: Fn() -> E + Clone + Send + 'static,
    E: Future<Output = Ending> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (upstream, credentials, end) = (Arc::clone(&upstream), credentials.clone(), end.clone());
            let service = service_fn(move |request: Request<Incoming>| {
                let (upstream, credentials, end) = (Arc::clone(&upstream), credentials.clone(), end());
                async move { Ok::<_, Infallible>(relayed(request, &upstream, &credentials, end).await) }
            });
            let settings = hyper::server::conn::http1::Builder::new();
            tokio::spawn(settings.serve_connection(TokioIo::new(stream), service).with_upgrades());
        }
    });
    address
}

/// Relays a request, or refuses its path.
pub(crate) async fn relayed(
    request: Request<Incoming>,
    upstream: &Upstream,
    credentials: &Credentials,
    end: impl Future<Output = Ending> + Send + 'static,
) -> Response<ResponseBody> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    match Target::read(request.method(), &path) {
        Ok(target) => relay_until(&target, request, upstream, credentials, end).await,
        Err(refusal) => {
            let code = http::StatusCode::BAD_REQUEST;
            Status { code, reason: "BadRequest", message: refusal.to_string(), retry_after: None }
                .into_response()
        }
    }
}

/// Relays a request without a front.
pub(crate) async fn ask(upstream: &Upstream, method: &str, path: &str, body: Body) -> Response<ResponseBody> {
    let target = Target::read(&method.parse().unwrap(), path).unwrap();
    relay(&target, Request::new(body), upstream, &Credentials::none()).await
}

pub(crate) async fn collect(response: Response<ResponseBody>) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

pub(crate) async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}
