//! Requests that were turned away, as the audit log has them: an entry for each user and minute, since one for each
//! request would let a storm fill the log.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use records::AuditEntry;
use tokio::time::MissedTickBehavior;

use crate::hub::Hub;

const EVERY: Duration = Duration::from_mins(1);

/// Those of the minute, with the first request of each.
#[derive(Debug, Default)]
pub(crate) struct TurnedAway(Mutex<HashMap<String, (AuditEntry, u64)>>);

impl TurnedAway {
    /// Counts one of an actor. `entry` is about the request, and made for the first one only.
    pub(crate) fn note(&self, actor: &str, entry: impl FnOnce() -> AuditEntry) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counted.get_mut(actor) {
            Some((_, count)) => *count += 1,
            None => drop(counted.insert(actor.to_owned(), (entry(), 1))),
        }
    }

    fn take(&self) -> Vec<AuditEntry> {
        let counted = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        counted.into_values().map(|(entry, count)| told(entry, count)).collect()
    }
}

/// What the log says of so many requests, of which `first` is about the first.
fn told(first: AuditEntry, count: u64) -> AuditEntry {
    let requests = if count == 1 { "request was" } else { "requests were" };
    AuditEntry {
        reason: format!(
            "{count} {requests} turned away within a minute; this is the first: {}",
            first.reason
        ),
        ..first
    }
}

/// Writes them every minute; never ends.
pub(crate) async fn keep(hub: &Hub) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        write(hub).await;
    }
}

/// Writes what was counted.
pub(crate) async fn write(hub: &Hub) {
    for entry in hub.fairness.turned_away.take() {
        let entry = AuditEntry { time: hub.now(), ..entry };
        let written = async {
            let id = hub.records.audit().append(entry).await?;
            let status = StatusCode::TOO_MANY_REQUESTS.as_u16();
            hub.records.audit().complete(vec![id], status, Duration::ZERO).await
        };
        if let Err(error) = written.await {
            let error = &error as &dyn Error;
            tracing::warn!(error, "requests that were turned away are missing in the audit log");
        }
    }
}

#[cfg(test)]
mod tests {
    use records::AuditEntry;

    use super::TurnedAway;

    #[test]
    fn each_actor_has_one_entry_that_says_how_many() {
        let turned_away = TurnedAway::default();
        let entry = |actor: &str, path: &str| AuditEntry {
            actor: actor.to_owned(),
            path: path.to_owned(),
            reason: "too often".to_owned(),
            ..AuditEntry::default()
        };
        for (actor, path) in [("olga", "/1"), ("gus", "/2"), ("olga", "/3")] {
            turned_away.note(actor, || entry(actor, path));
        }
        let mut entries = turned_away.take();
        entries.sort_by(|one, other| one.actor.cmp(&other.actor));
        let told: Vec<(&str, &str)> =
            entries.iter().map(|entry| (entry.path.as_str(), entry.reason.as_str())).collect();
        assert_eq!(
            told,
            [
                ("/2", "1 request was turned away within a minute; this is the first: too often"),
                ("/1", "2 requests were turned away within a minute; this is the first: too often"),
            ]
        );
        assert!(turned_away.take().is_empty(), "nothing is told twice");
    }
}
