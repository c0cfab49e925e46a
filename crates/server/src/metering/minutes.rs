//! Which minutes are to be sampled. Pure.

use jiff::{SignedDuration, Timestamp};

/// Length of an interval.
pub(super) const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// Minutes that are sampled later, when no replica ran or the database did not answer.
const LATEST: i32 = 60;

/// What this replica has sampled.
#[derive(Default)]
pub(super) struct Minutes {
    /// The first that it has not.
    next: Option<Timestamp>,
}

impl Minutes {
    /// Minutes that are over and were not sampled by this replica, the oldest first.
    pub(super) fn due(&self, now: Timestamp) -> Vec<Timestamp> {
        let current = start(now);
        let earliest = current - MINUTE * LATEST;
        let mut minute = self.next.unwrap_or(earliest).max(earliest);
        let mut due = Vec::new();
        while minute < current {
            due.push(minute);
            minute += MINUTE;
        }
        due
    }

    /// Notes one that was sampled.
    pub(super) fn reported(&mut self, minute: Timestamp) {
        self.next = Some(minute + MINUTE);
    }
}

/// Key of a minute, the same at every replica.
pub(super) fn key(minute: Timestamp) -> String {
    format!("clusters/{minute}")
}

/// When the minute of a time began.
fn start(time: Timestamp) -> Timestamp {
    let into = time.as_second().rem_euclid(60);
    let subsecond = SignedDuration::from_nanos(time.subsec_nanosecond().into());
    time - SignedDuration::from_secs(into) - subsecond
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::{Minutes, key};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn each_minute_is_due_once_when_it_is_over() {
        let mut minutes = Minutes::default();
        minutes.reported(at("2026-11-29T00:03:00Z"));
        assert!(minutes.due(at("2026-11-29T00:04:59Z")).is_empty());
        let due = minutes.due(at("2026-11-29T00:06:10.5Z"));
        assert_eq!(due, [at("2026-11-29T00:04:00Z"), at("2026-11-29T00:05:00Z")]);
        minutes.reported(due[0]);
        assert_eq!(minutes.due(at("2026-11-29T00:06:20Z")), [due[1]]);
        assert_eq!(key(due[1]), "clusters/2026-11-29T00:05:00Z");
    }

    #[test]
    fn what_was_missed_is_caught_up_with_for_an_hour() {
        let now = at("2026-11-29T12:00:30Z");
        let mut minutes = Minutes::default();
        let due = minutes.due(now);
        assert_eq!((due.len(), due[0]), (60, at("2026-11-29T11:00:00Z")));
        minutes.reported(now - SignedDuration::from_hours(9));
        assert_eq!(minutes.due(now), due);
    }
}
