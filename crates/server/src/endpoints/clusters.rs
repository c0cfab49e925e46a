//! The inventory: lists, one cluster, a stream of changes; and what is done with hosted clusters.

mod access;
mod backups;
mod certificates;
mod clone;
mod creation;
mod events;
mod hosted;
mod schedule;
mod transfer;
mod versions;
mod watch;

use std::collections::HashMap;
use std::sync::Arc;

use aide::axum::ApiRouter;
use aide::axum::routing::{get_with, post_with};
use aide::transform::TransformOperation;
use authz::{Place, Request};
use axum::Json;

use crate::caller::{Ask, Caller};
use crate::extract::{Asked, Named};
use crate::hub::Hub;
use crate::inventory::{ClusterPage, ClusterQuery, ClusterRow, select};
use crate::problem::Problem;

/// The routes of clusters.
pub(crate) fn routes() -> ApiRouter<Hub> {
    ApiRouter::new()
        .api_route(
            "/api/v1/clusters",
            get_with(list, describe_list).post_with(creation::create, creation::describe_create),
        )
        .api_route("/api/v1/clusters/watch", get_with(watch::stream, watch::describe))
        .api_route("/api/v1/versions", get_with(versions::list, versions::describe))
        .api_route(
            "/api/v1/clusters/{name}",
            get_with(show, describe_show)
                .patch_with(hosted::change, hosted::describe_change)
                .delete_with(hosted::delete, hosted::describe_delete),
        )
        .api_route("/api/v1/clusters/{name}/sleep", post_with(hosted::sleep, hosted::describe_sleep))
        .api_route("/api/v1/clusters/{name}/wake", post_with(hosted::wake, hosted::describe_wake))
        .api_route("/api/v1/clusters/{name}/clone", post_with(clone::clone, clone::describe))
        .api_route("/api/v1/clusters/{name}/transfer", post_with(transfer::transfer, transfer::describe))
        .api_route(
            "/api/v1/clusters/{name}/credential",
            post_with(access::credential, access::describe_credential),
        )
        .api_route(
            "/api/v1/clusters/{name}/kubeconfig",
            get_with(access::kubeconfig, access::describe_kubeconfig),
        )
        .api_route("/api/v1/clusters/{name}/events", get_with(events::list, events::describe))
        .api_route(
            "/api/v1/clusters/{name}/certificates",
            get_with(certificates::list, certificates::describe),
        )
        .merge(backups::routes())
}

fn describe_list(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation.summary("List clusters, hosted and imported").tag("clusters")
}

async fn list(caller: Caller, Asked(query): Asked<ClusterQuery>) -> Result<Json<ClusterPage>, Problem> {
    let mut seen = Seen::default();
    let mut rows = caller.hub.inventory.rows();
    rows.retain(|row| seen.sees(&caller, row));
    select(rows, &query).map(Json)
}

fn describe_show(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation.summary("Read a cluster").tag("clusters")
}

async fn show(caller: Caller, Named(id): Named) -> Result<Json<ClusterRow>, Problem> {
    let row = find(&caller, &id)?;
    if !may_see(&caller, &row.id) {
        caller
            .require(&Ask { verb: "get", resource: "clusters", name: &id, place: Place::Cluster(&id) })
            .await?;
    }
    Ok(Json((*row).clone()))
}

/// A row by its id. Whether the caller may know of it is decided next.
fn find(caller: &Caller, id: &str) -> Result<Arc<ClusterRow>, Problem> {
    caller.hub.inventory.row(id).ok_or_else(|| Problem::not_found("clusters", id))
}

/// Whether somebody sees a cluster: by a grant for all of it, or for a project that has namespaces there.
fn may_see(caller: &Caller, id: &str) -> bool {
    let get = Request::hub("get", "clusters", id);
    let policy = &caller.snapshot.policy;
    caller.credential.allows(&get, Place::Cluster(id), policy.tree())
        && policy.may_within(&caller.subject, &get, id).is_allowed()
}

/// Which clusters somebody sees, where one decision serves for all clusters of a tenant.
#[derive(Default)]
struct Seen {
    tenants: HashMap<String, bool>,
}

impl Seen {
    fn sees(&mut self, caller: &Caller, row: &ClusterRow) -> bool {
        let whole = row.tenant.as_ref().is_some_and(|tenant| {
            *self.tenants.entry(tenant.clone()).or_insert_with(|| {
                caller.may(&Ask {
                    verb: "list",
                    resource: "clusters",
                    name: "",
                    place: Place::Tenant(tenant),
                })
            })
        });
        whole || may_see(caller, &row.id)
    }
}
