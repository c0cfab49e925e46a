//! Transfers: a hosted cluster is given to another tenant. The operator carries them out.

use aide::transform::TransformOperation;
use api::{ClusterTransfer, ClusterTransferSpec, TransferredControlPlane};
use authz::Place;
use axum::Json;
use axum::http::StatusCode;
use kube::api::PostParams;
use kube::{Api, ResourceExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hosted::{check_name, hosted, require};
use crate::caller::{Ask, Caller};
use crate::cluster_id::ClusterId;
use crate::extract::{Named, Sent};
use crate::problem::Problem;

/// Most bytes of a name of a `ClusterTransfer`, which has the time behind the id of the cluster.
const LONGEST: usize = 200;

/// Who gets a cluster.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewTransfer {
    /// The tenant that gets it.
    #[schemars(length(min = 1, max = 63))]
    tenant: String,
    /// What it is called there; as before without it.
    #[schemars(length(min = 1, max = 63))]
    name: Option<String>,
}

/// A transfer that has begun. The rows of the cluster, before and after, say how it goes.
#[derive(Serialize, JsonSchema)]
pub(super) struct TransferNamed {
    /// The id that the cluster will have.
    id: String,
    /// The `ClusterTransfer` that brings it there.
    transfer: String,
}

pub(super) fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("Give a hosted cluster to another tenant")
        .description(
            "Needs the verbs `delete` on the cluster and `create` in the tenant that gets it. The cluster stops for a \
             moment and goes on with the same contents, authorities and keys under another id; grants for its old id \
             are not taken along. Meanwhile both rows are in the state `Transferring`; if the transfer fails the \
             cluster goes on as it was, and its condition `Transferred` says why.",
        )
        .tag("clusters")
        .response::<202, Json<TransferNamed>>()
}

/// Has the operator give a cluster away.
pub(super) async fn transfer(
    caller: Caller,
    Named(id): Named,
    Sent(asked): Sent<NewTransfer>,
) -> Result<(StatusCode, Json<TransferNamed>), Problem> {
    let source = hosted(&caller, &id)?;
    require(&caller, "delete", &id).await?;
    let name = asked.name.clone().unwrap_or_else(|| source.name_any());
    let place = Place::Tenant(&asked.tenant);
    caller.require(&Ask { verb: "create", resource: "clusters", name: &name, place }).await?;
    check_name(&name)?;
    let namespace = namespace_of(&caller, &asked.tenant)?;
    if Some(&namespace) == source.namespace().as_ref() {
        return Err(Problem::invalid(format!("tenant: `{}` has the cluster already", asked.tenant)));
    }
    if let Some(hindrance) = desired::transfer::hindrance(&source, "") {
        return Err(Problem::invalid(format!("the cluster cannot be given away: {hindrance}")));
    }
    let from = TransferredControlPlane {
        namespace: source.namespace().unwrap_or_default(),
        name: source.name_any(),
    };
    let spec = ClusterTransferSpec { from, tenant: asked.tenant, name: asked.name };
    let stem: String = id.chars().take(LONGEST).collect();
    // Unlike that of any transfer before it.
    let begun = format!("{stem}-{}", caller.hub.now().strftime("%Y%m%d-%H%M%S"));
    let transfers = Api::<ClusterTransfer>::all(caller.hub.client.clone());
    let made = transfers.create(&PostParams::default(), &ClusterTransfer::new(&begun, spec)).await?;
    let id = ClusterId::Hosted { namespace, name }.to_string();
    Ok((StatusCode::ACCEPTED, Json(TransferNamed { id, transfer: made.name_any() })))
}

/// Where the control planes of a tenant live.
fn namespace_of(caller: &Caller, tenant: &str) -> Result<String, Problem> {
    let found = caller.hub.caches.tenants.get(&kube::runtime::reflector::ObjectRef::new(tenant));
    let found = found.ok_or_else(|| Problem::not_found("tenants", tenant))?;
    found.status.as_ref().and_then(|status| status.namespace.clone()).ok_or_else(|| {
        Problem::invalid(format!("tenant: `{tenant}` has no namespace yet; its conditions say why"))
    })
}
