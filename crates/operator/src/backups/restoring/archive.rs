//! Where the archive of a restore is: as its backup says, or as it says itself.

use api::{BackupEncryption, BackupTarget, TenantBackup, TenantRestore};
use desired::backups::key_secret_name;
use kube::{Api, ResourceExt};

use super::Step;
use crate::backups::{Error, Hindrance, failed, inputs};
use crate::context::Context;

/// Reason of a backup that never will be there: it is taken once.
const FAILED: &str = "BackupFailed";

/// Where the archive is.
pub(super) struct Archive {
    pub(super) target: BackupTarget,
    pub(super) name: String,
    pub(super) key_secret: String,
}

/// Finds out where the archive is.
pub(super) async fn find(restore: &TenantRestore, context: &Context) -> Result<Result<Archive, Step>, Error> {
    let namespace = restore.namespace().unwrap_or_default();
    let spec = &restore.spec;
    let (target, name, tenant, encryption) = match (&spec.backup, &spec.target, &spec.archive) {
        (Some(backup), _, _) => {
            let found = match completed(&namespace, backup, context).await? {
                Ok(found) => found,
                Err(hindrance) if hindrance.reason == FAILED => {
                    return Ok(Err(Step::Failed(hindrance.message)));
                }
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
pub(super) async fn completed(
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
    Ok(Err(not_completed(&found)))
}

/// What a backup waits for, in its own words.
fn not_completed(backup: &TenantBackup) -> Hindrance {
    let (name, status) = (backup.name_any(), backup.status.clone().unwrap_or_default());
    let said = status.conditions.into_iter().find(|known| known.type_ == "Completed");
    let said = said.map(|said| format!(": {}", said.message)).unwrap_or_default();
    if status.completed_at.is_some() {
        let message = format!("TenantBackup `{name}` failed{said}. Nothing was changed; name another one");
        return Hindrance::new(FAILED, message);
    }
    let message = format!("TenantBackup `{name}` has not completed{said}; wait for it or name another");
    Hindrance::new("BackupNotCompleted", message)
}
