//! Connections of imported clusters' agents to the hub: what both sides share, and the hub's half. No policy: who may
//! register or connect, and what is sent over a stream, is decided elsewhere.
//!
//! ```text
//!  agent ── TCP (─ CONNECT through a proxy) ── TLS, pinned authority ── WebSocket ── yamux ── streams
//!    keep()  Hub::connect                                    Session        open / Incoming
//!                                          greet() ── Sessions::accept ── Sessions::open         hub
//! ```
//!
//! The hub opens a stream per request and speaks HTTP/1.1 on it; the agent opens one stream per connection, for
//! [`Report`]s, one JSON object per line. An agent that breaks a rule loses its own connection, nothing else.

mod backoff;
mod dial;
mod end;
mod frames;
mod greeting;
mod hub;
mod keep;
mod limits;
mod manifest;
mod proxy;
mod pulse;
mod registration;
mod report;
mod reports;
mod session;
mod sessions;
mod stream;
mod wire;

pub use backoff::Backoff;
pub use dial::DialError;
pub use end::End;
pub use greeting::{
    CONNECT_PATH, Greeting, INSTANCE_HEADER, KEYS_PATH, NotAnAgent, REGISTER_PATH, RENEW_PATH,
    REPLICA_HEADER, REPLICAS_HEADER, Replica, accept_key, greet,
};
pub use hub::{CallError, Connected, Hub, HubError};
pub use keep::{Credentials, Link, Token, keep};
pub use limits::Limits;
pub use manifest::{IDENTITY_SECRET, IMPORT_SECRET, Installation, NAMESPACE, PROJECT_GROUPS_ROLE, manifest};
pub use proxy::{Proxies, Proxy, ProxyError};
pub use registration::{Registered, Registration, Renewed};
pub use report::{Amounts, ApiServer, Node, Report, Status, Totals};
pub use reports::{ReportError, Reporter};
pub use session::{Driver, Incoming, OpenError, Session, Side};
pub use sessions::{Event, Reservation, Sessions};
pub use stream::Stream;
