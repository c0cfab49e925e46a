//! What shall be: pure functions from a spec and observations to objects and status.
//!
//! No clock, no randomness but for keys, no client: the operator fetches, calls these in order and
//! applies the answers.
//!
//! 1. [`validate`]: the only place where user input can be wrong. All that follows takes [`Validated`].
//! 2. [`service`]: applied first, since what the cluster answers decides the [`endpoint`].
//! 3. All else at once, applied in parallel: [`credentials`], [`data_store`], [`deployment`].
//! 4. [`status`]: from what was observed, on every way out.
//!
//! Beside the pipeline: [`gate`], which paces cold starts over all control planes, and the platform's own
//! certificates in [`managed_etcd`] and [`webhook_certificate`]; [`generator`] makes further kubeconfigs.
//!
//! Everything is idempotent: built again from its own output, an object is the same byte for byte.

pub mod data_store;
pub mod gate;
pub mod generator;
pub mod managed_etcd;
pub mod webhook_certificate;

mod checksum;
mod credentials;
mod deployment;
mod endpoint;
mod flags;
mod metadata;
mod pairs;
mod service;
mod status;
mod validated;

pub use checksum::checksum;
pub use credentials::{Checksums, Credentials, Issued, Renewal, Secrets, credentials};
pub use deployment::{DeploymentInputs, Override, Settings, Start, deployment};
pub use endpoint::{Endpoint, Unassigned, endpoint};
pub use service::service;
pub use status::{DataStoreOutcome, Failure, Observed, TenantOutcome, status};
pub use validated::{Validated, validate};
