//! Clones: a hosted cluster with the contents of another one of its tenant, filled from a backup before its first start.

use aide::transform::TransformOperation;
use api::{
    ArchivePolicy, ServiceType, TenantBackup, TenantBackupSpec, TenantControlPlane, TenantRestore,
    TenantRestoreSpec,
};
use authz::Place;
use axum::Json;
use axum::http::StatusCode;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{DeleteParams, PostParams, Preconditions};
use kube::{Api, Resource, ResourceExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::backups::kept::{self, Keeping, of};
use super::hosted::{check_name, hosted, require};
use crate::caches::hosted_id;
use crate::caller::{Ask, Caller};
use crate::extract::{Named, Sent};
use crate::problem::Problem;

/// A cluster to make with the contents of another.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewClone {
    /// Its name, unique in its tenant.
    #[schemars(length(min = 1, max = 63))]
    name: String,
    /// The `TenantBackup` of the cluster that it is filled from; one is taken without it.
    #[schemars(length(min = 1, max = 253))]
    backup: Option<String>,
    /// The port of the nodes by which it is reached, if the cluster is reached by one.
    #[schemars(range(min = 1, max = 65535))]
    port: Option<i32>,
}

/// A clone that is being made. Its row in the inventory says how it goes.
#[derive(Serialize, JsonSchema)]
pub(super) struct CloneNamed {
    /// Its id.
    id: String,
    /// The `TenantRestore` in its tenant's namespace that fills it.
    restore: String,
    /// The `TenantBackup` there that it is filled from.
    backup: String,
}

pub(super) fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("Make a hosted cluster with the contents of another")
        .description(
            "Needs the verbs `clone` on the cluster and `create` in its tenant, and `backup` if a backup is to be taken: \
             that goes where the cluster's schedule of backups, or its newest backup, keeps them. The clone has its own \
             address, authorities and keys. It is in the state `Restoring` until it has its contents; its condition \
             `Restored` says how it goes.",
        )
        .tag("clusters")
        .response::<201, Json<CloneNamed>>()
}

/// Where the contents come from.
enum Origin {
    /// A backup that there is.
    Backup(String),
    /// One that is to be taken.
    Take(Keeping),
}

/// Makes the clone, which admission judges before anything is copied, and then what fills it.
pub(super) async fn clone(
    caller: Caller,
    Named(id): Named,
    Sent(asked): Sent<NewClone>,
) -> Result<(StatusCode, Json<CloneNamed>), Problem> {
    let original = hosted(&caller, &id)?;
    require(&caller, "clone", &id).await?;
    let namespace = original.namespace().unwrap_or_default();
    let tenant = caller.snapshot.namespaces.get(&namespace).cloned();
    let place = tenant.as_deref().map_or(Place::Platform, Place::Tenant);
    caller.require(&Ask { verb: "create", resource: "clusters", name: &asked.name, place }).await?;
    check_name(&asked.name)?;
    let origin = if let Some(backup) = &asked.backup {
        let otherwise = ", or leave it out to have one taken";
        Origin::Backup(kept::usable(&caller, &original, backup, otherwise).await?.name_any())
    } else {
        require(&caller, "backup", &id).await?;
        Origin::Take(kept::all(&caller, &original).await?.chosen(&caller, &original, None, None)?)
    };
    // Unlike that of any clone before it.
    let restore = format!("{}-{}", asked.name, caller.hub.now().strftime("%Y%m%d-%H%M%S"));
    let twin = placed(desired::backups::twin(&original, &asked.name, &restore), &original, asked.port)?;
    let control_planes: Api<TenantControlPlane> = Api::namespaced(caller.hub.client.clone(), &namespace);
    let made = control_planes.create(&PostParams::default(), &twin).await?;
    match fill(&caller, &original, &made, &restore, origin).await {
        Ok(backup) => {
            let id = hosted_id(&made).to_string();
            Ok((StatusCode::CREATED, Json(CloneNamed { id, restore, backup })))
        }
        Err(problem) => {
            // One that nothing will fill would stay held.
            let preconditions = Preconditions { uid: made.uid(), resource_version: None };
            let parameters = DeleteParams::default().preconditions(preconditions);
            if let Err(error) = control_planes.delete(&made.name_any(), &parameters).await {
                tracing::warn!(%error, cluster = %hosted_id(&made), "a clone that cannot be filled stays");
            }
            Err(problem)
        }
    }
}

/// Gives the clone a port of the nodes, of which each leads to one cluster.
fn placed(
    mut twin: TenantControlPlane,
    original: &TenantControlPlane,
    port: Option<i32>,
) -> Result<TenantControlPlane, Problem> {
    let is_at_nodes = original.spec.control_plane.service.service_type == ServiceType::NodePort;
    let Some(port) = port else {
        if is_at_nodes {
            return Err(Problem::invalid(
                "port: the cluster is reached by a port of the nodes, which no other one can have; name a free one, \
                 such as 30443",
            ));
        }
        return Ok(twin);
    };
    if !is_at_nodes {
        return Err(Problem::invalid(
            "port: the cluster is not reached by a port of the nodes; leave it out",
        ));
    }
    twin.spec.network_profile.get_or_insert_default().port = Some(port);
    Ok(twin)
}

/// Makes the backup, if one is to be taken, and the restore. They go with the clone.
async fn fill(
    caller: &Caller,
    original: &TenantControlPlane,
    clone: &TenantControlPlane,
    restore: &str,
    origin: Origin,
) -> Result<String, Problem> {
    let backup = match origin {
        Origin::Backup(name) => name,
        Origin::Take(Keeping { target, encryption }) => {
            let spec = TenantBackupSpec {
                tenant_control_plane: original.name_any(),
                target,
                encryption,
                archive_policy: ArchivePolicy::Delete,
            };
            let mut backup = TenantBackup::new(restore, spec);
            backup.metadata.owner_references = Some(vec![owner(clone)]);
            of(caller, original).create(&PostParams::default(), &backup).await?;
            restore.to_owned()
        }
    };
    let spec = TenantRestoreSpec {
        tenant_control_plane: clone.name_any(),
        backup: Some(backup.clone()),
        ..TenantRestoreSpec::default()
    };
    let mut wanted = TenantRestore::new(restore, spec);
    wanted.metadata.owner_references = Some(vec![owner(clone)]);
    of(caller, original).create(&PostParams::default(), &wanted).await?;
    Ok(backup)
}

fn owner(clone: &TenantControlPlane) -> OwnerReference {
    OwnerReference {
        api_version: TenantControlPlane::api_version(&()).into_owned(),
        kind: TenantControlPlane::kind(&()).into_owned(),
        name: clone.name_any(),
        uid: clone.uid().unwrap_or_default(),
        ..OwnerReference::default()
    }
}
