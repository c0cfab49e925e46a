//! Why a connection ended.

/// Why a connection between an agent and the hub ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum End {
    /// The other side ended it.
    #[error("the other side ended the connection")]
    Closed,
    /// This side ended it.
    #[error("this side ended the connection")]
    Asked,
    /// The other side showed no life.
    #[error("the other side was silent for too long")]
    Silent,
    /// The other side takes no bytes.
    #[error("the other side takes no data")]
    Stalled,
    /// The connection broke, or what came over it was not what was agreed.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// No stream of reports was opened in time.
    #[error("the agent opened no stream of reports in time")]
    Mute,
    /// A report could not be read.
    #[error("a report cannot be read: {0}")]
    Report(String),
}
