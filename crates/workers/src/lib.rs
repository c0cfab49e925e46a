//! Workers of tenants: tokens to join with, and what is done to nodes.
//!
//! - [`tokens`]: `JoinTokens` in the management cluster, and the [`Join`] that comes of one;
//! - [`script`]: what makes a machine a worker;
//! - [`tenants`]: a tenant by its name, and a client for its cluster;
//! - [`nodes`]: the nodes of a tenant's cluster: list, cordon, drain, label, remove.
//!
//! Functions over a `kube::Client`; the crate knows nothing of the operator that answers.

pub mod nodes;
pub mod script;
pub mod tenants;
pub mod tokens;

mod error;

pub use desired::joining::Join;
pub use error::Error;
