//! One backup: from its object to an archive in its target.

use std::sync::Arc;
use std::time::Duration;

use api::condition::put;
use api::names::finalizers;
use api::{ArchivePolicy, TenantBackup, TenantBackupStatus};
use desired::backups::{JobInputs, TaskKind, archive_name, condition, job_name};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::runtime::controller::Action;
use kube::{Api, ResourceExt};
use kubekit::has_finalizer;

use super::jobs::{self, Stand};
use super::{Error, Hindrance, LOOK_AGAIN, failed, inputs, object};
use crate::context::Context;
use crate::events::{Notice, publish};
use crate::tasks::Outcome;

/// How soon a backup that cannot begin is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(5);

pub(super) async fn reconcile(backup: Arc<TenantBackup>, context: Arc<Context>) -> Result<Action, Error> {
    context.caches.filled().await;
    if backup.metadata.deletion_timestamp.is_some() {
        return take_away(&backup, &context).await;
    }
    if backup.status.as_ref().is_some_and(|status| status.completed_at.is_some()) {
        return Ok(Action::await_change());
    }
    if !has_finalizer(backup.as_ref(), finalizers::ARCHIVE) {
        // The change brings the next pass.
        object::set_finalizer(backup.as_ref(), finalizers::ARCHIVE, true, &context.client).await?;
        return Ok(Action::await_change());
    }
    let now = context.clock.now();
    let mut status = backup.status.clone().unwrap_or_default();
    status.observed_generation = backup.metadata.generation;
    let again = match Box::pin(advance(&backup, &mut status, &context, now)).await? {
        Ok(again) => again,
        Err(Hindrance { reason, message }) => {
            say(&mut status, &backup, false, reason, message, now);
            TRY_AGAIN
        }
    };
    if backup.status.as_ref() != Some(&status) {
        let changed = TenantBackup { status: Some(status), ..backup.as_ref().clone() };
        object::write_status(&changed, &context.client).await?;
    }
    Ok(Action::requeue(again))
}

/// Starts the Job, or looks at it.
async fn advance(
    backup: &TenantBackup,
    status: &mut TenantBackupStatus,
    context: &Context,
    now: Timestamp,
) -> Result<Result<Duration, Hindrance>, Error> {
    let namespace = backup.namespace().unwrap_or_default();
    let name = job_name(TaskKind::Backup, &backup.uid().unwrap_or_default());
    match jobs::look(&namespace, &name, context).await? {
        Stand::Ended(outcome) => {
            conclude(backup, status, &outcome, now);
            tell(backup, status, context).await;
            Ok(Ok(Duration::from_hours(1)))
        }
        Stand::Running(waits_for) => {
            let message =
                if waits_for.is_empty() { "the backup is being taken".to_owned() } else { waits_for };
            say(status, backup, false, "Running", message, now);
            Ok(Ok(LOOK_AGAIN))
        }
        Stand::Absent => begin(backup, status, context, now).await,
    }
}

async fn begin(
    backup: &TenantBackup,
    status: &mut TenantBackupStatus,
    context: &Context,
    now: Timestamp,
) -> Result<Result<Duration, Hindrance>, Error> {
    let namespace = backup.namespace().unwrap_or_default();
    let spec = &backup.spec;
    let source = match inputs::source(&namespace, &spec.tenant_control_plane, context) {
        Ok(source) => source,
        Err(hindrance) => return Ok(Err(hindrance)),
    };
    if let Some(hindrance) = inputs::check_target(&namespace, &spec.target, context).await? {
        return Ok(Err(hindrance));
    }
    let tenant = &spec.tenant_control_plane;
    let key_secret = match inputs::key_secret(&namespace, tenant, &spec.encryption, true, context).await? {
        Ok(name) => name,
        Err(hindrance) => return Ok(Err(hindrance)),
    };
    let archive = archive_name(backup);
    let further = vec![
        format!("--namespace={namespace}"),
        format!("--name={tenant}"),
        format!("--uid={}", source.tenant.uid().unwrap_or_default()),
        format!("--kubernetes-version={}", source.tenant.spec.kubernetes.version),
    ];
    let wanted = JobInputs {
        kind: TaskKind::Backup,
        namespace: &namespace,
        tenant,
        owner: object::owner(backup),
        image: &context.settings.job_image,
        target: &spec.target,
        archive: &archive,
        key_secret: &key_secret,
        directory: &context.settings.backup_directory,
        driver: source.driver,
        endpoints: &source.endpoints,
        further,
    };
    jobs::start(&wanted, context).await?;
    status.archive = Some(archive);
    status.started_at.get_or_insert(Time(api::condition::whole_seconds(now)));
    say(status, backup, false, "Running", "the backup is being taken", now);
    Ok(Ok(LOOK_AGAIN))
}

