//! Reverse proxy for the Kubernetes API: what a request is, which headers pass, and streams both ways. It knows
//! nothing of permissions or custom resources: its caller decides by [`Attributes`] and brings [`Credentials`].
//!
//! ```text
//!  method, path, query ──► Target ──► Attributes      the caller decides
//!                            │
//!          Request, Credentials ──► relay ──► Upstream: a TLS endpoint, or what a Dial gives
//! ```
//!
//! A [`Target`] holds the very bytes that go upstream, so that what was decided about is what is sent.

mod attributes;
mod body;
mod credentials;
mod endpoint;
mod exchange;
mod failure;
mod headers;
mod path;
mod pool;
mod query;
mod status;
mod switch;
mod target;
mod upstream;

pub use attributes::Attributes;
pub use body::{BodyError, Ending, ResponseBody};
pub use credentials::{CredentialError, Credentials};
pub use endpoint::{ClientCertificate, Endpoint, EndpointError};
pub use exchange::{relay, relay_until};
pub use failure::Failure;
pub use headers::{TokenRefusal, Upgrade, bearer_token, to_client, to_upstream};
pub use status::Status;
pub use target::{Refusal, Target};
pub use upstream::{Dial, Stream, Timeouts, Upstream};
