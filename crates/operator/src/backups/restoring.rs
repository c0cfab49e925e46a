//! One restore: the archive is checked while the tenant goes on; then its pods end, its contents become those
//! of the archive, and it starts again.

mod archive;
mod holding;
mod raising;

use std::sync::Arc;
use std::time::Duration;

use api::condition::{put, whole_seconds};
use api::names::{annotations, finalizers};
use api::{TenantRestore, TenantRestoreStatus};
use desired::backups::{JobInputs, TaskKind, condition, job_name};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use kube::runtime::controller::Action;
use kubekit::has_finalizer;

use self::archive::Archive;
use super::inputs::{self, Source};
use super::jobs::{self, Stand};
use super::{Error, Hindrance, LOOK_AGAIN, object};
use crate::context::Context;
use crate::events::{Notice, publish};
use crate::tasks::Outcome;

/// How soon a restore that cannot go on is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// What a pass came to.
enum Step {
    /// It waits, for what the reason and the message say.
    Waits(Hindrance, Duration),
    /// It is done.
    Done(Box<Outcome>),
    /// It has failed for good.
    Failed(String),
}

impl Step {
    fn goes_on(reason: &'static str, message: impl Into<String>) -> Self {
        Self::Waits(Hindrance::new(reason, message), LOOK_AGAIN)
    }
}

impl From<Hindrance> for Step {
    fn from(hindrance: Hindrance) -> Self {
        Self::Waits(hindrance, TRY_AGAIN)
    }
}

pub(super) async fn reconcile(restore: Arc<TenantRestore>, context: Arc<Context>) -> Result<Action, Error> {
    context.caches.filled().await;
    let is_ended = restore.status.as_ref().is_some_and(|status| status.completed_at.is_some());
    let is_held = has_finalizer(restore.as_ref(), finalizers::RESTORE);
    if restore.metadata.deletion_timestamp.is_some() {
        if is_held {
            end_job(&restore, &context).await?;
            holding::release(&restore, &context).await?;
            object::set_finalizer(restore.as_ref(), finalizers::RESTORE, false, &context.client).await?;
        }
        return Ok(Action::await_change());
    }
    if is_ended {
        return Ok(Action::await_change());
    }
    if !is_held {
        // The change brings the next pass.
        object::set_finalizer(restore.as_ref(), finalizers::RESTORE, true, &context.client).await?;
        return Ok(Action::await_change());
    }
    let now = context.clock.now();
    let mut status = restore.status.clone().unwrap_or_default();
    status.observed_generation = restore.metadata.generation;
    status.started_at.get_or_insert(Time(whole_seconds(now)));
    let step = Box::pin(advance(&restore, &context)).await?;
    let again = conclude(&restore, &mut status, step, now);
    if status.completed_at.is_some() {
        tell(&restore, &status, &context).await;
    }
    if restore.status.as_ref() != Some(&status) {
        let changed = TenantRestore { status: Some(status), ..restore.as_ref().clone() };
        object::write_status(&changed, &context.client).await?;
    }
    Ok(again)
}

async fn advance(restore: &TenantRestore, context: &Context) -> Result<Step, Error> {
    let archive = match Box::pin(archive::find(restore, context)).await? {
        Ok(archive) => archive,
        Err(step) => return Ok(step),
    };
    let verify = job_name(TaskKind::Verify, &restore.uid().unwrap_or_default());
    let namespace = restore.namespace().unwrap_or_default();
    match jobs::look(&namespace, &verify, context).await? {
        Stand::Absent => {
            start(TaskKind::Verify, restore, &archive, None, context).await?;
            return Ok(Step::goes_on("Verifying", "the archive is being checked"));
        }
        Stand::Running(waits_for) if waits_for.is_empty() => {
            return Ok(Step::goes_on("Verifying", "the archive is being checked"));
        }
        Stand::Running(waits_for) => return Ok(Step::goes_on("Verifying", waits_for)),
        Stand::Ended(outcome) => {
            if let Some(error) = outcome.error {
                let message =
                    format!("{error}; nothing was changed. Restore another backup, or mend what is wrong");
                return Ok(Step::Failed(message));
            }
        }
    }
    Box::pin(replace(restore, &archive, context)).await
}

