//! The way of a transfer: the successor is made and judged by admission, the control plane stops, its Secrets go along,
//! what the store has changes hands, and the successor starts once the control plane is gone.

use api::names::annotations;
use api::{
    ClusterTransfer, ClusterTransferStatus, Tenant, TenantControlPlane, TenantState, TransferDestination,
};
use kube::api::{DeleteParams, PostParams, Preconditions};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use super::{Error, Step, ends, failed, luggage};
use crate::context::Context;

pub(super) async fn advance(
    transfer: &ClusterTransfer,
    status: &mut ClusterTransferStatus,
    context: &Context,
) -> Result<Step, Error> {
    let source = ends::source(transfer, status, context).await?;
    if status.handed_over {
        return Box::pin(finish(transfer, status, source, context)).await;
    }
    let Some(source) = source else {
        let from = &transfer.spec.from;
        return Ok(Step::Failed(format!(
            "there is no TenantControlPlane `{}` in namespace `{}`, or it is another one by now",
            from.name, from.namespace
        )));
    };
    if let Some(hindrance) = desired::transfer::hindrance(&source, &transfer.name_any()) {
        return Ok(Step::Failed(format!("TenantControlPlane `{}`: {hindrance}", source.name_any())));
    }
    status.source_uid = source.uid();
    let Some(destination) = &status.destination else {
        return Box::pin(make(transfer, status, &source, context)).await;
    };
    let made = ends::successor(destination, context).await?;
    let Some(made) = made.filter(|made| made.metadata.deletion_timestamp.is_none()) else {
        return Ok(Step::Failed("the control plane that was made for the tenant was deleted".to_owned()));
    };
    // Whoever may change it there could have taken it away.
    if made.annotations().get(annotations::AWAITED_BY) != Some(&transfer.name_any()) {
        ends::annotate(&made, annotations::AWAITED_BY, json!(transfer.name_any()), context).await?;
    }
    if let Some(message) = ends::stop(&source, transfer, context).await? {
        return Ok(Step::Waits("Stopping", message));
    }
    if let Err(missing) = luggage::bring(&source, &made, context).await? {
        return Ok(Step::Failed(missing));
    }
    status.handed_over = true;
    Ok(Step::Waits("HandingOver", "its contents have changed hands".to_owned()))
}

/// Makes the successor; admission says whether its tenant may have it.
async fn make(
    transfer: &ClusterTransfer,
    status: &mut ClusterTransferStatus,
    source: &TenantControlPlane,
    context: &Context,
) -> Result<Step, Error> {
    let name = transfer.spec.name.clone().unwrap_or_else(|| source.name_any());
    let namespace = match namespace_of(&transfer.spec.tenant, context).await? {
        Ok(namespace) => namespace,
        Err(message) => return Ok(Step::Failed(message)),
    };
    if Some(&namespace) == source.namespace().as_ref() {
        return Ok(Step::Failed(format!("tenant `{}` has it already", transfer.spec.tenant)));
    }
    if let Some(taken) = luggage::in_the_way(source, &namespace, &name, context).await? {
        return Ok(Step::Failed(format!(
            "namespace `{namespace}` has a Secret `{taken}`, which would be written over; name the control plane \
             differently by spec.name, or remove the Secret"
        )));
    }
    let wanted = desired::transfer::successor(source, &namespace, &name, &transfer.name_any());
    let api: Api<TenantControlPlane> = Api::namespaced(context.client.clone(), &namespace);
    let made = match api.create(&PostParams::default(), &wanted).await {
        Ok(made) => made,
        Err(kube::Error::Api(refusal)) if refusal.is_already_exists() => {
            let found = api.get_opt(&name).await.map_err(failed("read the successor"))?;
            // From a pass that could not say so.
            let own = |found: &TenantControlPlane| {
                found.annotations().get(annotations::AWAITED_BY) == Some(&transfer.name_any())
            };
            match found.filter(own) {
                Some(found) => found,
                None => {
                    return Ok(Step::Failed(format!(
                        "tenant `{}` has a control plane `{name}`; name this one differently by spec.name",
                        transfer.spec.tenant
                    )));
                }
            }
        }
        Err(kube::Error::Api(refusal)) if (400..500).contains(&refusal.code) && refusal.code != 429 => {
            return Ok(Step::Failed(format!(
                "tenant `{}` may not have it: {}",
                transfer.spec.tenant, refusal.message
            )));
        }
        Err(error) => return Err(failed("make the successor")(error)),
    };
    let uid = made.uid().unwrap_or_default();
    status.destination = Some(TransferDestination { namespace, name, uid });
    Ok(Step::Waits("Making", "the control plane is made for its new tenant".to_owned()))
}

/// Where the control planes of a tenant live, or why it gets none.
async fn namespace_of(tenant: &str, context: &Context) -> Result<Result<String, String>, Error> {
    let tenants = Api::<Tenant>::all(context.client.clone());
    let Some(found) = tenants.get_opt(tenant).await.map_err(failed("read the tenant"))? else {
        return Ok(Err(format!("there is no tenant `{tenant}`")));
    };
    if found.spec.state != TenantState::Active || found.metadata.deletion_timestamp.is_some() {
        return Ok(Err(format!("tenant `{tenant}` is not active, it gets nothing more")));
    }
    let namespace = found.status.and_then(|status| status.namespace);
    Ok(namespace.ok_or_else(|| format!("tenant `{tenant}` has no namespace yet; its conditions say why")))
}

/// After its contents have changed hands: takes the control plane away and lets the successor start.
async fn finish(
    transfer: &ClusterTransfer,
    status: &ClusterTransferStatus,
    source: Option<TenantControlPlane>,
    context: &Context,
) -> Result<Step, Error> {
    if let Some(source) = source {
        if source.metadata.deletion_timestamp.is_none() {
            let api: Api<TenantControlPlane> =
                Api::namespaced(context.client.clone(), &transfer.spec.from.namespace);
            let preconditions = Preconditions { uid: source.uid(), resource_version: None };
            let parameters = DeleteParams::background().preconditions(preconditions);
            match api.delete(&source.name_any(), &parameters).await {
                Err(kube::Error::Api(refusal)) if refusal.is_not_found() => {}
                other => drop(other.map_err(failed("take the control plane away"))?),
            }
        }
        let message = "the control plane is taken away where it was".to_owned();
        return Ok(Step::Waits("HandingOver", message));
    }
    let made = match &status.destination {
        Some(destination) => ends::successor(destination, context).await?,
        None => None,
    };
    let Some(made) = made else {
        return Ok(Step::Done("the control plane was deleted by its new tenant".to_owned()));
    };
    ends::annotate(&made, annotations::AWAITED_BY, Value::Null, context).await?;
    Ok(Step::Done(format!(
        "tenant `{}` has the control plane as `{}` in namespace `{}`",
        transfer.spec.tenant,
        made.name_any(),
        made.namespace().unwrap_or_default()
    )))
}
