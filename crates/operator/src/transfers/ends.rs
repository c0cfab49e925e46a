//! Both ends of a transfer: the control plane that is given away, and the one that goes on.

use api::names::annotations;
use api::{ClusterTransfer, ClusterTransferStatus, TenantControlPlane, TransferDestination};
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use super::{Error, failed};
use crate::context::Context;
use crate::running::{Running, running};

fn api(namespace: &str, context: &Context) -> Api<TenantControlPlane> {
    Api::namespaced(context.client.clone(), namespace)
}

/// The control plane that is given away, if it is still that.
pub(super) async fn source(
    transfer: &ClusterTransfer,
    status: &ClusterTransferStatus,
    context: &Context,
) -> Result<Option<TenantControlPlane>, Error> {
    let from = &transfer.spec.from;
    let found = api(&from.namespace, context).get_opt(&from.name).await;
    let found = found.map_err(failed("read the control plane"))?;
    Ok(found.filter(|found| status.source_uid.is_none() || found.uid() == status.source_uid))
}

/// The control plane that goes on, if it is still that.
pub(super) async fn successor(
    destination: &TransferDestination,
    context: &Context,
) -> Result<Option<TenantControlPlane>, Error> {
    let found = api(&destination.namespace, context).get_opt(&destination.name).await;
    let found = found.map_err(failed("read the successor"))?;
    Ok(found.filter(|found| found.uid().as_ref() == Some(&destination.uid)))
}

/// Brings it about that nothing of a control plane runs; returns what is waited for meanwhile.
pub(super) async fn stop(
    source: &TenantControlPlane,
    transfer: &ClusterTransfer,
    context: &Context,
) -> Result<Option<String>, Error> {
    let (namespace, name) = (source.namespace().unwrap_or_default(), source.name_any());
    let own = transfer.name_any();
    if source.annotations().get(annotations::GIVEN_AWAY_BY) != Some(&own) {
        annotate(source, annotations::GIVEN_AWAY_BY, json!(own), context).await?;
        return Ok(Some("the control plane's pods are being ended".to_owned()));
    }
    let Running { is_scaled, left } =
        running(&namespace, &name, context).await.map_err(failed("list the control plane's pods"))?;
    let is_stopped = is_scaled != Some(false) && left == 0;
    Ok((!is_stopped).then(|| format!("the control plane's pods are being ended; still there: {left}")))
}

/// Lets the control plane go on where it was, and takes away what was made elsewhere.
pub(super) async fn undo(
    transfer: &ClusterTransfer,
    status: &ClusterTransferStatus,
    context: &Context,
) -> Result<(), Error> {
    if let Some(destination) = &status.destination {
        let preconditions = Preconditions { uid: Some(destination.uid.clone()), resource_version: None };
        let parameters = DeleteParams::background().preconditions(preconditions);
        match api(&destination.namespace, context).delete(&destination.name, &parameters).await {
            // Gone, or another one by now.
            Err(kube::Error::Api(refusal)) if refusal.is_not_found() || refusal.is_conflict() => {}
            other => drop(other.map_err(failed("take the successor away"))?),
        }
    }
    let held = source(transfer, status, context).await?;
    let own = |held: &TenantControlPlane| {
        held.annotations().get(annotations::GIVEN_AWAY_BY) == Some(&transfer.name_any())
    };
    match held.filter(own) {
        Some(held) => annotate(&held, annotations::GIVEN_AWAY_BY, Value::Null, context).await,
        None => Ok(()),
    }
}

/// Annotates a control plane, or takes an annotation away.
pub(super) async fn annotate(
    control_plane: &TenantControlPlane,
    key: &str,
    value: Value,
    context: &Context,
) -> Result<(), Error> {
    // With the UID: another one of its name is left alone.
    let body = json!({"metadata": {"uid": control_plane.uid(), "annotations": {key: value}}});
    let api = api(&control_plane.namespace().unwrap_or_default(), context);
    let patched = api.patch(&control_plane.name_any(), &PatchParams::default(), &Patch::Merge(body)).await;
    patched.map(drop).map_err(failed("annotate the control plane"))
}
