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

pub mod backups;
pub mod data_store;
pub mod etcd_service;
pub mod gate;
pub mod generator;
pub mod hub;
pub mod inside;
pub mod joining;
pub mod managed_etcd;
pub mod migration;
pub mod placement;
pub mod shared_tunnel;
pub mod sleeping;
pub mod transfer;
pub mod webhook_certificate;

mod certificate_end;
mod checksum;
mod credentials;
mod demand;
mod deployment;
mod endpoint;
mod flags;
mod gateway;
mod hand_over;
mod ingress;
mod konnectivity;
mod kubeadm_config;
mod metadata;
mod pairs;
mod rollout;
mod service;
mod status;
mod timetable;
mod validated;

pub use certificate_end::{Strategy, certificate_end};
pub use checksum::checksum;
pub use credentials::{
    Checksums, Credentials, Issued, Renewal, Secrets, credential_components, credentials, stale_credentials,
};
pub use demand::{Demand, demand};
pub use deployment::{DeploymentInputs, Override, Settings, Start, deployment, preview};
pub use endpoint::{Endpoint, Unassigned, endpoint, pod_ranges, service_ranges};
pub use gateway::{konnectivity_route, route};
pub use ingress::ingress;
pub use konnectivity::{egress_selector, konnectivity_port};
pub use kubeadm_config::kubeadm_config;
pub use rollout::{is_rolled_out, replaces_pods, spread, store_authority};
pub use service::service;
pub use status::{
    DataStoreOutcome, Failure, Front, Inside, MigrationOutcome, Observed, Replacement, TenantOutcome, status,
};
pub use validated::{Validated, validate};