/// Holds the control plane and replaces its contents.
async fn replace(restore: &TenantRestore, archive: &Archive, context: &Context) -> Result<Step, Error> {
    let namespace = restore.namespace().unwrap_or_default();
    let name = job_name(TaskKind::Restore, &restore.uid().unwrap_or_default());
    match jobs::look(&namespace, &name, context).await? {
        Stand::Ended(outcome) => match &outcome.error {
            None => {
                if let Err(hindrance) = Box::pin(raising::raise(restore, outcome.revision, context)).await {
                    return Ok(hindrance.into());
                }
                holding::release(restore, context).await?;
                Ok(Step::Done(outcome))
            }
            Some(error) => Ok(Step::Failed(format!(
                "{error}; the control plane is held, since its contents may be replaced in part. Create another \
                 TenantRestore, or remove its annotation {} to let it run as it is",
                annotations::HOLD
            ))),
        },
        Stand::Running(waits_for) if waits_for.is_empty() => {
            Ok(Step::goes_on("Restoring", "the contents are being replaced"))
        }
        Stand::Running(waits_for) => Ok(Step::goes_on("Restoring", waits_for)),
        Stand::Absent => {
            if let Some(step) = Box::pin(holding::hold(restore, context)).await? {
                return Ok(step);
            }
            let source = match inputs::source(&namespace, &restore.spec.tenant_control_plane, context) {
                Ok(source) => source,
                Err(hindrance) => return Ok(hindrance.into()),
            };
            start(TaskKind::Restore, restore, archive, Some(&source), context).await?;
            Ok(Step::goes_on("Restoring", "the contents are being replaced"))
        }
    }
}

/// Ends the Job of a restore that is deleted, and waits for its pods no longer than the cluster does.
async fn end_job(restore: &TenantRestore, context: &Context) -> Result<(), Error> {
    let namespace = restore.namespace().unwrap_or_default();
    let uid = restore.uid().unwrap_or_default();
    jobs::remove(&namespace, &job_name(TaskKind::Restore, &uid), context).await
}

async fn start(
    kind: TaskKind,
    restore: &TenantRestore,
    archive: &Archive,
    source: Option<&Source>,
    context: &Context,
) -> Result<(), Error> {
    let namespace = restore.namespace().unwrap_or_default();
    let wanted = JobInputs {
        kind,
        namespace: &namespace,
        tenant: &restore.spec.tenant_control_plane,
        owner: object::owner(restore),
        image: &context.settings.job_image,
        target: &archive.target,
        archive: &archive.name,
        key_secret: &archive.key_secret,
        directory: &context.settings.backup_directory,
        driver: source.map_or("", |source| source.driver),
        endpoints: source.map(|source| source.endpoints.as_slice()).unwrap_or_default(),
        further: Vec::new(),
    };
    jobs::start(&wanted, context).await
}

fn conclude(restore: &TenantRestore, status: &mut TenantRestoreStatus, step: Step, now: Timestamp) -> Action {
    let generation = restore.metadata.generation;
    let (holds, reason, message, again) = match step {
        Step::Waits(hindrance, again) => (false, hindrance.reason, hindrance.message, Action::requeue(again)),
        Step::Failed(message) => {
            status.completed_at = Some(Time(whole_seconds(now)));
            (false, "Failed", message, Action::await_change())
        }
        Step::Done(outcome) => {
            status.completed_at = Some(Time(whole_seconds(now)));
            status.objects = i64::try_from(outcome.objects).ok();
            status.duration_milliseconds = i64::try_from(outcome.milliseconds).ok();
            let message = format!("the control plane has the {} objects of the backup", outcome.objects);
            (true, "Completed", message, Action::await_change())
        }
    };
    put(&mut status.conditions, condition("Completed", Some(holds), reason, message, generation, now));
    again
}

async fn tell(restore: &TenantRestore, status: &TenantRestoreStatus, context: &Context) {
    let Some(said) = status.conditions.iter().find(|found| found.type_ == "Completed") else { return };
    let is_trouble = said.status != "True";
    let reason = if is_trouble { "RestoreFailed" } else { "RestoreCompleted" };
    publish(context, restore, Notice { is_trouble, reason, action: "Restore", note: said.message.clone() })
        .await;
}
