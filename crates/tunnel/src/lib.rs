//! One tunnel for all tenants: API servers ask it by HTTP CONNECT for an address that only workers
//! reach, and it passes the stream through a konnectivity agent of the same tenant.
//!
//! Three borders keep tenants apart. An API server is who its client certificate says. An agent is of
//! the tenant whose certificate its handshake asked for, and must show a token that this tenant's key
//! signed. A stream lives in the one agent connection that opened it.

mod agent;
mod agent_listener;
mod agent_service;
mod api_listener;
mod buffer;
mod client_identity;
mod connect;
mod dial;
mod identifiers;
mod limits;
mod metrics;
mod packets;
mod pool;
mod program;
mod proto;
mod registry;
mod relay;
mod settings;
mod tenant;
mod token;
mod watch;

pub use client_identity::ORGANIZATION;
pub use limits::Limits;
pub use metrics::Metrics;
pub use program::{Error as ProgramError, Listeners, run, serve};
pub use registry::Registry;
pub use settings::Settings;
pub use tenant::{Error as TenantError, ServerPair, Tenant};
pub use token::{AUDIENCE, Refusal, SUBJECT, TokenVerifier};

/// The agents' protocol, for a light client of it in tests and measurements.
pub mod protocol {
    pub use crate::proto::agent_service_client::AgentServiceClient;
    pub use crate::proto::packet::Payload;
    pub use crate::proto::{
        CloseDial, CloseRequest, CloseResponse, Data, DialRequest, DialResponse, Drain, Packet, PacketType,
    };
}

/// What the ALPN and the first label of a server name begin with; the tenant's uid follows.
pub const TENANT_PREFIX: &str = "flotilla-";
