//! The status of a DataStore, from what was found out about it.

use api::condition::{Holds, put, whole_seconds};
use api::{DataStore, DataStoreStatus};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::stores::StoreError;

/// Kamaji's condition: the store's settings are complete.
pub(crate) const VALIDATION: &str = "kamaji.clastix.io/DataStoreValidation";
/// Kamaji's condition: nothing keeps the store from being deleted.
const ALLOWED_DELETION: &str = "kamaji.clastix.io/DataStoreAllowedDeletion";
/// Ours: the store answers its administrator.
const REACHABLE: &str = "Reachable";

/// Whether a condition is one of those that make a store ready.
pub(super) fn decides_readiness(kind: &str) -> bool {
    [VALIDATION, REACHABLE].contains(&kind)
}

/// What is said about a store; `failure` is why it cannot be used, if it cannot.
pub(super) fn status(
    object: &DataStore,
    used_by: Vec<String>,
    failure: Option<&StoreError>,
    now: Timestamp,
) -> DataStoreStatus {
    let generation = object.metadata.generation;
    let mut conditions = object.status.clone().unwrap_or_default().conditions;
    let mut say = |kind: &str, holds: bool, reason: &str, message: String| {
        let condition = Condition {
            type_: kind.to_owned(),
            status: if holds { Holds::True } else { Holds::False }.as_str().to_owned(),
            reason: reason.to_owned(),
            message,
            observed_generation: generation,
            last_transition_time: Time(whole_seconds(now)),
        };
        put(&mut conditions, condition);
    };
    let unreachable = matches!(failure, Some(StoreError::Store { .. }));
    match failure {
        Some(error) if !unreachable => {
            say(VALIDATION, false, "TLSConfigurationValidationFailed", error.to_string());
            say(
                REACHABLE,
                false,
                "NotTried",
                "the settings are not complete; see DataStoreValidation".into(),
            );
        }
        Some(error) => {
            say(VALIDATION, true, "DataStoreIsValid", "all references lead to content".into());
            say(REACHABLE, false, "Unreachable", format!("{}; it is tried again", chain(error)));
        }
        None => {
            say(VALIDATION, true, "DataStoreIsValid", "all references lead to content".into());
            say(REACHABLE, true, "Reachable", "the store answers its administrator".into());
        }
    }
    if used_by.is_empty() {
        say(ALLOWED_DELETION, true, "DataStoreUnused", "no control plane keeps its state here".into());
    } else {
        let message = format!("{} control planes keep their state here; see usedBy", used_by.len());
        say(ALLOWED_DELETION, false, "DataStoreStillUsed", message);
    }
    DataStoreStatus { observed_generation: generation, used_by, conditions, ready: failure.is_none() }
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{ALLOWED_DELETION, status};
    use api::DataStore;

    #[test]
    fn a_store_in_use_says_why_it_is_kept() {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let found = status(&DataStore::default(), vec!["a/b".to_owned()], None, now);
        let condition = found.conditions.iter().find(|known| known.type_ == ALLOWED_DELETION).unwrap();
        assert_eq!((condition.status.as_str(), condition.reason.as_str()), ("False", "DataStoreStillUsed"));
        assert!(found.ready);
    }

    #[test]
    fn a_second_pass_changes_nothing() {
        let mut store = DataStore::default();
        store.status = Some(status(&store, Vec::new(), None, "2026-01-01T00:00:00Z".parse().unwrap()));
        let again = status(&store, Vec::new(), None, "2026-01-02T00:00:00Z".parse().unwrap());
        assert_eq!(store.status, Some(again));
    }
}
