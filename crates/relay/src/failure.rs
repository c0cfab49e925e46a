//! Why upstream gave no answer.

use http::StatusCode;

use crate::Status;

/// When to try again, seconds.
const SOON: u32 = 5;

/// Why upstream gave no answer. Names no address: those who read it need not know where clusters are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No connection.
    #[error("cannot reach the API server of `{upstream}`: {reason}; see whether it runs, then try again")]
    Unreachable {
        /// Name of the upstream.
        upstream: String,
        /// The system's or TLS's reason.
        reason: String,
    },
    /// No connection in time.
    #[error(
        "cannot reach the API server of `{upstream}` within {seconds} s; see whether it runs and the network is \
         up, then try again"
    )]
    Unconnected {
        /// Name of the upstream.
        upstream: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// It took the request and did not answer in time.
    #[error(
        "the API server of `{upstream}` took the request and did not answer within {seconds} s; see what has become \
         of it before you try again"
    )]
    Silent {
        /// Name of the upstream.
        upstream: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The connection ended before the answer began.
    #[error(
        "the connection to the API server of `{upstream}` ended before it answered: {reason}; see what has become \
         of the request before you try again"
    )]
    Broken {
        /// Name of the upstream.
        upstream: String,
        /// The reason.
        reason: String,
    },
    /// It switched to a protocol that was not asked for.
    #[error(
        "the API server of `{upstream}` switched to a protocol that was not asked for; see whether something else \
         answers in its place"
    )]
    Switched {
        /// Name of the upstream.
        upstream: String,
    },
}

impl Failure {
    /// The failure as clients read it.
    #[must_use]
    pub fn status(&self) -> Status {
        let (code, reason, retry_after) = match self {
            Self::Silent { .. } => (StatusCode::GATEWAY_TIMEOUT, "Timeout", None),
            Self::Switched { .. } => (StatusCode::BAD_GATEWAY, "InternalError", None),
            Self::Unreachable { .. } | Self::Unconnected { .. } | Self::Broken { .. } => {
                (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", Some(SOON))
            }
        };
        Status { code, reason, message: self.to_string(), retry_after }
    }
}