fn conclude(backup: &TenantBackup, status: &mut TenantBackupStatus, outcome: &Outcome, now: Timestamp) {
    status.completed_at = Some(Time(api::condition::whole_seconds(now)));
    status.duration_milliseconds = i64::try_from(outcome.milliseconds).ok();
    if let Some(error) = &outcome.error {
        say(
            status,
            backup,
            false,
            "Failed",
            format!("{error}; create another TenantBackup to try again"),
            now,
        );
        return;
    }
    status.taken_at = outcome.taken_at.map(|time| Time(api::condition::whole_seconds(time)));
    status.objects = i64::try_from(outcome.objects).ok();
    status.size = i64::try_from(outcome.size).ok();
    status.revision = Some(outcome.revision);
    status.key = Some(outcome.key.clone());
    status.kubernetes_version =
        Some(outcome.kubernetes_version.clone()).filter(|version| !version.is_empty());
    let message = format!("{} objects in {} bytes", outcome.objects, outcome.size);
    say(status, backup, true, "Completed", message, now);
    let verified = condition(
        "Verified",
        Some(outcome.verified),
        "ReadBack",
        "the archive was read back and is whole",
        backup.metadata.generation,
        now,
    );
    put(&mut status.conditions, verified);
}

fn say(
    status: &mut TenantBackupStatus,
    backup: &TenantBackup,
    holds: bool,
    reason: &str,
    message: impl Into<String>,
    now: Timestamp,
) {
    let said = condition("Completed", Some(holds), reason, message, backup.metadata.generation, now);
    put(&mut status.conditions, said);
}

async fn tell(backup: &TenantBackup, status: &TenantBackupStatus, context: &Context) {
    let Some(said) = status.conditions.iter().find(|found| found.type_ == "Completed") else { return };
    let is_trouble = said.status != "True";
    let reason = if is_trouble { "BackupFailed" } else { "BackupCompleted" };
    publish(context, backup, Notice { is_trouble, reason, action: "Backup", note: said.message.clone() })
        .await;
}

/// Removes the archive if that is wished, as far as the target answers, and lets the object go.
async fn take_away(backup: &TenantBackup, context: &Context) -> Result<Action, Error> {
    if !has_finalizer(backup, finalizers::ARCHIVE) {
        return Ok(Action::await_change());
    }
    let namespace = backup.namespace().unwrap_or_default();
    let uid = backup.uid().unwrap_or_default();
    // A backup that is still being taken ends first, so that it leaves no archive behind its back.
    jobs::remove(&namespace, &job_name(TaskKind::Backup, &uid), context).await?;
    let archive = backup.status.as_ref().and_then(|status| status.archive.clone());
    let is_wished = backup.spec.archive_policy == ArchivePolicy::Delete;
    if let Some(archive) = archive.filter(|_| is_wished)
        && !is_ending(&namespace, context).await?
    {
        match jobs::look(&namespace, &job_name(TaskKind::Remove, &uid), context).await? {
            Stand::Absent => {
                start_removal(backup, &archive, context).await?;
                return Ok(Action::requeue(LOOK_AGAIN));
            }
            Stand::Running(_) => return Ok(Action::requeue(LOOK_AGAIN)),
            Stand::Ended(outcome) => tell_of_removal(backup, &archive, &outcome, context).await,
        }
    }
    object::set_finalizer(backup, finalizers::ARCHIVE, false, &context.client).await?;
    Ok(Action::await_change())
}

async fn start_removal(backup: &TenantBackup, archive: &str, context: &Context) -> Result<(), Error> {
    let namespace = backup.namespace().unwrap_or_default();
    let tenant = &backup.spec.tenant_control_plane;
    let key_secret = desired::backups::key_secret_name(tenant, &backup.spec.encryption);
    let wanted = JobInputs {
        kind: TaskKind::Remove,
        namespace: &namespace,
        tenant,
        owner: object::owner(backup),
        image: &context.settings.job_image,
        target: &backup.spec.target,
        archive,
        key_secret: &key_secret,
        directory: &context.settings.backup_directory,
        driver: "",
        endpoints: &[],
        further: Vec::new(),
    };
    jobs::start(&wanted, context).await
}

/// A target that does not answer keeps the archive, and does not keep the object.
async fn tell_of_removal(backup: &TenantBackup, archive: &str, outcome: &Outcome, context: &Context) {
    let Some(error) = &outcome.error else { return };
    let note = format!("archive `{archive}` is left behind: {error}; remove it from its target by hand");
    let notice = Notice { is_trouble: true, reason: "ArchiveLeftBehind", action: "Remove", note };
    publish(context, backup, notice).await;
}

/// Whether nothing can be made in a namespace any more.
async fn is_ending(namespace: &str, context: &Context) -> Result<bool, Error> {
    let namespaces: Api<Namespace> = Api::all(context.client.clone());
    let found = namespaces.get_metadata_opt(namespace).await.map_err(failed("read the namespace"))?;
    Ok(found.is_none_or(|found| found.metadata.deletion_timestamp.is_some()))
}
