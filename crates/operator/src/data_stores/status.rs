//! The status of a DataStore, from what was found out about it.

use api::condition::{Holds, put, whole_seconds};
use api::{DataStore, DataStoreStatus, Driver};
use datastore::{Health, Support};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::stores::{StoreError, driver};

/// Kamaji's condition: the store's settings are complete.
pub(crate) const VALIDATION: &str = "kamaji.clastix.io/DataStoreValidation";
/// Kamaji's condition: nothing keeps the store from being deleted.
const ALLOWED_DELETION: &str = "kamaji.clastix.io/DataStoreAllowedDeletion";
/// Ours: the store answers.
pub(super) const REACHABLE: &str = "Reachable";
/// Ours: it takes the administrator's credentials.
const CREDENTIALS: &str = "CredentialsAccepted";
/// Ours: its version is one that serves.
const VERSION: &str = "VersionSupported";
/// Ours: it takes writes, and has space for more.
const SPACE: &str = "SpaceLeft";

/// Whether a condition is one of those that make a store ready.
pub(super) fn decides_readiness(kind: &str) -> bool {
    [VALIDATION, REACHABLE, CREDENTIALS, VERSION, SPACE].contains(&kind)
}

/// What is to be said by a condition.
struct Said {
    kind: &'static str,
    holds: Holds,
    reason: &'static str,
    message: String,
}

impl Said {
    fn new(kind: &'static str, holds: Holds, reason: &'static str, message: impl Into<String>) -> Self {
        Self { kind, holds, reason, message: message.into() }
    }
}

/// What is said about a store, from what its administrator was told or why nothing was.
pub(super) fn status(
    object: &DataStore,
    used_by: Vec<String>,
    found: Result<&Health, &StoreError>,
    now: Timestamp,
) -> DataStoreStatus {
    let generation = object.metadata.generation;
    let mut conditions = object.status.clone().unwrap_or_default().conditions;
    let mut said = match found {
        Ok(health) => healthy(object.spec.driver, health),
        Err(error) => failing(error),
    };
    said.push(deletion(&used_by));
    for Said { kind, holds, reason, message } in said {
        let condition = Condition {
            type_: kind.to_owned(),
            status: holds.as_str().to_owned(),
            reason: reason.to_owned(),
            message,
            observed_generation: generation,
            last_transition_time: Time(whole_seconds(now)),
        };
        put(&mut conditions, condition);
    }
    let ready = found.is_ok_and(|health| is_ready(object.spec.driver, health));
    DataStoreStatus { observed_generation: generation, used_by, conditions, ready }
}

/// Little space is a warning; tenants can still be served.
fn is_ready(kind: Driver, health: &Health) -> bool {
    !matches!(health.support(driver(kind)), Support::TooOld { .. }) && health.refuses_writes.is_none()
}

fn healthy(kind: Driver, health: &Health) -> Vec<Said> {
    vec![
        valid(),
        Said::new(REACHABLE, Holds::True, "Reachable", "the store answers its administrator"),
        Said::new(CREDENTIALS, Holds::True, "Accepted", "the store takes the administrator's credentials"),
        version(kind, health),
        space(health),
    ]
}

fn valid() -> Said {
    Said::new(VALIDATION, Holds::True, "DataStoreIsValid", "all references lead to content")
}

fn failing(error: &StoreError) -> Vec<Said> {
    let unknown = |kind, after: &str| {
        Said::new(kind, Holds::Unknown, "NotTried", format!("cannot be known before {after} holds"))
    };
    match error {
        StoreError::Store { source: datastore::Error::SignIn { .. }, .. } => vec![
            valid(),
            Said::new(REACHABLE, Holds::True, "Reachable", "the store answers"),
            Said::new(
                CREDENTIALS,
                Holds::False,
                "Refused",
                format!("{}; mend the credentials that the DataStore names", chain(error)),
            ),
            unknown(VERSION, CREDENTIALS),
            unknown(SPACE, CREDENTIALS),
        ],
        StoreError::Store { .. } => vec![
            valid(),
            Said::new(REACHABLE, Holds::False, "Unreachable", format!("{}; it is tried again", chain(error))),
            unknown(CREDENTIALS, REACHABLE),
            unknown(VERSION, REACHABLE),
            unknown(SPACE, REACHABLE),
        ],
        _ => vec![
            Said::new(VALIDATION, Holds::False, "TLSConfigurationValidationFailed", error.to_string()),
            Said::new(
                REACHABLE,
                Holds::False,
                "NotTried",
                "the settings are not complete; see DataStoreValidation",
            ),
            unknown(CREDENTIALS, REACHABLE),
            unknown(VERSION, REACHABLE),
            unknown(SPACE, REACHABLE),
        ],
    }
}

