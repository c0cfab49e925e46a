//! What requests are relayed to: an API server over TLS, or whatever is behind a stream that somebody else dials.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::uri::{Authority, Scheme};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::endpoint::{Connector, authority};
use crate::pool::Pool;
use crate::{Endpoint, EndpointError, Failure};

/// `Host` for those behind a dialled stream, which is known to them by other means.
const DIALLED: Authority = Authority::from_static("kubernetes.default.svc");

/// How long is waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection, with TLS.
    pub connect: Duration,
    /// For the head of an answer, from when the request is begun to be sent. Not for long-running requests.
    pub answer: Duration,
}

impl Default for Timeouts {
    /// 10 s; and 70 s, since API servers themselves give up after 60.
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), answer: Duration::from_secs(70) }
    }
}

/// A stream of bytes both ways.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Opens streams to an upstream that only others can reach.
#[async_trait]
pub trait Dial: Send + Sync {
    /// A new stream, on which one request is sent with HTTP/1.1. Dropping it must tell the other end at once.
    async fn dial(&self) -> io::Result<Box<dyn Stream>>;
}

/// What requests are relayed to. Keeps connections; make one for each cluster and share it.
pub struct Upstream {
    pub(crate) name: String,
    pub(crate) scheme: Scheme,
    pub(crate) authority: Authority,
    pub(crate) timeouts: Timeouts,
    pub(crate) way: Way,
}

pub(crate) enum Way {
    Endpoint(Pool),
    Dialled(Arc<dyn Dial>),
}

impl Upstream {
    /// An API server over TLS: HTTP/2 on a few connections, and one with HTTP/1.1 for each upgrade. `name` is what
    /// messages call it.
    pub fn endpoint(
        name: impl Into<String>,
        endpoint: &Endpoint,
        timeouts: Timeouts,
    ) -> Result<Self, EndpointError> {
        Ok(Self {
            name: name.into(),
            scheme: Scheme::HTTPS,
            authority: authority(&endpoint.address)?,
            timeouts,
            way: Way::Endpoint(Pool::new(Connector::new(endpoint)?)),
        })
    }

    /// Whatever is behind the streams of a dialler: HTTP/1.1, a stream for each request.
    pub fn dialled(name: impl Into<String>, dial: Arc<dyn Dial>, timeouts: Timeouts) -> Self {
        Self {
            name: name.into(),
            scheme: Scheme::HTTP,
            authority: DIALLED,
            timeouts,
            way: Way::Dialled(dial),
        }
    }

    /// How many shared connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        match &self.way {
            Way::Endpoint(pool) => pool.size(),
            Way::Dialled(_) => 0,
        }
    }

    /// A stream for a single request.
    pub(crate) async fn stream(&self) -> Result<Box<dyn Stream>, Failure> {
        let dialled = async {
            match &self.way {
                Way::Endpoint(pool) => {
                    pool.connector().http1().await.map(|stream| Box::new(stream) as Box<dyn Stream>)
                }
                Way::Dialled(dial) => dial.dial().await,
            }
        };
        match tokio::time::timeout(self.timeouts.connect, dialled).await {
            Ok(stream) => stream.map_err(|error| self.unreachable(&error)),
            Err(_) => Err(self.unconnected()),
        }
    }

    pub(crate) fn unreachable(&self, error: &io::Error) -> Failure {
        Failure::Unreachable { upstream: self.name.clone(), reason: reason(error) }
    }

    pub(crate) fn unconnected(&self) -> Failure {
        Failure::Unconnected { upstream: self.name.clone(), seconds: self.timeouts.connect.as_secs() }
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Upstream").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What an error says, without addresses, which those of the system do not hold but by their kind.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::Other | io::ErrorKind::InvalidData => error.to_string(),
        kind => kind.to_string(),
    }
}
