//! When a hosted cluster sleeps and wakes by itself, as it is asked for.

use api::SleepSchedule;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::problem::Problem;

/// When a hosted cluster sleeps and wakes by itself; at least one of both.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WantedSchedule {
    /// When it sleeps, as cron writes it: minute, hour, day of the month, month, day of the week.
    #[schemars(length(min = 1, max = 256))]
    sleep: Option<String>,
    /// When it wakes, as cron writes it.
    #[schemars(length(min = 1, max = 256))]
    wake: Option<String>,
    /// Time zone of both, such as `Europe/Berlin`; UTC without it.
    #[schemars(length(min = 1, max = 64))]
    time_zone: Option<String>,
}

/// What a body says of the schedule: null takes it away, which is another thing than to say nothing.
pub(super) struct Said(pub(super) Option<WantedSchedule>);

/// Reads what stands in a body.
pub(super) fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Said>, D::Error> {
    Option::deserialize(deserializer).map(|wanted| Some(Said(wanted)))
}

/// What is written into the spec; a null takes the schedule away, and so does each in it what was there before.
pub(super) fn patch(wanted: Option<&WantedSchedule>) -> Result<Value, Problem> {
    let Some(WantedSchedule { sleep, wake, time_zone }) = wanted else { return Ok(Value::Null) };
    let schedule = SleepSchedule { sleep: sleep.clone(), wake: wake.clone(), time_zone: time_zone.clone() };
    let faults = desired::sleeping::faults(&schedule);
    if faults.is_empty() {
        return Ok(json!({ "sleep": sleep, "wake": wake, "timeZone": time_zone }));
    }
    let told: Vec<String> = faults.iter().map(|fault| fault.to_string().replace("spec.", "")).collect();
    Err(Problem::invalid(told.join("; ")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{WantedSchedule, patch};

    fn read(body: Value) -> Result<Value, String> {
        let wanted: Option<WantedSchedule> =
            serde_json::from_value(body).map_err(|error| error.to_string())?;
        patch(wanted.as_ref()).map_err(|problem| problem.detail)
    }

    #[test]
    fn a_schedule_takes_the_place_of_the_one_before() {
        assert_eq!(read(Value::Null), Ok(Value::Null));
        let whole = json!({ "sleep": "0 20 * * *", "wake": null, "timeZone": null });
        assert_eq!(read(json!({ "sleep": "0 20 * * *" })), Ok(whole));
        assert!(read(json!({ "sleeps": "0 20 * * *" })).unwrap_err().contains("unknown field"));
        let both = read(json!({ "sleep": "soon", "wake": "0 0 30 2 *" })).unwrap_err();
        assert!(both.contains("sleepSchedule.sleep: `soon` is no cron"), "{both}");
        assert!(both.contains("sleepSchedule.wake: `0 0 30 2 *` names no time"), "{both}");
    }
}
