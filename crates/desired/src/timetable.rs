//! The times that a cron expression names in a time zone.

use api::validation::Fault;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// From when on it is looked whether a time ever comes; which day it is does not matter.
const SOME_DAY: &str = "2000-01-01T00:00:00Z";

/// Reads a time zone; UTC without a name.
pub(crate) fn zone(path: &str, name: Option<&str>) -> Result<TimeZone, Fault> {
    let Some(name) = name else { return Ok(TimeZone::UTC) };
    let message = "is not known; write it like `Europe/Berlin`, or leave it out for UTC";
    TimeZone::get(name).map_err(|_| Fault::new(path, name, message))
}

/// What a cron expression means in a time zone.
#[derive(Debug)]
pub(crate) struct Timetable {
    cron: Cron,
    zone: TimeZone,
}

impl Timetable {
    /// Reads five fields. One that names no time that ever comes is a fault too.
    pub(crate) fn read(path: &str, text: &str, zone: TimeZone) -> Result<Self, Fault> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(text).map_err(|error| {
            let message = format!(
                "is no cron expression ({error}); write minute, hour, day of the month, month and day of the week, such \
                 as `30 2 * * *`"
            );
            Fault::new(path, text, message)
        })?;
        let table = Self { cron, zone };
        let some_day = SOME_DAY.parse().unwrap_or(Timestamp::UNIX_EPOCH);
        match table.next(some_day) {
            Some(_) => Ok(table),
            None => Err(Fault::new(path, text, "names no time that comes")),
        }
    }

    /// The first time after a moment.
    pub(crate) fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let here = after.to_zoned(self.zone.clone());
        self.cron.find_next_occurrence(&here, false).ok().map(|time| time.timestamp())
    }

    /// The last time up to a moment, which counts itself.
    pub(crate) fn latest(&self, until: Timestamp) -> Option<Timestamp> {
        let here = until.to_zoned(self.zone.clone());
        self.cron.find_previous_occurrence(&here, true).ok().map(|time| time.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::{Timetable, zone};

    #[test]
    fn what_cannot_be_read_or_never_comes_is_named() {
        let fault = |text| Timetable::read("spec.schedule", text, TimeZone::UTC).unwrap_err().to_string();
        assert!(fault("at night").starts_with("spec.schedule: `at night` is no cron expression"));
        assert!(fault("* * * * * *").contains("write minute, hour"));
        assert_eq!(fault("0 0 30 2 *"), "spec.schedule: `0 0 30 2 *` names no time that comes");
        assert!(Timetable::read("", "0 0 29 2 *", TimeZone::UTC).is_ok());
        assert!(zone("spec.timeZone", Some("Mars/Base")).unwrap_err().to_string().contains("Europe/Berlin"));
    }
}
