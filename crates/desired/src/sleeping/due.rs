//! When a schedule of sleep asks for something.

use std::fmt;
use std::str::FromStr;

use api::validation::Fault;
use api::{SleepAction, SleepSchedule};
use jiff::Timestamp;

use crate::timetable::{self, Timetable};

const SLEEP: &str = "spec.sleepSchedule.sleep";
const WAKE: &str = "spec.sleepSchedule.wake";
const ZONE: &str = "spec.sleepSchedule.timeZone";

/// A time of a schedule, and what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// When.
    pub time: Timestamp,
    /// What.
    pub action: SleepAction,
}

impl fmt::Display for Tick {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.action.as_str(), self.time)
    }
}

impl FromStr for Tick {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (action, time) = text.split_once(' ').ok_or(())?;
        let actions = [SleepAction::Sleep, SleepAction::Wake];
        let action = actions.into_iter().find(|known| known.as_str() == action).ok_or(())?;
        Ok(Self { action, time: time.parse().map_err(|_| ())? })
    }
}

/// What a schedule asks for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The latest time that has passed since the last one that was followed.
    pub now: Option<Tick>,
    /// When it is time to sleep next.
    pub next_sleep: Option<Timestamp>,
    /// When it is time to wake next.
    pub next_wake: Option<Timestamp>,
}

struct Tables {
    sleep: Option<Timetable>,
    wake: Option<Timetable>,
}

/// Everything that is wrong with a schedule.
#[must_use]
pub fn faults(schedule: &SleepSchedule) -> Vec<Fault> {
    read(schedule).err().unwrap_or_default()
}

/// What is due at `now`, if all up to `last` was followed. Of several times that were missed only the latest counts;
/// if both come at the same moment, the control plane wakes.
///
/// # Errors
/// Everything that is wrong with the schedule.
pub fn due(schedule: &SleepSchedule, last: Timestamp, now: Timestamp) -> Result<Due, Vec<Fault>> {
    let Tables { sleep, wake } = read(schedule)?;
    let latest = |table: &Option<Timetable>, action| {
        let time = table.as_ref()?.latest(now)?;
        (time > last).then_some(Tick { time, action })
    };
    let passed = [latest(&sleep, SleepAction::Sleep), latest(&wake, SleepAction::Wake)];
    Ok(Due {
        now: passed.into_iter().flatten().max_by_key(|tick| (tick.time, tick.action)),
        next_sleep: sleep.and_then(|table| table.next(now)),
        next_wake: wake.and_then(|table| table.next(now)),
    })
}

fn read(schedule: &SleepSchedule) -> Result<Tables, Vec<Fault>> {
    let zone = match timetable::zone(ZONE, schedule.time_zone.as_deref()) {
        Ok(zone) => zone,
        Err(fault) => return Err(vec![fault]),
    };
    let table = |path, text: &Option<String>| {
        text.as_deref().map(|text| Timetable::read(path, text, zone.clone())).transpose()
    };
    match (table(SLEEP, &schedule.sleep), table(WAKE, &schedule.wake)) {
        (Ok(sleep), Ok(wake)) => match contradiction(schedule) {
            Some(fault) => Err(vec![fault]),
            None => Ok(Tables { sleep, wake }),
        },
        (sleep, wake) => Err([sleep.err(), wake.err()].into_iter().flatten().collect()),
    }
}

fn contradiction(schedule: &SleepSchedule) -> Option<Fault> {
    match (&schedule.sleep, &schedule.wake) {
        (None, None) => {
            Some(Fault::new("spec.sleepSchedule", "", "must have at least one of sleep and wake"))
        }
        (Some(sleep), Some(wake)) if sleep == wake => {
            Some(Fault::new(SLEEP, sleep, "is when it wakes too; name another time for one of them"))
        }
        _ => None,
    }
}
