//! When a schedule's next backup is due.

use api::TenantBackupScheduleSpec;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Why a schedule cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleFault {
    /// It is no cron expression.
    #[error(
        "spec.schedule `{text}` is no cron expression ({reason}); write minute, hour, day of the month, month and \
         day of the week, such as `30 2 * * *`"
    )]
    Expression {
        /// The text.
        text: String,
        /// The parser's reason.
        reason: String,
    },
    /// It is no time zone.
    #[error("spec.timeZone `{0}` is not known; write it like `Europe/Berlin`, or leave it out for UTC")]
    TimeZone(String),
    /// It names a time that never comes.
    #[error("spec.schedule `{0}` names no time that comes")]
    Never(String),
}

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
/// [`ScheduleFault`] if the schedule cannot be read.
pub fn due(spec: &TenantBackupScheduleSpec, last: Timestamp, now: Timestamp) -> Result<Due, ScheduleFault> {
    let cron = parse(&spec.schedule)?;
    let zone = zone(spec)?;
    let here = now.to_zoned(zone);
    let next = cron.find_next_occurrence(&here, false);
    let next = next.map_err(|_| ScheduleFault::Never(spec.schedule.clone()))?.timestamp();
    let previous = cron.find_previous_occurrence(&here, true).ok();
    let passed = previous.map(|time| time.timestamp()).filter(|time| *time > last);
    let deadline = spec.starting_deadline_seconds.map(SignedDuration::from_secs);
    let is_in_time = |time: &Timestamp| deadline.is_none_or(|most| now.duration_since(*time) <= most);
    Ok(Due { now: passed.filter(is_in_time), passed, next })
}

fn parse(text: &str) -> Result<Cron, ScheduleFault> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser
        .parse(text)
        .map_err(|error| ScheduleFault::Expression { text: text.to_owned(), reason: error.to_string() })
}

fn zone(spec: &TenantBackupScheduleSpec) -> Result<TimeZone, ScheduleFault> {
    match &spec.time_zone {
        None => Ok(TimeZone::UTC),
        Some(name) => TimeZone::get(name).map_err(|_| ScheduleFault::TimeZone(name.clone())),
    }
}

#[cfg(test)]
mod tests {
    use api::TenantBackupScheduleSpec;
    use jiff::Timestamp;

    use super::{ScheduleFault, due};

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
        let fault = |schedule, zone| due(&spec(schedule, zone), now, now).unwrap_err();
        assert!(matches!(fault("at night", None), ScheduleFault::Expression { .. }));
        assert!(matches!(fault("* * * * * *", None), ScheduleFault::Expression { .. }));
        assert!(matches!(fault("0 0 * * *", Some("Mars/Base")), ScheduleFault::TimeZone(_)));
        assert!(matches!(fault("0 0 30 2 *", None), ScheduleFault::Never(_)));
    }
}
