//! The control plane of a restore: nothing of it runs meanwhile; where there is none, it is made like the original.

use api::names::annotations;
use api::{TenantControlPlane, TenantRestore};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use super::Step;
use super::archive::completed;
use crate::backups::{Error, Hindrance, failed};
use crate::caches::Caches;
use crate::context::Context;
use crate::running::{Running, running};

/// Brings it about that nothing of the control plane runs; returns what it waits for meanwhile.
pub(super) async fn hold(restore: &TenantRestore, context: &Context) -> Result<Option<Step>, Error> {
    let namespace = restore.namespace().unwrap_or_default();
    let name = &restore.spec.tenant_control_plane;
    let tenants: Api<TenantControlPlane> = Api::namespaced(context.client.clone(), &namespace);
    let Some(tenant) = tenants.get_opt(name).await.map_err(failed("read the control plane"))? else {
        return clone(restore, &tenants, context).await.map(Some);
    };
    let own = restore.name_any();
    for key in [annotations::GIVEN_AWAY_BY, annotations::AWAITED_BY] {
        if let Some(transfer) = tenant.annotations().get(key) {
            let message =
                format!("ClusterTransfer `{transfer}` works on this control plane; this one begins after it");
            return Ok(Some(Step::goes_on("Waiting", message)));
        }
    }
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
    let Running { is_scaled, left } =
        running(&namespace, name, context).await.map_err(failed("list the control plane's pods"))?;
    if is_scaled != Some(true) || left > 0 {
        let message = format!("the control plane's pods are being ended; still there: {left}");
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
    let made = desired::backups::twin(&found, name, &restore.name_any());
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

/// Lets the control plane run again, if this restore holds it.
pub(super) async fn release(restore: &TenantRestore, context: &Context) -> Result<(), Error> {
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
