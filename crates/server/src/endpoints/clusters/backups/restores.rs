//! Restores: a backup of a hosted cluster is brought back into it.

use aide::transform::TransformOperation;
use api::names::annotations::HOLD;
use api::{TenantControlPlane, TenantRestore, TenantRestoreSpec};
use axum::Json;
use axum::http::StatusCode;
use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams, PostParams, Preconditions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kept;
use super::pages::{PageQuery, page};
use super::rows::RestoreRow;
use crate::caller::Caller;
use crate::endpoints::clusters::hosted::{hosted, readable, require};
use crate::extract::{Asked, At, Named, Sent};
use crate::problem::{Code, Problem};

/// Restores of a cluster, the newest first.
#[derive(Serialize, JsonSchema)]
pub(super) struct RestorePage {
    /// The restores.
    items: Vec<RestoreRow>,
    /// How many there are on all pages.
    total: usize,
    /// What `after` has to be for the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A backup to bring back.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewRestore {
    /// Its name.
    #[schemars(length(min = 1, max = 253))]
    backup: String,
}

/// A restore, by its name.
#[derive(Deserialize, JsonSchema)]
pub(super) struct RestorePath {
    /// The cluster's id.
    name: String,
    /// The restore's name.
    restore: String,
}

/// A restore that has been asked for.
#[derive(Serialize, JsonSchema)]
pub(super) struct RestoreNamed {
    /// Its name.
    name: String,
}

pub(super) fn describe_list(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("List the restores of a hosted cluster")
        .description("The newest first, with how far each is. Needs the verb `get`.")
        .tag("clusters")
}

pub(super) async fn list(
    caller: Caller,
    Named(id): Named,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<RestorePage>, Problem> {
    let cluster = readable(&caller, &id).await?;
    // Asked, not remembered: whoever has begun one sees it.
    let found = kept::of::<TenantRestore>(&caller, &cluster).list(&ListParams::default()).await?.items;
    let own = cluster.name_any();
    let own = found.iter().filter(|restore| restore.spec.tenant_control_plane == own);
    let (items, total, next) = page(own.map(RestoreRow::of).collect(), &query)?;
    Ok(Json(RestorePage { items, total, next }))
}

pub(super) fn describe_begin(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("Bring a backup of a hosted cluster back into it")
        .description(
            "Needs the verb `restore`. The archive is checked first; then the cluster stops, its contents become those of \
             the backup, and it starts again. What was made since is gone.",
        )
        .tag("clusters")
        .response::<201, Json<RestoreNamed>>()
}

pub(super) async fn begin(
    caller: Caller,
    Named(id): Named,
    Sent(asked): Sent<NewRestore>,
) -> Result<(StatusCode, Json<RestoreNamed>), Problem> {
    let cluster = hosted(&caller, &id)?;
    require(&caller, "restore", &id).await?;
    let backup = kept::usable(&caller, &cluster, &asked.backup, "").await?;
    // One that waits for its backup would stop the cluster at a time that nobody has chosen.
    if !kept::is_complete(&backup) {
        return Err(Problem::invalid(format!(
            "backup: `{}` has not completed; wait for it, or name another one",
            asked.backup
        )));
    }
    let name = format!("{}-{}", cluster.name_any(), caller.hub.now().strftime("%Y%m%d-%H%M%S"));
    let spec = TenantRestoreSpec {
        tenant_control_plane: cluster.name_any(),
        backup: Some(asked.backup),
        ..TenantRestoreSpec::default()
    };
    let restore = TenantRestore::new(&name, spec);
    kept::of(&caller, &cluster).create(&PostParams::default(), &restore).await?;
    Ok((StatusCode::CREATED, Json(RestoreNamed { name })))
}

pub(super) fn describe_call_off(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("Call a restore off, or forget one that has ended")
        .description(
            "Needs the verb `restore`. One that has begun to replace the contents of its cluster is not called off: the \
             cluster would run with a part of them.",
        )
        .tag("clusters")
        .response::<204, ()>()
}

pub(super) async fn call_off(caller: Caller, At(path): At<RestorePath>) -> Result<StatusCode, Problem> {
    let cluster = hosted(&caller, &path.name)?;
    require(&caller, "restore", &path.name).await?;
    let restores = kept::of::<TenantRestore>(&caller, &cluster);
    let found = kept::own(&restores, &cluster, &path.restore).await?;
    let found = found.ok_or_else(|| Problem::not_found("restores", &path.restore))?;
    // Asked, not remembered: it may have been held a moment ago.
    let live = kept::of::<TenantControlPlane>(&caller, &cluster).get_opt(&cluster.name_any()).await?;
    let is_held = live.is_some_and(|live| live.annotations().get(HOLD) == Some(&path.restore));
    if is_held && may_have_replaced(&found) {
        return Err(Problem::new(
            Code::InProgress,
            format!(
                "restore `{}` may have begun to replace the cluster's contents; wait until it has ended, and restore \
                 another backup if it fails",
                path.restore
            ),
        ));
    }
    // It may have gone on since.
    let same = Preconditions { uid: found.uid(), resource_version: found.resource_version() };
    restores.delete(&path.restore, &DeleteParams::default().preconditions(same)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether a restore that holds its cluster may have replaced contents: all it does before is to end pods.
fn may_have_replaced(restore: &TenantRestore) -> bool {
    let conditions = restore.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
    conditions.iter().any(|known| known.type_ == "Completed" && known.reason != "Stopping")
}

#[cfg(test)]
mod tests {
    use api::TenantRestore;
    use serde_json::json;

    use super::may_have_replaced;

    #[test]
    fn only_one_that_still_ends_pods_has_surely_replaced_nothing() {
        let restore = |reason: &str| -> TenantRestore {
            let said = json!({
                "type": "Completed", "status": "False", "reason": reason, "message": "",
                "lastTransitionTime": "2026-11-30T12:00:00Z",
            });
            let spec = json!({ "tenantControlPlane": "prod", "backup": "first" });
            serde_json::from_value(json!({
                "metadata": { "name": "r" }, "spec": spec, "status": { "conditions": [said] },
            }))
            .unwrap()
        };
        assert!(!may_have_replaced(&restore("Stopping")));
        for reason in ["Restoring", "Failed", "DataStoreNotReady"] {
            assert!(may_have_replaced(&restore(reason)), "{reason}");
        }
    }
}
