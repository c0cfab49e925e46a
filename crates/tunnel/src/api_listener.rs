//! Connections of API servers: mutual TLS, one CONNECT, one stream through an agent of their tenant.

use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::agent::{Agent, Stream};
use crate::connect::{self, Connect};
use crate::dial::{self, DialError};
use crate::pool::Pool;
use crate::registry::Registry;
use crate::relay::{Traffic, relay};
use crate::{agent_listener, client_identity, packets};

/// An answer that there will be no stream.
struct Refusal {
    code: u16,
    reason: String,
}

/// Accepts connections for ever.
pub(crate) async fn accept(listener: TcpListener, registry: Registry) {
    let handshakes = Arc::new(Semaphore::new(registry.limits().handshakes));
    loop {
        let Ok(permit) = Arc::clone(&handshakes).acquire_owned().await else { return };
        let Some(stream) = agent_listener::next(&listener).await else { continue };
        let registry = registry.clone();
        tokio::spawn(async move {
            let limit = registry.limits().handshake;
            let greeted = Box::pin(tokio::time::timeout(limit, greet(stream, &registry))).await;
            drop(permit);
            if let Ok(Some((tls, uid, request))) = greeted {
                Box::pin(serve(tls, &uid, request, &registry)).await;
            } else {
                registry.metrics().refused("api_server");
            }
        });
    }
}

type Greeted = (TlsStream<TcpStream>, String, Connect);

/// Who asks, and for what.
async fn greet(stream: TcpStream, registry: &Registry) -> Option<Greeted> {
    let own = registry.own()?;
    let tls = TlsAcceptor::from(own.0).accept(stream).await;
    let mut tls = tls
        .inspect_err(|error| tracing::info!(%error, "a connection to the API servers' port was refused"))
        .ok()?;
    let certificates = tls.get_ref().1.peer_certificates();
    let uid = certificates.and_then(|chain| client_identity::tenant_uid(chain.first()?));
    let Some(uid) = uid else {
        let reason =
            "the client certificate names no tenant; use the one that the operator made for the API server";
        answer(&mut tls, 403, reason).await;
        return None;
    };
    match connect::read(&mut tls).await {
        Ok(request) => Some((tls, uid, request)),
        Err(error) => {
            answer(&mut tls, 400, &error.to_string()).await;
            None
        }
    }
}

async fn serve(mut tls: TlsStream<TcpStream>, uid: &str, request: Connect, registry: &Registry) {
    let _connection = registry.metrics().connected("api_server");
    let Some(entry) = registry.find(uid) else {
        registry.metrics().refused("api_server");
        let reason = format!("no tenant with uid {uid} is known; see whether its control plane is Ready");
        return answer(&mut tls, 403, &reason).await;
    };
    let opened = open(&entry.pool, &request, registry).await;
    match opened {
        Ok((agent, stream, _room)) => {
            // Dropped unless it is passed on, which tells the agent.
            if tls.write_all(connect::OPEN).await.is_ok() && tls.flush().await.is_ok() {
                let _stream = registry.metrics().stream();
                pass(tls, agent, stream, request.early, registry).await;
            } else if agent.forget_stream(stream.connect_id) {
                agent.send(packets::close(stream.connect_id)).await;
            }
        }
        Err(error) => {
            registry.metrics().dial_failed(error.reason());
            let refusal = Refusal::from(&error);
            answer(&mut tls, refusal.code, &refusal.reason).await;
        }
    }
}

async fn open(
    pool: &Pool,
    request: &Connect,
    registry: &Registry,
) -> Result<(Arc<Agent>, Stream, tokio::sync::OwnedSemaphorePermit), DialError> {
    let room = pool.stream().ok_or_else(|| DialError::TooMany(pool.name.clone()))?;
    let (agent, stream) = dial::open(pool, request.host(), &request.address, registry.limits().dial).await?;
    Ok((agent, stream, room))
}

async fn pass(
    tls: TlsStream<TcpStream>,
    agent: Arc<Agent>,
    stream: Stream,
    early: Vec<u8>,
    registry: &Registry,
) {
    if !early.is_empty() {
        agent.send(packets::data(stream.connect_id, early)).await;
    }
    let metrics = registry.metrics();
    let traffic = Traffic { up: metrics.bytes("to_worker"), down: metrics.bytes("from_worker") };
    relay(tls, agent, stream, traffic, registry.limits().linger).await;
}

impl From<&DialError> for Refusal {
    fn from(error: &DialError) -> Self {
        let code = match error {
            DialError::NoAgent(_) | DialError::TooMany(_) => 503,
            DialError::Unreachable { .. } => 502,
            DialError::Timeout { .. } => 504,
        };
        Self { code, reason: error.to_string() }
    }
}

async fn answer(tls: &mut TlsStream<TcpStream>, code: u16, reason: &str) {
    let _ = tls.write_all(&connect::refusal(code, reason)).await;
    let _ = tls.shutdown().await;
}
