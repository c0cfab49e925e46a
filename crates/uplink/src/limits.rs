//! What one connection may use, so that no agent takes what belongs to others.

use std::time::Duration;

/// Largest WebSocket message that is taken. Ours have at most half of it.
pub(crate) const LARGEST_MESSAGE: usize = 64 << 10;
/// What is collected into one WebSocket message: a frame of yamux with its head.
pub(crate) const MESSAGE: usize = 32 << 10;
/// What a WebSocket reads at once; allocated for every connection.
pub(crate) const READ_BUFFER: usize = 4 << 10;
/// Streams that yamux may know of, with those that are closed on our side and not yet on the wire. More end the
/// connection, which a side that takes its bytes never sees.
pub(crate) const KNOWN_STREAMS: usize = 4096;
/// What the receive windows of all streams of a connection may grow by, beyond the 256 KiB that each has.
pub(crate) const WINDOW_GROWTH: usize = 64 << 20;

/// Limits of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Streams at once.
    pub streams: usize,
    /// Streams that the other side may open although it must not, before it is cut off.
    pub refusals: usize,
    /// Connections of one cluster to one replica of the hub; the oldest goes.
    pub sessions: usize,
    /// Longest report, in bytes.
    pub report: usize,
    /// Reports that may come at once.
    pub report_burst: u32,
    /// Time between reports in the long run; sooner ones wait.
    pub report_pace: Duration,
    /// How often each side shows that it is there.
    pub heartbeat: Duration,
    /// After this much silence the other side is gone, which is seen at a heartbeat: a lost cluster shows within 30 s.
    pub silence: Duration,
    /// Time for a new connection to open its stream of reports.
    pub introduction: Duration,
    /// Time to reach the hub: TCP, proxy, TLS, answer.
    pub dial: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            streams: 256,
            refusals: 16,
            sessions: 4,
            report: 256 << 10,
            report_burst: 20,
            report_pace: Duration::from_millis(500),
            heartbeat: Duration::from_secs(6),
            silence: Duration::from_secs(18),
            introduction: Duration::from_secs(10),
            dial: Duration::from_secs(15),
        }
    }
}
