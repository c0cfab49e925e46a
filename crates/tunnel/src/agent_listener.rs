//! Connections of agents: TLS with the certificate of the tenant that the handshake asks for.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustls::server::ClientHello;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Sleep;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

use crate::TENANT_PREFIX;
use crate::metrics::Counted;
use crate::registry::{Entry, Registry};

/// Who is at the other end of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// The tenant whose certificate it was shown.
    pub(crate) uid: String,
    pub(crate) admission: Arc<Admission>,
}

/// Whether a valid token was shown on a connection.
#[derive(Debug, Default)]
pub(crate) struct Admission(Mutex<Option<OwnedSemaphorePermit>>);

impl Admission {
    /// Lets the connection stay, with its seat; false if it has one.
    pub(crate) fn admit(&self, seat: OwnedSemaphorePermit) -> bool {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if own.is_some() {
            return false;
        }
        *own = Some(seat);
        true
    }

    fn is_admitted(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

/// A connection that ends by itself unless a valid token is shown in time.
pub(crate) struct Connection {
    tls: TlsStream<TcpStream>,
    peer: Peer,
    probation: Option<(Pin<Box<Sleep>>, OwnedSemaphorePermit)>,
    _counted: Counted,
}

/// Accepts connections for ever; those whose handshake is done come out of the channel.
pub(crate) async fn accept(listener: TcpListener, registry: Registry, ready: mpsc::Sender<Connection>) {
    let strangers = Arc::new(Semaphore::new(registry.limits().handshakes));
    loop {
        let Ok(permit) = Arc::clone(&strangers).acquire_owned().await else { return };
        let Some(stream) = next(&listener).await else { continue };
        let (registry, ready) = (registry.clone(), ready.clone());
        tokio::spawn(async move {
            let limit = registry.limits().handshake;
            match tokio::time::timeout(limit, shake_hands(stream, &registry)).await {
                Ok(Ok((tls, uid))) => {
                    let _ = ready.send(Connection::new(tls, uid, permit, &registry)).await;
                }
                Ok(Err(error)) => refuse(&registry, &error),
                Err(_) => refuse(&registry, &"the handshake took too long"),
            }
        });
    }
}

/// The next connection; nothing if that failed, after a rest in case files ran out.
pub(crate) async fn next(listener: &TcpListener) -> Option<TcpStream> {
    match listener.accept().await {
        Ok((stream, _)) => {
            let _ = stream.set_nodelay(true);
            Some(stream)
        }
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted; see the limit of open files");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

fn refuse(registry: &Registry, reason: &dyn std::fmt::Display) {
    registry.metrics().refused("agent");
    tracing::debug!(%reason, "a connection to the agents' port was refused");
}

async fn shake_hands(stream: TcpStream, registry: &Registry) -> io::Result<(TlsStream<TcpStream>, String)> {
    let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await?;
    let wanted = wanted(&start.client_hello());
    let entry = wanted.as_deref().and_then(|uid| registry.find(uid));
    let (Some(uid), Some(Entry { tenant, .. })) = (wanted, entry) else {
        return Err(io::Error::other("neither ALPN nor server name tells a tenant that is known"));
    };
    Ok((start.into_stream(Arc::clone(&tenant.tls)).await?, uid))
}

/// The uid of the tenant that a handshake asks for: by ALPN, else by the first label of the server name.
fn wanted(hello: &ClientHello<'_>) -> Option<String> {
    let mut protocols = hello.alpn().into_iter().flatten();
    let by_protocol = protocols.find_map(|protocol| uid(std::str::from_utf8(protocol).ok()?));
    by_protocol.or_else(|| uid(hello.server_name()?.split('.').next()?))
}

fn uid(text: &str) -> Option<String> {
    text.strip_prefix(TENANT_PREFIX).map(str::to_owned)
}

impl Connection {
    fn new(
        tls: TlsStream<TcpStream>,
        uid: String,
        permit: OwnedSemaphorePermit,
        registry: &Registry,
    ) -> Self {
        let probation = Some((Box::pin(tokio::time::sleep(registry.limits().admission)), permit));
        let peer = Peer { uid, admission: Arc::default() };
        Self { tls, peer, probation, _counted: registry.metrics().connected("agent") }
    }

    /// Ready with an error when the time to show a token is over.
    fn poll_probation(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        if self.peer.admission.is_admitted() {
            self.probation = None;
        }
        let Some((deadline, _)) = &mut self.probation else { return Poll::Pending };
        ready!(deadline.as_mut().poll(context));
        Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "no valid token was shown in time"))
    }
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.probation.is_some()
            && let Poll::Ready(error) = self.poll_probation(context)
        {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.tls).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write(context, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_shutdown(context)
    }
}
