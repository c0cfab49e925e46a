//! When backups of a hosted cluster are taken by themselves, and which are kept.

use aide::transform::TransformOperation;
use api::{
    BackupEncryption, BackupTarget, Retention, TenantBackupSchedule, TenantBackupScheduleSpec,
    TenantControlPlane,
};
use axum::Json;
use axum::http::StatusCode;
use jiff::Timestamp;
use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams, PostParams, Preconditions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kept::{self, Keeping};
use crate::caller::Caller;
use crate::endpoints::clusters::hosted::{hosted, readable, require};
use crate::extract::{Named, Sent};
use crate::problem::Problem;

/// When backups shall be taken, in place of what was said before.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WantedBackupSchedule {
    /// When, as cron writes it: minute, hour, day of the month, month, day of the week.
    #[schemars(length(min = 1, max = 256))]
    schedule: String,
    /// Time zone of `schedule`, such as `Europe/Berlin`; UTC without it.
    #[schemars(length(min = 1, max = 64))]
    time_zone: Option<String>,
    /// Whether to take none for now.
    #[serde(default)]
    suspend: bool,
    /// How late a backup may begin that was missed, in seconds; any time without it.
    #[schemars(range(min = 1))]
    starting_deadline_seconds: Option<i64>,
    /// Which backups are kept; all without it.
    #[serde(default)]
    retention: Retention,
    /// Where the archives are kept; where the backups so far are without it.
    target: Option<BackupTarget>,
    /// What the archives are encrypted with; as the backups so far without it.
    encryption: Option<BackupEncryption>,
}

/// The schedule of a cluster.
#[derive(Serialize, JsonSchema)]
pub(super) struct ShownBackupSchedule {
    /// The schedule; null if there is none.
    schedule: Option<BackupScheduleRow>,
}

/// A schedule of backups, and how it stands.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct BackupScheduleRow {
    /// Its name.
    name: String,
    /// When, as cron writes it.
    schedule: String,
    /// Time zone of `schedule`; UTC without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    /// Whether none are taken for now.
    suspend: bool,
    /// How late a backup may begin that was missed, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    starting_deadline_seconds: Option<i64>,
    /// Which backups are kept.
    retention: Retention,
    /// Where the archives are kept.
    target: BackupTarget,
    /// What the archives are encrypted with.
    encryption: BackupEncryption,
    /// Whether backups are taken at their times, and the last one did well; null while the operator has not said.
    ready: Option<bool>,
    /// Why, for people.
    message: String,
    /// When the next one is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Timestamp>,
    /// When the newest completed backup was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_successful: Option<Timestamp>,
    /// Completed backups of it that there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<i64>,
}

pub(super) fn describe_show(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation.summary("Read when backups of a hosted cluster are taken").tag("clusters")
}

pub(super) async fn show(caller: Caller, Named(id): Named) -> Result<Json<ShownBackupSchedule>, Problem> {
    let cluster = readable(&caller, &id).await?;
    let schedule = found(&caller, &cluster).await?.as_ref().map(row);
    Ok(Json(ShownBackupSchedule { schedule }))
}

pub(super) fn describe_set(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("Set when backups of a hosted cluster are taken")
        .description("Needs the verb `backup`. What it says takes the place of the schedule before.")
        .tag("clusters")
}

pub(super) async fn set(
    caller: Caller,
    Named(id): Named,
    Sent(asked): Sent<WantedBackupSchedule>,
) -> Result<Json<ShownBackupSchedule>, Problem> {
    let cluster = hosted(&caller, &id)?;
    require(&caller, "backup", &id).await?;
    let known = kept::all(&caller, &cluster).await?;
    let Keeping { target, encryption } = known.chosen(&caller, &cluster, asked.target, asked.encryption)?;
    let spec = TenantBackupScheduleSpec {
        tenant_control_plane: cluster.name_any(),
        schedule: asked.schedule,
        time_zone: asked.time_zone,
        suspend: asked.suspend,
        starting_deadline_seconds: asked.starting_deadline_seconds,
        retention: asked.retention,
        target,
        encryption,
    };
    let now = caller.hub.now();
    desired::backups::due(&spec, now, now)
        .map_err(|fault| Problem::invalid(fault.to_string().replace("spec.", "")))?;
    let schedules = kept::of::<TenantBackupSchedule>(&caller, &cluster);
    let written = if let Some(mut before) = found(&caller, &cluster).await? {
        before.spec = spec;
        schedules.replace(&before.name_any(), &PostParams::default(), &before).await?
    } else {
        // Always of the same name: one that comes after another goes on keeping what that took.
        let made = TenantBackupSchedule::new(&cluster.name_any(), spec);
        schedules.create(&PostParams::default(), &made).await?
    };
    Ok(Json(ShownBackupSchedule { schedule: Some(row(&written)) }))
}

pub(super) fn describe_remove(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("Take no more backups of a hosted cluster by themselves")
        .description("Needs the verb `backup`. The backups that there are stay.")
        .tag("clusters")
        .response::<204, ()>()
}

pub(super) async fn remove(caller: Caller, Named(id): Named) -> Result<StatusCode, Problem> {
    let cluster = hosted(&caller, &id)?;
    require(&caller, "backup", &id).await?;
    if let Some(found) = found(&caller, &cluster).await? {
        let preconditions = Preconditions { uid: found.uid(), resource_version: None };
        let parameters = DeleteParams::default().preconditions(preconditions);
        kept::of::<TenantBackupSchedule>(&caller, &cluster).delete(&found.name_any(), &parameters).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The schedule of a cluster, if it has one.
async fn found(
    caller: &Caller,
    cluster: &TenantControlPlane,
) -> Result<Option<TenantBackupSchedule>, Problem> {
    let all = kept::of::<TenantBackupSchedule>(caller, cluster).list(&ListParams::default()).await?.items;
    Ok(kept::own_schedule(&all, &cluster.name_any()).cloned())
}

fn row(schedule: &TenantBackupSchedule) -> BackupScheduleRow {
    let (spec, status) = (schedule.spec.clone(), schedule.status.clone().unwrap_or_default());
    let said = status.conditions.iter().find(|known| known.type_ == "Ready");
    BackupScheduleRow {
        name: schedule.name_any(),
        schedule: spec.schedule,
        time_zone: spec.time_zone,
        suspend: spec.suspend,
        starting_deadline_seconds: spec.starting_deadline_seconds,
        retention: spec.retention,
        target: spec.target,
        encryption: spec.encryption,
        ready: said.map(|said| said.status == "True"),
        message: said.map(|said| said.message.clone()).unwrap_or_default(),
        next: status.next_schedule_time.map(|time| time.0),
        last_successful: status.last_successful_time.map(|time| time.0),
        kept: status.kept,
    }
}
