//! Which clusters are asked when. Pure.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use api::VersionState;
use jiff::{SignedDuration, Timestamp};

use crate::inventory::{ClusterRow, Kind};

/// Between two questions.
const EVERY: SignedDuration = SignedDuration::from_secs(55);
/// At most so much is added by chance, so that clusters that began together spread.
const SPREAD_MILLIS: i64 = 10_000;
/// After the first failure; twice as long after each that follows.
const AGAIN: SignedDuration = SignedDuration::from_secs(5);
/// Failures after which the time between them grows no more: above ten minutes.
const MOST_FAILURES: u32 = 7;

/// How a question ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Answered,
    Failed,
}

/// What is known of clusters that are asked.
#[derive(Default)]
pub(super) struct Schedule {
    clusters: HashMap<String, Entry>,
}

struct Entry {
    due: Timestamp,
    failures: u32,
    is_under_way: bool,
    was_asked: bool,
}

impl Schedule {
    /// Those to ask now, at most so many, the longest due first. They count as under way.
    pub(super) fn due(&mut self, rows: &[Arc<ClusterRow>], now: Timestamp, room: usize) -> Vec<String> {
        let answering: HashSet<&str> =
            rows.iter().filter(|row| answers(row)).map(|row| row.id.as_str()).collect();
        // One that sleeps or is gone is asked at once when it comes back.
        self.clusters.retain(|id, entry| entry.is_under_way || answering.contains(id.as_str()));
        for id in answering {
            if !self.clusters.contains_key(id) {
                let entry = Entry { due: now, failures: 0, is_under_way: false, was_asked: false };
                self.clusters.insert(id.to_owned(), entry);
            }
        }
        let mut due: Vec<(&String, &mut Entry)> =
            self.clusters.iter_mut().filter(|(_, entry)| !entry.is_under_way && entry.due <= now).collect();
        due.sort_by(|(one, first), (other, second)| (first.due, one).cmp(&(second.due, other)));
        due.truncate(room);
        let asked = due.into_iter().map(|(id, entry)| {
            entry.is_under_way = true;
            id.clone()
        });
        asked.collect()
    }

    /// Notes how a question ended. `chance` is random.
    pub(super) fn asked(&mut self, id: &str, outcome: Outcome, now: Timestamp, chance: u8) {
        let Some(entry) = self.clusters.get_mut(id) else { return };
        let after = match outcome {
            Outcome::Answered => {
                entry.failures = 0;
                EVERY
            }
            Outcome::Failed => {
                entry.failures = (entry.failures + 1).min(MOST_FAILURES);
                AGAIN * 2_i32.pow(entry.failures)
            }
        };
        let spread = SignedDuration::from_millis(SPREAD_MILLIS * i64::from(chance) / i64::from(u8::MAX));
        entry.due = now + after + spread;
        entry.is_under_way = false;
        entry.was_asked = true;
    }

    /// Whether each has been asked once, with whatever outcome.
    pub(super) fn has_asked_all(&self) -> bool {
        self.clusters.values().all(|entry| entry.was_asked)
    }
}

/// Whether its API server can be expected to answer.
fn answers(row: &ClusterRow) -> bool {
    let silent =
        [VersionState::Unknown, VersionState::Provisioning, VersionState::NotReady, VersionState::Sleeping];
    row.kind == Kind::Hosted && silent.iter().all(|state| row.state != state.as_str())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::{SignedDuration, Timestamp};

    use super::{Outcome, Schedule};
    use crate::inventory::{ClusterRow, Kind};

    fn row(id: &str, state: &str) -> Arc<ClusterRow> {
        let (id, state) = (id.to_owned(), state.to_owned());
        Arc::new(ClusterRow { id, state, ..ClusterRow::default() })
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn those_that_answer_are_asked_few_at_a_time_and_each_again_after_a_minute() {
        let edge = Arc::new(ClusterRow { kind: Kind::Imported, ..(*row("edge", "Ready")).clone() });
        let rows = [row("a.a", "Ready"), row("a.b", "Upgrading"), row("a.c", "Sleeping"), edge];
        let mut schedule = Schedule::default();
        assert_eq!(schedule.due(&rows, at(0), 1), ["a.a"]);
        assert_eq!(schedule.due(&rows, at(0), 5), ["a.b"]);
        schedule.asked("a.a", Outcome::Answered, at(1), 0);
        assert!(!schedule.has_asked_all());
        schedule.asked("a.b", Outcome::Answered, at(1), u8::MAX);
        assert!(schedule.has_asked_all());
        assert!(schedule.due(&rows, at(55), 5).is_empty());
        assert_eq!(schedule.due(&rows, at(56), 5), ["a.a"]);
        assert_eq!(schedule.due(&rows, at(66), 5), ["a.b"]);
    }

    #[test]
    fn one_that_wakes_is_asked_at_once_and_one_that_fails_ever_more_seldom() {
        let mut schedule = Schedule::default();
        assert_eq!(schedule.due(&[row("a.a", "Ready")], at(0), 5), ["a.a"]);
        schedule.asked("a.a", Outcome::Answered, at(1), 0);
        assert!(schedule.due(&[row("a.a", "Sleeping")], at(2), 5).is_empty());
        let rows = [row("a.a", "Ready")];
        let mut now = 3;
        for wait in [10, 20, 40, 80, 160, 320, 640, 640] {
            assert_eq!(schedule.due(&rows, at(now), 5), ["a.a"]);
            schedule.asked("a.a", Outcome::Failed, at(now), 0);
            assert!(schedule.due(&rows, at(now + wait - 1), 5).is_empty(), "{wait}");
            now += wait;
        }
    }
}
