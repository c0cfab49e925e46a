//! When a control plane sleeps and wakes by itself, and how it stood by that.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When a control plane is put to sleep and woken. A time counts once, when it comes: whoever wakes it by hand while it
/// sleeps, or the other way round, has it so until the next time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{"rule": "has(self.sleep) || has(self.wake)", "message": "at least one of sleep and wake must be set"}]))]
pub struct SleepSchedule {
    /// When its pods end, as cron writes it: minute, hour, day of the month, month, day of the week.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub sleep: Option<String>,
    /// When they come back, as cron writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub wake: Option<String>,
    /// Time zone of both, such as `Europe/Berlin`; UTC without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub time_zone: Option<String>,
}

/// What a time of a schedule asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "a description of a variant would change the shape of the schema")]
pub enum SleepAction {
    Sleep,
    Wake,
}

impl SleepAction {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sleep => "Sleep",
            Self::Wake => "Wake",
        }
    }
}

/// How a schedule of sleep stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SleepScheduleStatus {
    /// The schedule that this speaks of.
    pub schedule: SleepSchedule,
    /// Since when it is followed; earlier times do not count.
    pub since: Time,
    /// What was done last by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_action: Option<SleepAction>,
    /// The time of the schedule for which that was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_time: Option<Time>,
    /// When the control plane is put to sleep next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_sleep: Option<Time>,
    /// When it is woken next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_wake: Option<Time>,
    /// What was refused and is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<SleepRefusal>,
}

/// A change that a schedule asks for and the management cluster refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SleepRefusal {
    /// What was to be done.
    pub action: SleepAction,
    /// The time of the schedule that asked for it.
    pub time: Time,
    /// When it was tried last.
    pub tried_at: Time,
    /// Why it was refused.
    pub message: String,
}
