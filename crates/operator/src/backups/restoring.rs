//! One restore: the archive is checked while the tenant goes on; then its pods end, its contents become those
//! of the archive, and it starts again.

use std::sync::Arc;
use std::time::Duration;

use api::condition::{put, whole_seconds};
use api::names::{annotations, finalizers, labels};
use api::{
    BackupEncryption, BackupTarget, TenantBackup, TenantControlPlane, TenantRestore, TenantRestoreStatus,
};
use datastore::{Raised, TenantSpace};
use desired::backups::{JobInputs, TaskKind, condition, job_name, key_secret_name};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{OwnerReference, Time};
use kube::api::{ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::runtime::controller::Action;
use kube::{Api, Resource, ResourceExt};
use kubekit::{StatusError, replace_status};
use serde_json::{Value, json};

use super::inputs::{self, Source};
use super::jobs::{self, Stand};
use super::{Error, Hindrance, LOOK_AGAIN, failed};
use crate::caches::Caches;
use crate::context::Context;
use crate::data_stores::chain;
use crate::events::{Notice, publish};
use crate::stores::connection;
use crate::tasks::Outcome;

/// How soon a restore that cannot go on is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// Where the archive is.
struct Archive {
    target: BackupTarget,
    name: String,
    key_secret: String,
}

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
    let has_finalizer = restore.finalizers().iter().any(|known| known == finalizers::RESTORE);
    if restore.metadata.deletion_timestamp.is_some() {
        if has_finalizer {
            end_job(&restore, &context).await?;
            release(&restore, &context).await?;
            set_finalizer(&restore, false, &context).await?;
        }
        return Ok(Action::await_change());
    }
    if is_ended {
        return Ok(Action::await_change());
    }
    if !has_finalizer {
        // The change brings the next pass.
        set_finalizer(&restore, true, &context).await?;
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
    write_status(&restore, status, &context).await?;
    Ok(again)
}

async fn advance(restore: &TenantRestore, context: &Context) -> Result<Step, Error> {
    let archive = match Box::pin(archive(restore, context)).await? {
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
                if let Err(hindrance) = Box::pin(raise(restore, outcome.revision, context)).await {
                    return Ok(hindrance.into());
                }
                release(restore, context).await?;
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
            if let Some(step) = Box::pin(hold(restore, context)).await? {
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

/// Finds out where the archive is.
async fn archive(restore: &TenantRestore, context: &Context) -> Result<Result<Archive, Step>, Error> {
    let namespace = restore.namespace().unwrap_or_default();
    let spec = &restore.spec;
    let (target, name, tenant, encryption) = match (&spec.backup, &spec.target, &spec.archive) {
        (Some(backup), _, _) => {
            let found = match completed(&namespace, backup, context).await? {
                Ok(found) => found,
                Err(hindrance) => return Ok(Err(hindrance.into())),
            };
            let archive = found.status.unwrap_or_default().archive.unwrap_or_default();
            (found.spec.target, archive, found.spec.tenant_control_plane, found.spec.encryption)
        }
        (None, Some(target), Some(archive)) => {
            let encryption = BackupEncryption::default();
            (target.clone(), archive.clone(), spec.tenant_control_plane.clone(), encryption)
        }
        _ => {
            return Ok(Err(Step::Failed("either spec.backup, or target and archive must be set".to_owned())));
        }
    };
    if let Some(hindrance) = inputs::check_target(&namespace, &target, context).await? {
        return Ok(Err(hindrance.into()));
    }
    let encryption = spec.encryption.as_ref().unwrap_or(&encryption);
    Ok(match inputs::key_secret(&namespace, &tenant, encryption, false, context).await? {
        Ok(_) => Ok(Archive { target, name, key_secret: key_secret_name(&tenant, encryption) }),
        Err(hindrance) => Err(hindrance.into()),
    })
}

/// A backup that has completed.
async fn completed(
    namespace: &str,
    name: &str,
    context: &Context,
) -> Result<Result<TenantBackup, Hindrance>, Error> {
    let backups: Api<TenantBackup> = Api::namespaced(context.client.clone(), namespace);
    let Some(found) = backups.get_opt(name).await.map_err(failed("read the backup"))? else {
        let message = format!("there is no TenantBackup `{name}` in namespace `{namespace}`; name another");
        return Ok(Err(Hindrance::new("BackupNotFound", message)));
    };
    let conditions = found.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
    if conditions.iter().any(|known| known.type_ == "Completed" && known.status == "True") {
        return Ok(Ok(found));
    }
    let message = format!("TenantBackup `{name}` has not completed; wait for it or name another");
    Ok(Err(Hindrance::new("BackupNotCompleted", message)))
}

/// Brings it about that nothing of the control plane runs; returns what it waits for meanwhile.
async fn hold(restore: &TenantRestore, context: &Context) -> Result<Option<Step>, Error> {
    let namespace = restore.namespace().unwrap_or_default();
    let name = &restore.spec.tenant_control_plane;
    let tenants: Api<TenantControlPlane> = Api::namespaced(context.client.clone(), &namespace);
    let Some(tenant) = tenants.get_opt(name).await.map_err(failed("read the control plane"))? else {
        return clone(restore, &tenants, context).await.map(Some);
    };
    let own = restore.name_any();
    match tenant.annotations().get(annotations::HOLD) {
        Some(holder) if *holder == own => {}
        Some(holder) if is_at_work(&namespace, holder, context).await? => {
            let message =
                format!("TenantRestore `{holder}` works on this control plane; this one begins after it");
            return Ok(Some(Step::goes_on("Waiting", message)));
        }
        _ => {
            annotate(&tenants, name, json!(own)).await?;
            return Ok(Some(Step::goes_on("Stopping", "the control plane's pods are being ended")));
        }
    }
    let cached = Caches::find(&context.caches.deployments, &namespace, name);
    let is_scaled =
        cached.as_ref().and_then(|found| found.spec.as_ref()).is_some_and(|spec| spec.replicas == Some(0));
    let pods: Api<Pod> = Api::namespaced(context.client.clone(), &namespace);
    let selection = ListParams::default().labels(&format!("{}={name}", labels::NAME));
    let left =
        pods.list_metadata(&selection).await.map_err(failed("list the control plane's pods"))?.items.len();
    if !is_scaled || left > 0 {
        let message = format!("the control plane's pods are being ended, {left} are left");
        return Ok(Some(Step::goes_on("Stopping", message)));
    }
    Ok(None)
}

/// Whether another restore holds the control plane and has not ended.
async fn is_at_work(namespace: &str, name: &str, context: &Context) -> Result<bool, Error> {
    let restores: Api<TenantRestore> = Api::namespaced(context.client.clone(), namespace);
    let found = restores.get_opt(name).await.map_err(failed("read another restore"))?;
    Ok(found.is_some_and(|found| found.status.is_none_or(|status| status.completed_at.is_none())))
}

/// Makes a control plane like the one that was backed up, held before its first start.
async fn clone(
    restore: &TenantRestore,
    tenants: &Api<TenantControlPlane>,
    context: &Context,
) -> Result<Step, Error> {
    let namespace = restore.namespace().unwrap_or_default();
    let name = &restore.spec.tenant_control_plane;
    let original = match &restore.spec.backup {
        Some(backup) => {
            completed(&namespace, backup, context).await?.ok().map(|found| found.spec.tenant_control_plane)
        }
        None => None,
    };
    let found = original.and_then(|original| Caches::find(&context.caches.tenants, &namespace, &original));
    let Some(found) = found else {
        let message = format!(
            "there is no TenantControlPlane `{name}`, nor the one that was backed up to make it like; create `{name}` \
             with annotation {}={}",
            annotations::HOLD,
            restore.name_any()
        );
        return Ok(Hindrance::new("ControlPlaneNotFound", message).into());
    };
    let mut spec = found.spec.clone();
    // Its place in the store and its address are its own.
    spec.data_store_schema = None;
    spec.data_store_username = None;
    if let Some(network) = spec.network_profile.as_mut() {
        network.address = None;
        network.advertise_address = None;
    }
    let mut made = TenantControlPlane::new(name, spec);
    made.metadata = ObjectMeta {
        name: Some(name.clone()),
        namespace: Some(namespace),
        annotations: Some([(annotations::HOLD.to_owned(), restore.name_any())].into()),
        ..ObjectMeta::default()
    };
    match tenants.create(&PostParams::default(), &made).await {
        Ok(_) => Ok(Step::goes_on("Cloning", "the new control plane is being made")),
        Err(kube::Error::Api(status)) if status.is_already_exists() => {
            Ok(Step::goes_on("Cloning", "the new control plane is being made"))
        }
        Err(kube::Error::Api(status)) if status.code == 403 || status.code == 422 || status.code == 400 => {
            let message = format!("TenantControlPlane `{name}` was refused: {}", status.message);
            Ok(Hindrance::new("CloneRefused", message).into())
        }
        Err(error) => Err(failed("make the new control plane")(error)),
    }
}

/// Raises the store's revision above that of the backup, so that the versions which clients know stay in the
/// past also in a store that was lost and made anew.
async fn raise(restore: &TenantRestore, at_least: i64, context: &Context) -> Result<(), Hindrance> {
    let namespace = restore.namespace().unwrap_or_default();
    let source = inputs::source(&namespace, &restore.spec.tenant_control_plane, context)?;
    let setup = source.tenant.status.clone().unwrap_or_default().storage.setup;
    let space =
        TenantSpace { schema: setup.schema.unwrap_or_default(), user: setup.user.unwrap_or_default() };
    let name = source.store.name_any();
    let refused = |error: &dyn std::error::Error| {
        Hindrance::new("DataStoreNotReady", format!("DataStore `{name}`: {}", chain(error)))
    };
    let wanted = connection(&context.client, &source.store).await.map_err(|error| refused(&error))?;
    let store = context.connections.open(&name, &wanted).await.map_err(|error| refused(&error))?;
    match store.raise_revision(&space, at_least).await.map_err(|error| refused(&error))? {
        Raised::Done { .. } => {}
        Raised::TooFar { missing } => {
            let note = format!(
                "resource versions go back by {missing} in DataStore `{name}`, as raising them takes one write each: \
                 restart clients that keep watches or versions, such as kubelets"
            );
            let notice =
                Notice { is_trouble: true, reason: "ResourceVersionsGoBack", action: "Restore", note };
            publish(context, restore, notice).await;
        }
    }
    Ok(())
}

/// Lets the control plane run again, if this restore holds it.
async fn release(restore: &TenantRestore, context: &Context) -> Result<(), Error> {
    let namespace = restore.namespace().unwrap_or_default();
    let tenants: Api<TenantControlPlane> = Api::namespaced(context.client.clone(), &namespace);
    let name = &restore.spec.tenant_control_plane;
    let Some(tenant) = tenants.get_opt(name).await.map_err(failed("read the control plane"))? else {
        return Ok(());
    };
    if tenant.annotations().get(annotations::HOLD) == Some(&restore.name_any()) {
        annotate(&tenants, name, Value::Null).await?;
    }
    Ok(())
}

async fn annotate(tenants: &Api<TenantControlPlane>, name: &str, holder: Value) -> Result<(), Error> {
    let body = json!({"metadata": {"annotations": {annotations::HOLD: holder}}});
    let patched = tenants.patch(name, &PatchParams::default(), &Patch::Merge(body)).await;
    patched.map(|_| ()).map_err(failed("annotate the control plane"))
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
        owner: owner(restore),
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

async fn set_finalizer(restore: &TenantRestore, is_wanted: bool, context: &Context) -> Result<(), Error> {
    let mut wanted: Vec<&str> = restore.finalizers().iter().map(String::as_str).collect();
    wanted.retain(|known| *known != finalizers::RESTORE);
    if is_wanted {
        wanted.push(finalizers::RESTORE);
    }
    // The version guards the other finalizers in the list.
    let body = json!({"metadata": {
        "finalizers": wanted, "resourceVersion": restore.resource_version(),
    }});
    let restores: Api<TenantRestore> =
        Api::namespaced(context.client.clone(), &restore.namespace().unwrap_or_default());
    match restores.patch(&restore.name_any(), &PatchParams::default(), &Patch::Merge(body)).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(kube::Error::Api(status)) if status.is_conflict() => {
            Err(StatusError::Stale { name: restore.name_any() }.into())
        }
        Err(error) => Err(failed("set the finalizer of a restore")(error)),
    }
}

fn owner(restore: &TenantRestore) -> OwnerReference {
    OwnerReference {
        api_version: TenantRestore::api_version(&()).into_owned(),
        kind: TenantRestore::kind(&()).into_owned(),
        name: restore.name_any(),
        uid: restore.uid().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: None,
    }
}

async fn write_status(
    restore: &TenantRestore,
    stands: TenantRestoreStatus,
    context: &Context,
) -> Result<(), Error> {
    if restore.status.as_ref() == Some(&stands) {
        return Ok(());
    }
    let mut changed = restore.clone();
    changed.status = Some(stands);
    match replace_status(&context.client, &changed).await {
        Ok(_) | Err(StatusError::Gone { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
