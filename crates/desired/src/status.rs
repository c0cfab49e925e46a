//! The status of a control plane, from what was observed.

use api::condition::Kind;
use api::validation::Fault;
use api::{Driver, TenantControlPlaneStatus, VersionState};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service};

use crate::gate::{Position, Urgency};
use crate::{Endpoint, Issued, Unassigned, Validated};

mod conditions;
mod fields;
mod front;
mod inside;
mod storage;
mod version;

pub use front::Front;
pub use inside::{Inside, TenantOutcome};
pub use storage::MigrationOutcome;

/// What one pass observed. What it did not come to is absent; the status then keeps what it said.
#[derive(Clone, Debug, Default)]
pub struct Observed<'a> {
    /// The Service as the cluster answered it.
    pub service: Option<&'a Service>,
    /// The address, or why there is none.
    pub endpoint: Option<Result<&'a Endpoint, Unassigned>>,
    /// The store.
    pub data_store: DataStoreOutcome<'a>,
    /// A move to another store.
    pub migration: MigrationOutcome,
    /// Further stores in which room was made for overrides.
    pub overrides: &'a [String],
    /// The credentials, once their Secrets are applied.
    pub issued: Option<&'a Issued>,
    /// The Deployment as the cluster answered it.
    pub deployment: Option<&'a Deployment>,
    /// The place in the start gate's queue, if the pods are held back.
    pub queue: Option<Position>,
    /// The turn to replace pods, if it is waited for.
    pub replacement: Option<Replacement>,
    /// The ConfigMap with kubeadm's configuration.
    pub kubeadm_config: Option<&'a ConfigMap>,
    /// The ConfigMap of the tunnel to the workers, if that is wished.
    pub egress_selector: Option<&'a ConfigMap>,
    /// What leads to the Service.
    pub front: Option<&'a Front>,
    /// What happened inside the tenant's cluster.
    pub tenant: TenantOutcome,
    /// What failed.
    pub failure: Option<Failure>,
}

/// Pods that run and wait to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// Whether the owner waits for it.
    pub urgency: Urgency,
    /// The place in the start gate's queue.
    pub position: Position,
}

/// What came of the store.
#[derive(Clone, Debug, Default)]
pub enum DataStoreOutcome<'a> {
    /// The pass did not come to it.
    #[default]
    Pending,
    /// Database, user and Secrets are there.
    Ready {
        /// Name of the `DataStore`.
        name: &'a str,
        /// Its kind.
        driver: Driver,
        /// The Secret with the settings.
        config: &'a Secret,
        /// The Secret with the certificate, if the connection is encrypted.
        certificate: Option<&'a Secret>,
    },
    /// Neither the spec nor the operator names a `DataStore`.
    Unnamed,
    /// The store, or each that might be chosen, has no room for one more.
    NoRoom {
        /// Why, and what to do.
        message: String,
    },
    /// There is none of that name.
    NotFound {
        /// Name of the `DataStore`.
        name: String,
    },
    /// Its own status says that it is not ready, or its references lead nowhere.
    NotReady {
        /// Name of the `DataStore`.
        name: String,
        /// What is wrong with it.
        message: String,
    },
    /// It did not do what was asked.
    Unreachable {
        /// Name of the `DataStore`.
        name: String,
        /// What went wrong.
        message: String,
    },
}

/// A step that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The condition that the step is about.
    pub kind: Kind,
    /// What went wrong.
    pub message: String,
}

/// The new status. Of equal observations it makes equal values, so that nothing need be written.
///
/// `observedGeneration` follows the spec only when everything was brought about; times move only with
/// what they belong to.
#[must_use]
pub fn status(
    previous: Option<&TenantControlPlaneStatus>,
    control_plane: Result<&Validated, &[Fault]>,
    generation: Option<i64>,
    observed: &Observed<'_>,
    now: Timestamp,
) -> TenantControlPlaneStatus {
    let mut status = previous.cloned().unwrap_or_default();
    match control_plane {
        Ok(control_plane) => {
            fields::fill(&mut status, control_plane, observed, now);
            storage::fill(&mut status.storage, observed);
            front::fill(&mut status, control_plane, observed);
            version::fill(&mut status, control_plane, observed);
        }
        Err(_) => {
            status.kubernetes_resources.version.status.get_or_insert(VersionState::Provisioning);
        }
    }
    conditions::fill(&mut status.conditions, control_plane, generation, observed, now);
    if conditions::is_brought_about(&status.conditions, control_plane.ok(), observed) {
        status.observed_generation = generation;
    }
    status
}

#[cfg(test)]
mod tests;