fn version(kind: Driver, health: &Health) -> Said {
    let version = &health.version;
    match health.support(driver(kind)) {
        Support::Supported => {
            Said::new(VERSION, Holds::True, "Supported", format!("the store runs version {version}"))
        }
        Support::TooOld { product, oldest } => Said::new(
            VERSION,
            Holds::False,
            "TooOld",
            format!("the store runs {product} {version}; upgrade it to {oldest} or newer"),
        ),
        Support::Unknown => Said::new(
            VERSION,
            Holds::Unknown,
            "Unreadable",
            format!("the store calls its version `{version}`, which cannot be compared"),
        ),
    }
}

fn space(health: &Health) -> Said {
    if let Some(why) = &health.refuses_writes {
        let message = format!("the store refuses writes: {why}; free or add space");
        return Said::new(SPACE, Holds::False, "WritesRefused", message);
    }
    // Coarse, so that the status is not written with every write of a tenant.
    let tenths = health.percent_used().map(|percent| percent / 10 * 10);
    match (health.is_almost_full(), tenths) {
        (Some(true), Some(tenths)) => Said::new(
            SPACE,
            Holds::False,
            "AlmostFull",
            format!("more than {tenths} % of the store's limit is used; raise the limit or move tenants"),
        ),
        (Some(false), Some(tenths)) => Said::new(
            SPACE,
            Holds::True,
            "SpaceLeft",
            format!("{tenths} % of the store's limit or a little more is used"),
        ),
        _ => Said::new(SPACE, Holds::Unknown, "NotTold", "the store tells of no limit; watch its disk"),
    }
}

fn deletion(used_by: &[String]) -> Said {
    if used_by.is_empty() {
        let message = "no control plane keeps its state here";
        return Said::new(ALLOWED_DELETION, Holds::True, "DataStoreUnused", message);
    }
    let message = format!("{} control planes keep their state here; see usedBy", used_by.len());
    Said::new(ALLOWED_DELETION, Holds::False, "DataStoreStillUsed", message)
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
    use super::{ALLOWED_DELETION, SPACE, VERSION, status};
    use api::{DataStore, DataStoreStatus};
    use datastore::Health;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

    fn health() -> Health {
        Health { version: "3.6.5".to_owned(), ..Health::default() }
    }

    fn of(health: &Health, users: &[&str]) -> DataStoreStatus {
        let users = users.iter().map(ToString::to_string).collect();
        status(&DataStore::default(), users, Ok(health), "2026-01-01T00:00:00Z".parse().unwrap())
    }

    fn find<'a>(found: &'a DataStoreStatus, kind: &str) -> &'a Condition {
        found.conditions.iter().find(|known| known.type_ == kind).unwrap()
    }

    #[test]
    fn a_store_in_use_says_why_it_is_kept() {
        let found = of(&health(), &["a/b"]);
        let condition = find(&found, ALLOWED_DELETION);
        assert_eq!((condition.status.as_str(), condition.reason.as_str()), ("False", "DataStoreStillUsed"));
        assert!(found.ready);
    }

    #[test]
    fn a_store_that_is_too_old_or_full_is_not_ready_and_says_so() {
        let old = of(&Health { version: "3.3.1".to_owned(), ..health() }, &[]);
        assert!(!old.ready && find(&old, VERSION).message.contains("3.3.1"));
        let full = of(&Health { refuses_writes: Some("alarm NOSPACE".to_owned()), ..health() }, &[]);
        assert!(!full.ready && find(&full, SPACE).message.contains("NOSPACE"));
        let tight = of(&Health { used: Some(95), limit: Some(100), ..health() }, &[]);
        assert!(tight.ready);
        assert_eq!(find(&tight, SPACE).reason, "AlmostFull");
    }

    #[test]
    fn a_second_pass_changes_nothing() {
        let mut store = DataStore::default();
        let health = health();
        store.status = Some(status(&store, Vec::new(), Ok(&health), "2026-01-01T00:00:00Z".parse().unwrap()));
        let again = status(&store, Vec::new(), Ok(&health), "2026-01-02T00:00:00Z".parse().unwrap());
        assert_eq!(store.status, Some(again));
    }
}
