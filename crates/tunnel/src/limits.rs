//! Bounds on time and memory.

use std::time::Duration;

/// Bounds on what peers may use. Tests shorten the times.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A TLS handshake and the head of a request must have come by then.
    pub handshake: Duration,
    /// A connection of an agent that has not shown a valid token by then is closed.
    pub admission: Duration,
    /// An agent must have opened a connection by then; agents themselves give up after 5 s.
    pub dial: Duration,
    /// How long a stream may hold up the others of its agent; what it takes in makes up for it.
    pub stall: Duration,
    /// A stream whose API server has sent all ends after this long without an answer.
    pub linger: Duration,
    /// Silence after which an agent is asked whether it is alive, and again for its answer.
    pub keepalive: Duration,
    /// Bytes that wait for a slow API server, per stream.
    pub stream_bytes: usize,
    /// The same for all streams of a tenant.
    pub tenant_bytes: usize,
    /// Streams of a tenant at once.
    pub streams: usize,
    /// Connections of agents of a tenant at once, those without a token yet included.
    pub agents: usize,
    /// Handshakes at once, of each side.
    pub handshakes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            admission: Duration::from_secs(10),
            dial: Duration::from_secs(10),
            stall: Duration::from_secs(2),
            linger: Duration::from_secs(1),
            keepalive: Duration::from_secs(30),
            stream_bytes: 1 << 20,
            tenant_bytes: 16 << 20,
            streams: 2048,
            agents: 2048,
            handshakes: 256,
        }
    }
}

/// A stream that holds up others must take in this much in a second, or it is ended.
pub(crate) const SLOWEST: usize = 128 << 10;
/// Largest message of an agent; agents send 4 KiB of data at once.
pub(crate) const LARGEST_MESSAGE: usize = 128 << 10;
/// Largest piece of data that is sent to an agent at once.
pub(crate) const PIECE: usize = 16 << 10;
/// Packets that wait for an agent.
pub(crate) const PACKETS: usize = 32;
/// What a piece of data costs beside its bytes, so that empty pieces are bounded too.
pub(crate) const OVERHEAD: usize = 64;
