//! What the status remembers of stores: a move to another one, and further ones that hold overrides.

use api::condition::{Kind, Reason, Report};
use api::{MigrationPhase, MigrationStatus, StorageStatus};

use super::Observed;

/// How a move to another store stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MigrationOutcome {
    /// The pass did not come to it.
    #[default]
    Pending,
    /// No move is wished, or it is done.
    Settled,
    /// It cannot begin.
    Refused {
        /// Why, and what to do.
        message: String,
    },
    /// It is under way.
    UnderWay {
        /// What to remember of it.
        record: MigrationStatus,
        /// How far it is.
        message: String,
    },
    /// Its time limit is over.
    GivenUp {
        /// What to remember of it.
        record: MigrationStatus,
    },
}

pub(super) fn fill(storage: &mut StorageStatus, observed: &Observed<'_>) {
    for name in observed.overrides {
        if !storage.overrides.contains(name) {
            storage.overrides.push(name.clone());
            storage.overrides.sort();
        }
    }
    match &observed.migration {
        MigrationOutcome::Pending => {}
        MigrationOutcome::Settled | MigrationOutcome::Refused { .. } => storage.migration = None,
        MigrationOutcome::GivenUp { record } => storage.migration = Some(record.clone()),
        MigrationOutcome::UnderWay { record, .. } => {
            if record.phase == MigrationPhase::Switched {
                storage.data_store_name = Some(record.to.clone());
            }
            storage.migration = Some(record.clone());
        }
    }
}

/// Whether a move is under way, as far as the status knows.
pub(super) fn is_moving(storage: &StorageStatus) -> bool {
    storage.migration.as_ref().is_some_and(|record| record.phase != MigrationPhase::GivenUp)
}

/// What a move has to say about the store.
pub(super) fn report(outcome: &MigrationOutcome) -> Option<Report> {
    let kind = Kind::DataStoreReady;
    match outcome {
        MigrationOutcome::Pending | MigrationOutcome::Settled => None,
        MigrationOutcome::Refused { message } => {
            Some(Report::fails(kind, Reason::MigrationRefused, message.clone()))
        }
        MigrationOutcome::UnderWay { record, message } => {
            let text = format!("moving from DataStore `{}` to `{}`: {message}", record.from, record.to);
            Some(Report::fails(kind, Reason::Migrating, text))
        }
        MigrationOutcome::GivenUp { record } => {
            let text = format!(
                "the move from DataStore `{}` to `{}` did not end within {} and was undone; the control plane \
                 goes on in `{}`. Set spec.dataStore back to it, or raise the annotation {} to try again",
                record.from,
                record.to,
                record.given_up_after.as_deref().unwrap_or_default(),
                record.from,
                api::names::annotations::MIGRATION_TIMEOUT,
            );
            Some(Report::fails(kind, Reason::MigrationTimedOut, text))
        }
    }
}
