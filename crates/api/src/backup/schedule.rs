//! `TenantBackupSchedule`: backups at set times, of which some are kept.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BackupEncryption, BackupTarget};

/// When backups are taken, and which are kept.
#[expect(clippy::duplicated_attributes, reason = "each column has a type")]
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "flotilla.dev",
    version = "v1alpha1",
    kind = "TenantBackupSchedule",
    plural = "tenantbackupschedules",
    shortname = "tbs",
    category = "flotilla",
    namespaced,
    status = "TenantBackupScheduleStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "Takes backups of a control plane at set times, one at a time, and removes those that are not kept.",
    printcolumn(name = "Control plane", type_ = "string", json_path = ".spec.tenantControlPlane"),
    printcolumn(name = "Schedule", type_ = "string", json_path = ".spec.schedule"),
    printcolumn(name = "Last", type_ = "date", json_path = ".status.lastScheduleTime"),
    printcolumn(name = "Kept", type_ = "integer", json_path = ".status.kept"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct TenantBackupScheduleSpec {
    /// Name of the control plane, in the same namespace.
    #[schemars(length(min = 1, max = 253))]
    pub tenant_control_plane: String,
    /// When, as cron writes it: minute, hour, day of the month, month, day of the week.
    #[schemars(length(min = 1))]
    pub schedule: String,
    /// Time zone of `schedule`, such as `Europe/Berlin`; UTC without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Whether to take none for now.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub suspend: bool,
    /// How late a backup may begin that was missed, in seconds; any time without it. Of several that were
    /// missed only the last one is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub starting_deadline_seconds: Option<i64>,
    /// Which backups are kept; all without it.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub retention: Retention,
    /// Where the archives are kept.
    pub target: BackupTarget,
    /// What the archives are encrypted with.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub encryption: BackupEncryption,
}

/// Which completed backups are kept: those that any of these rules keeps. Without a rule all are. The newest
/// completed one always is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Retention {
    /// This many of the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub last: Option<i32>,
    /// The newest one of each of this many hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub hourly: Option<i32>,
    /// The newest one of each of this many days.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub daily: Option<i32>,
    /// The newest one of each of this many weeks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub weekly: Option<i32>,
    /// The newest one of each of this many months.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub monthly: Option<i32>,
}

/// How a schedule stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenantBackupScheduleStatus {
    /// Generation of the spec that this speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready`: backups are taken at their times, and the last one that ended did well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The time of the schedule for which the last backup was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_schedule_time: Option<Time>,
    /// When the next one is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_schedule_time: Option<Time>,
    /// When the newest completed backup was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_successful_time: Option<Time>,
    /// Completed backups that there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<i64>,
}
