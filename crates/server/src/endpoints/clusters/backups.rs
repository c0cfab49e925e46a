//! Backups of a hosted cluster: those there are, one more, one less. How they are scheduled and brought back is beside
//! this.

pub(super) mod kept;
mod pages;
mod restores;
mod rows;
mod schedule;

use aide::axum::ApiRouter;
use aide::axum::routing::{delete_with, get_with};
use aide::transform::TransformOperation;
use api::{ArchivePolicy, BackupEncryption, BackupTarget, TenantBackup, TenantBackupSpec};
use axum::Json;
use axum::http::StatusCode;
use kube::ResourceExt;
use kube::api::{DeleteParams, PostParams, Preconditions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::kept::Keeping;
use self::pages::{PageQuery, page};
use self::rows::BackupRow;
use super::hosted::{check_name, hosted, readable, require};
use crate::caller::Caller;
use crate::extract::{Asked, At, Named, Sent};
use crate::hub::Hub;
use crate::problem::Problem;

/// The routes of backups, their schedule and restores.
pub(super) fn routes() -> ApiRouter<Hub> {
    ApiRouter::new()
        .api_route(
            "/api/v1/clusters/{name}/backups",
            get_with(list, describe_list).post_with(take, describe_take),
        )
        .api_route("/api/v1/clusters/{name}/backups/{backup}", delete_with(delete, describe_delete))
        .api_route(
            "/api/v1/clusters/{name}/backup-schedule",
            get_with(schedule::show, schedule::describe_show)
                .put_with(schedule::set, schedule::describe_set)
                .delete_with(schedule::remove, schedule::describe_remove),
        )
        .api_route(
            "/api/v1/clusters/{name}/restores",
            get_with(restores::list, restores::describe_list)
                .post_with(restores::begin, restores::describe_begin),
        )
        .api_route(
            "/api/v1/clusters/{name}/restores/{restore}",
            delete_with(restores::call_off, restores::describe_call_off),
        )
}

/// Backups of a cluster, the newest first.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct BackupPage {
    /// The backups.
    items: Vec<BackupRow>,
    /// How many there are on all pages.
    total: usize,
    /// What `after` has to be for the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// Where the next one is kept unless something else is said: as the schedule has it, or the newest backup.
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<Keeping>,
}

/// A backup to take.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewBackup {
    /// Its name, unique in the tenant; cluster and time without it.
    #[schemars(length(min = 1, max = 63))]
    name: Option<String>,
    /// Where its archive is kept; as the schedule has it, or the newest backup, without it.
    target: Option<BackupTarget>,
    /// What its archive is encrypted with; as the schedule has it, or the newest backup, without it.
    encryption: Option<BackupEncryption>,
    /// What becomes of the archive when the backup is deleted.
    #[serde(default)]
    archive_policy: ArchivePolicy,
}

/// A backup, by its name.
#[derive(Deserialize, JsonSchema)]
struct BackupPath {
    /// The cluster's id.
    name: String,
    /// The backup's name.
    backup: String,
}

/// A backup that is being taken.
#[derive(Serialize, JsonSchema)]
struct BackupNamed {
    /// Its name.
    name: String,
}

fn describe_list(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("List the backups of a hosted cluster")
        .description("The newest first. Needs the verb `get`.")
        .tag("clusters")
}

async fn list(
    caller: Caller,
    Named(id): Named,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<BackupPage>, Problem> {
    let cluster = readable(&caller, &id).await?;
    let known = kept::all(&caller, &cluster).await?;
    let own = cluster.name_any();
    let (items, total, next) = page(known.backups_of(&own).map(BackupRow::of).collect(), &query)?;
    Ok(Json(BackupPage { items, total, next, kept: known.keeping(&own) }))
}

fn describe_take(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("Take a backup of a hosted cluster")
        .description(
            "Needs the verb `backup`. The cluster goes on meanwhile. A bucket's `endpoint` must be one where backups of \
             the tenant go already, unless the caller may take backups at the platform.",
        )
        .tag("clusters")
        .response::<201, Json<BackupNamed>>()
}

async fn take(
    caller: Caller,
    Named(id): Named,
    Sent(asked): Sent<NewBackup>,
) -> Result<(StatusCode, Json<BackupNamed>), Problem> {
    let cluster = hosted(&caller, &id)?;
    require(&caller, "backup", &id).await?;
    let own = cluster.name_any();
    let Keeping { target, encryption } =
        kept::all(&caller, &cluster).await?.chosen(&caller, &cluster, asked.target, asked.encryption)?;
    let name = match asked.name {
        Some(name) => check_name(&name).map(|()| name)?,
        None => format!("{own}-{}", caller.hub.now().strftime("%Y%m%d-%H%M%S")),
    };
    let spec = TenantBackupSpec {
        tenant_control_plane: own,
        target,
        encryption,
        archive_policy: asked.archive_policy,
    };
    let backup = TenantBackup::new(&name, spec);
    kept::of(&caller, &cluster).create(&PostParams::default(), &backup).await?;
    Ok((StatusCode::CREATED, Json(BackupNamed { name })))
}

fn describe_delete(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("Delete a backup of a hosted cluster")
        .description("Needs the verb `backup`. Its `archivePolicy` says what becomes of the archive.")
        .tag("clusters")
        .response::<204, ()>()
}

async fn delete(caller: Caller, At(path): At<BackupPath>) -> Result<StatusCode, Problem> {
    let BackupPath { name: id, backup } = path;
    let cluster = hosted(&caller, &id)?;
    require(&caller, "backup", &id).await?;
    let backups = kept::of::<TenantBackup>(&caller, &cluster);
    let found = kept::own(&backups, &cluster, &backup).await?;
    let found = found.ok_or_else(|| Problem::not_found("backups", &backup))?;
    let preconditions = Preconditions { uid: found.uid(), resource_version: None };
    backups.delete(&backup, &DeleteParams::default().preconditions(preconditions)).await?;
    Ok(StatusCode::NO_CONTENT)
}
