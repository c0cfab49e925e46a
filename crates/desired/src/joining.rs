//! Joining workers: tokens, and what becomes of the requests of nodes for certificates.

mod client;
mod request;
mod serving;
mod standing;
mod token;

pub use client::{JoinCase, judge_join, requested_node};
pub use request::{Asked, asked, found_no_room, outcome};
pub use serving::{ServingCase, judge_serving};
pub use standing::{Phase, counted, expires_at, is_counted, phase};
pub use token::{Join, Token, is_own_secret, secret, secret_name, tenant_secret, tenant_secret_name};

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is granted.
    Approve {
        /// Why.
        message: String,
    },
    /// It is refused for good.
    Deny {
        /// Why, in one word.
        reason: &'static str,
        /// Why, and what to do.
        message: String,
    },
    /// It cannot be told yet; to be looked at again soon.
    Wait,
}

/// Why a machine is refused for which a quota leaves no room.
const NO_ROOM: &str = "QuotaExceeded";

impl Verdict {
    /// A quota leaves no room for another worker; what to do is in `message`.
    #[must_use]
    pub fn no_room(message: String) -> Self {
        Self::Deny { reason: NO_ROOM, message }
    }

    fn deny(reason: &'static str, message: impl Into<String>) -> Self {
        Self::Deny { reason, message: message.into() }
    }
}
