//! Schedules: begins backups at their times, one at a time, and removes those that are not kept.

use std::sync::Arc;
use std::time::Duration;

use api::condition::{put, whole_seconds};
use api::names::labels::BACKUP_SCHEDULE;
use api::{ArchivePolicy, TenantBackup, TenantBackupSchedule, TenantBackupScheduleStatus, TenantBackupSpec};
use desired::backups::{Due, condition, due, kept};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{ListParams, ObjectMeta, PostParams};
use kube::runtime::controller::Action;
use kube::{Api, ResourceExt};

use super::{Error, failed, object};
use crate::context::Context;

/// Failed backups that are kept for their messages.
const FAILED_KEPT: usize = 3;
/// Longest time without a look; backups that end meanwhile are counted then.
const LOOK_EVERY: Duration = Duration::from_secs(30);

pub(super) async fn reconcile(
    schedule: Arc<TenantBackupSchedule>,
    context: Arc<Context>,
) -> Result<Action, Error> {
    if schedule.metadata.deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    let now = context.clock.now();
    let mut status = schedule.status.clone().unwrap_or_default();
    status.observed_generation = schedule.metadata.generation;
    let again = match due(&schedule.spec, last(&schedule), now) {
        Err(fault) => {
            status.next_schedule_time = None;
            say(&mut status, &schedule, false, "InvalidSchedule", fault.to_string(), now);
            Action::await_change()
        }
        Ok(found) => Box::pin(follow(&schedule, &mut status, found, &context, now)).await?,
    };
    if schedule.status.as_ref() != Some(&status) {
        let changed = TenantBackupSchedule { status: Some(status), ..schedule.as_ref().clone() };
        object::write_status(&changed, &context.client).await?;
    }
    Ok(again)
}

/// The time up to which the schedule has been followed.
fn last(schedule: &TenantBackupSchedule) -> Timestamp {
    let status = schedule.status.as_ref();
    let begun = schedule.metadata.creation_timestamp.as_ref();
    let known = status.and_then(|status| status.last_schedule_time.as_ref()).or(begun);
    known.map_or(Timestamp::UNIX_EPOCH, |time| time.0)
}

async fn follow(
    schedule: &TenantBackupSchedule,
    status: &mut TenantBackupScheduleStatus,
    found: Due,
    context: &Context,
    now: Timestamp,
) -> Result<Action, Error> {
    let backups: Api<TenantBackup> =
        Api::namespaced(context.client.clone(), &schedule.namespace().unwrap_or_default());
    let selection = ListParams::default().labels(&format!("{BACKUP_SCHEDULE}={}", schedule.name_any()));
    let own = backups.list(&selection).await.map_err(failed("list the schedule's backups"))?.items;
    let is_running =
        own.iter().any(|backup| !is_ended(backup) && backup.metadata.deletion_timestamp.is_none());
    if !schedule.spec.suspend
        && !is_running
        && let Some(time) = found.now
    {
        begin(schedule, time, &backups).await?;
        status.last_schedule_time = Some(Time(time));
    }
    retain(schedule, &own, context).await?;
    let completed = own.iter().filter(|backup| taken_at(backup).is_some());
    status.kept = i64::try_from(completed.clone().count()).ok();
    status.last_successful_time = completed.filter_map(taken_at).max().map(Time);
    status.next_schedule_time = Some(Time(found.next)).filter(|_| !schedule.spec.suspend);
    report(schedule, status, &own, now);
    let until = Duration::try_from(found.next.duration_since(now)).unwrap_or_default();
    Ok(Action::requeue(until.clamp(Duration::from_millis(200), LOOK_EVERY)))
}

