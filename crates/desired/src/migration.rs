//! A control plane's move to another store: which step comes next, from what the status remembers.
//!
//! ```text
//!  Copying ──► Freezing ──► Frozen ──► Switched ──► (no record)
//!     │            │           │           the new store is in use; unfrozen once only its pods serve
//!     └────────────┴───────────┴──► GivenUp, or nothing if the spec names the old store again
//! ```
//!
//! Up to `Frozen` the old store is the one in use. That changes with the status that says `Switched`, and
//! only a pass that read it gives the tenant access to the new store: nobody writes to both.

use api::names::{annotations, labels};
use api::{MigrationPhase, MigrationStatus, TenantControlPlane};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;

use crate::deployment::label_value;
use crate::rollout::is_rolled_out;

/// Kamaji's time limit of a move, as its annotation spells it.
const DEFAULT_LIMIT: &str = "5m";

/// What is to be done about a move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// Nothing: the store in use is the one that is wished.
    None,
    /// The spec asks for another store; it is to be seen whether the move can be made.
    Begin(MigrationStatus),
    /// The move is under way.
    Go(MigrationStatus),
    /// The new store is in use; what is left is to let the tenant write again.
    Finish(MigrationStatus),
    /// The time limit is over: the tenant goes on in the old store.
    GiveUp(MigrationStatus),
    /// It was given up, and nobody has asked anew.
    Rest(MigrationStatus),
    /// The spec does not ask for this move any more.
    Undo(MigrationStatus),
}

/// Decides. `wished` is the store that the spec, or the operator's default, names.
#[must_use]
pub fn next(tenant: &TenantControlPlane, wished: Option<&str>, now: Timestamp) -> Move {
    let Some(storage) = tenant.status.as_ref().map(|status| &status.storage) else { return Move::None };
    let Some(active) = storage.data_store_name.as_deref() else { return Move::None };
    let wished = wished.unwrap_or(active);
    let asked = |from: &str, to: &str| MigrationStatus {
        from: from.to_owned(),
        to: to.to_owned(),
        phase: MigrationPhase::Copying,
        started_at: Time(api::condition::whole_seconds(now)),
        generation: tenant.metadata.generation,
        given_up_after: None,
    };
    let Some(record) = storage.migration.clone() else {
        return if wished == active { Move::None } else { Move::Begin(asked(active, wished)) };
    };
    match record.phase {
        // Back at once, before the first move is through: what the old store holds is this tenant's.
        MigrationPhase::Switched if wished == record.from && wished != active => {
            Move::Go(asked(active, wished))
        }
        MigrationPhase::Switched => Move::Finish(record),
        _ if wished != record.to || active != record.from => Move::Undo(record),
        MigrationPhase::GivenUp => {
            let is_asked_anew = record.generation != tenant.metadata.generation
                || record.given_up_after.as_deref() != Some(limit_text(tenant));
            if is_asked_anew { Move::Begin(asked(active, wished)) } else { Move::Rest(record) }
        }
        _ if now.duration_since(record.started_at.0) > limit(tenant) => Move::GiveUp(MigrationStatus {
            phase: MigrationPhase::GivenUp,
            given_up_after: Some(limit_text(tenant).to_owned()),
            ..record
        }),
        _ => Move::Go(record),
    }
}

impl Move {
    /// Whether the tenant must not write to the store in use.
    #[must_use]
    pub fn bars_writes(&self) -> bool {
        matches!(self, Self::Go(record) if record.phase == MigrationPhase::Frozen)
    }

    /// Whether the tenant's own cluster shall refuse changes. `live` is the Deployment as it is now: after
    /// the switch, pods of the old store still answer reads until the last of them is gone.
    #[must_use]
    pub fn freezes(&self, live: Option<&Deployment>) -> bool {
        match self {
            Self::Go(record) => record.phase >= MigrationPhase::Freezing,
            Self::Finish(record) => !serves_from(live, &record.to),
            _ => false,
        }
    }
}

/// Whether all pods that serve keep their state in the store, or none serves.
#[must_use]
pub fn serves_from(live: Option<&Deployment>, store: &str) -> bool {
    let Some(live) = live else { return true };
    let template = live.spec.as_ref().and_then(|spec| spec.template.metadata.as_ref());
    let label = template
        .and_then(|template| template.labels.as_ref())
        .and_then(|all| all.get(&format!("{}datastore", labels::CHECKSUM_PREFIX)));
    label == Some(&label_value(store)) && is_rolled_out(live)
}

/// Whether a store may be moved to though it holds something under the tenant's prefix.
#[must_use]
pub fn may_replace(tenant: &TenantControlPlane) -> bool {
    tenant.annotations().get(annotations::CLEANUP_PRIOR_MIGRATION).is_some_and(|text| text == "true")
}

fn limit_text(tenant: &TenantControlPlane) -> &str {
    tenant.annotations().get(annotations::MIGRATION_TIMEOUT).map_or(DEFAULT_LIMIT, String::as_str)
}

/// The time limit that the user set, if it can be read; else Kamaji's.
fn limit(tenant: &TenantControlPlane) -> SignedDuration {
    limit_text(tenant).parse().unwrap_or(SignedDuration::from_mins(5))
}

#[cfg(test)]
mod tests;
