//! When a schedule's next backup is due.

use api::TenantBackupScheduleSpec;
use api::validation::Fault;
use jiff::{SignedDuration, Timestamp};

use crate::timetable::{self, Timetable};

/// What a schedule asks for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The time of the backup that is to be taken now, if one is.
    pub now: Option<Timestamp>,
    /// The latest time of the schedule that has passed since the last backup, taken or missed.
    pub passed: Option<Timestamp>,
    /// When the next one is due.
    pub next: Timestamp,
}

/// What is due at `now`, if the last one was that of `last`. Of several that were missed only the latest is
/// taken, and none that is later than the starting deadline allows.
///
/// # Errors
/// A [`Fault`] if the schedule cannot be read.
pub fn due(spec: &TenantBackupScheduleSpec, last: Timestamp, now: Timestamp) -> Result<Due, Fault> {
    let zone = timetable::zone("spec.timeZone", spec.time_zone.as_deref())?;
    let table = Timetable::read("spec.schedule", &spec.schedule, zone)?;
    let passed = table.latest(now).filter(|time| *time > last);
    let deadline = spec.starting_deadline_seconds.map(SignedDuration::from_secs);
    let is_in_time = |time: &Timestamp| deadline.is_none_or(|most| now.duration_since(*time) <= most);
    let next = table.next(now).unwrap_or(Timestamp::MAX);
    Ok(Due { now: passed.filter(is_in_time), passed, next })
}

#[cfg(test)]
mod tests {
    use api::TenantBackupScheduleSpec;
    use jiff::Timestamp;

    use super::due;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn spec(schedule: &str, zone: Option<&str>) -> TenantBackupScheduleSpec {
        TenantBackupScheduleSpec {
            schedule: schedule.to_owned(),
            time_zone: zone.map(str::to_owned),
            ..TenantBackupScheduleSpec::default()
        }
    }

    #[test]
    fn it_is_due_at_its_time_in_its_zone_and_once() {
        let nightly = spec("30 2 * * *", Some("Europe/Berlin"));
        let last = at("2026-07-01T00:30:00Z");
        let before = due(&nightly, last, at("2026-07-02T00:29:59Z")).unwrap();
        assert_eq!((before.now, before.next), (None, at("2026-07-02T00:30:00Z")));
        let then = due(&nightly, last, at("2026-07-02T00:30:00Z")).unwrap();
        assert_eq!((then.now, then.next), (Some(at("2026-07-02T00:30:00Z")), at("2026-07-03T00:30:00Z")));
        let after = due(&nightly, at("2026-07-02T00:30:00Z"), at("2026-07-02T00:30:01Z")).unwrap();
        assert_eq!(after.now, None);
    }

    #[test]
    fn of_those_missed_the_latest_is_taken_unless_it_is_too_late() {
        let mut hourly = spec("0 * * * *", None);
        let (last, now) = (at("2026-01-01T00:00:00Z"), at("2026-01-01T09:20:00Z"));
        assert_eq!(due(&hourly, last, now).unwrap().now, Some(at("2026-01-01T09:00:00Z")));
        hourly.starting_deadline_seconds = Some(600);
        let late = due(&hourly, last, now).unwrap();
        assert_eq!((late.now, late.passed), (None, Some(at("2026-01-01T09:00:00Z"))));
    }

    #[test]
    fn an_hour_that_summer_time_leaves_out_or_repeats_is_survived() {
        let nightly = spec("30 2 * * *", Some("Europe/Berlin"));
        // 02:30 does not exist on 29 March 2026, and exists twice on 25 October.
        for (last, now) in [
            ("2026-03-28T01:30:00Z", "2026-03-29T12:00:00Z"),
            ("2026-10-24T00:30:00Z", "2026-10-25T12:00:00Z"),
        ] {
            let found = due(&nightly, at(last), at(now)).unwrap();
            assert!(found.now.is_some(), "{now}");
            let again = due(&nightly, found.now.unwrap(), at(now)).unwrap();
            assert_eq!(again.now, None, "{now}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let now = at("2026-01-01T00:00:00Z");
        let fault = |schedule, zone| due(&spec(schedule, zone), now, now).unwrap_err().path;
        assert_eq!(fault("at night", None), "spec.schedule");
        assert_eq!(fault("0 0 30 2 *", None), "spec.schedule");
        assert_eq!(fault("0 0 * * *", Some("Mars/Base")), "spec.timeZone");
    }
}
