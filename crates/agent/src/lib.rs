//! The agent of an imported cluster: connects to the hub, lets in whom the hub vouches for, and reports how the
//! cluster is. It listens on nothing but its health port.
//!
//! ```text
//!  hub ── stream ──► Gate ──(identity verified, groups allow-listed)──► relay ──► the cluster's own API server
//!      ◄─ reports ── board ◄── nodes, version, usage
//! ```

mod board;
mod cluster;
mod gate;
mod identity;
mod keys;
mod nodes;
mod program;
mod registration;
mod renewal;
mod reports;
mod serve;
mod settings;
mod token;

pub use cluster::{Cluster, ClusterError};
pub use gate::Gate;
pub use identity::{Asserted, assert};
pub use keys::{Keys, KeysError};
pub use program::{Error, run};
pub use registration::{Identity, RegistrationError};
pub use serve::serve;
pub use settings::Settings;