fn report(
    schedule: &TenantBackupSchedule,
    status: &mut TenantBackupScheduleStatus,
    own: &[TenantBackup],
    now: Timestamp,
) {
    let ended = |backup: &&TenantBackup| is_ended(backup);
    let newest = own.iter().filter(ended).max_by_key(|backup| backup.creation_timestamp().map(|time| time.0));
    match newest {
        _ if schedule.spec.suspend => {
            say(status, schedule, false, "Suspended", "no backups are taken while spec.suspend is true", now);
        }
        Some(backup) if taken_at(backup).is_none() => {
            let name = backup.name_any();
            let message = format!("TenantBackup `{name}` failed; its condition Completed says why");
            say(status, schedule, false, "LastBackupFailed", message, now);
        }
        _ => say(status, schedule, true, "Scheduled", "backups are taken at their times", now),
    }
}

/// Begins the backup of one time; its name says which, so that none is taken twice.
async fn begin(
    schedule: &TenantBackupSchedule,
    time: Timestamp,
    backups: &Api<TenantBackup>,
) -> Result<(), Error> {
    let mut backup = TenantBackup::new(
        &format!("{}-{}", schedule.name_any(), time.strftime("%Y%m%d-%H%M")),
        TenantBackupSpec {
            tenant_control_plane: schedule.spec.tenant_control_plane.clone(),
            target: schedule.spec.target.clone(),
            encryption: schedule.spec.encryption.clone(),
            archive_policy: ArchivePolicy::Delete,
        },
    );
    // No owner: whoever deletes a schedule does not mean its archives.
    backup.metadata = ObjectMeta {
        labels: Some([(BACKUP_SCHEDULE.to_owned(), schedule.name_any())].into()),
        ..backup.metadata
    };
    match backups.create(&PostParams::default(), &backup).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(()),
        Err(error) => Err(failed("begin a backup")(error)),
    }
}

/// Deletes the backups that no rule keeps, and with them their archives.
async fn retain(
    schedule: &TenantBackupSchedule,
    own: &[TenantBackup],
    context: &Context,
) -> Result<(), Error> {
    let zone = schedule.spec.time_zone.as_deref().and_then(|name| TimeZone::get(name).ok());
    let zone = zone.unwrap_or(TimeZone::UTC);
    let standing = || own.iter().filter(|backup| backup.metadata.deletion_timestamp.is_none());
    let completed: Vec<(&TenantBackup, Timestamp)> =
        standing().filter_map(|backup| Some((backup, taken_at(backup)?))).collect();
    let times: Vec<Timestamp> = completed.iter().map(|(_, time)| *time).collect();
    let marks = kept(schedule.spec.retention, &times, &zone);
    let surplus = completed.iter().zip(marks).filter(|(_, is_kept)| !is_kept).map(|((backup, _), _)| *backup);
    let mut failed_ones: Vec<&TenantBackup> =
        standing().filter(|backup| is_ended(backup) && taken_at(backup).is_none()).collect();
    failed_ones.sort_by_key(|backup| std::cmp::Reverse(backup.creation_timestamp().map(|time| time.0)));
    for backup in surplus.chain(failed_ones.into_iter().skip(FAILED_KEPT)) {
        context.applier.delete(backup).await.map_err(failed("delete a backup that is not kept"))?;
    }
    Ok(())
}

fn is_ended(backup: &TenantBackup) -> bool {
    backup.status.as_ref().is_some_and(|status| status.completed_at.is_some())
}

/// The moment that a completed backup shows.
fn taken_at(backup: &TenantBackup) -> Option<Timestamp> {
    let status = backup.status.as_ref()?;
    status.completed_at.as_ref()?;
    status.taken_at.as_ref().map(|time| time.0)
}

fn say(
    status: &mut TenantBackupScheduleStatus,
    schedule: &TenantBackupSchedule,
    holds: bool,
    reason: &str,
    message: impl Into<String>,
    now: Timestamp,
) {
    let generation = schedule.metadata.generation;
    put(
        &mut status.conditions,
        condition("Ready", Some(holds), reason, message, generation, whole_seconds(now)),
    );
}
