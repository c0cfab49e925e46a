//! Who holds which role in a tenant, a project or a cluster, and by which grant.

use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use aide::transform::TransformOperation;
use authz::{Holding, Place, Tree};
use axum::Json;
use kube::runtime::reflector::ObjectRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::{Held, held};
use crate::caller::{Ask, Caller};
use crate::extract::{Asked, Named, limit};
use crate::hub::Hub;
use crate::problem::Problem;

const DEFAULT_LIMIT: usize = 100;
const MOST: usize = 500;

/// Which page.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MembersQuery {
    /// How many, 1 to 500; 100 without it.
    limit: Option<usize>,
    /// Where the page before ended: its `next`.
    after: Option<String>,
}

/// A grant that holds there.
#[derive(Serialize, JsonSchema)]
struct Member {
    #[serde(flatten)]
    held: Held,
    /// Whether it was given further up, and holds here for that.
    inherited: bool,
}

/// A page of members, by the names of the grants.
#[derive(Serialize, JsonSchema)]
struct MemberPage {
    /// The members. Whoever has several grants is in it several times.
    items: Vec<Member>,
    /// How many there are on all pages.
    total: usize,
    /// What `after` has to be for the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// The routes of members.
pub(crate) fn routes() -> ApiRouter<Hub> {
    ApiRouter::new()
        .api_route("/api/v1/tenants/{name}/members", get_with(of_tenant, |asked| describe(asked, "tenants")))
        .api_route(
            "/api/v1/projects/{name}/members",
            get_with(of_project, |asked| describe(asked, "projects")),
        )
        .api_route(
            "/api/v1/clusters/{name}/members",
            get_with(of_cluster, |asked| describe(asked, "clusters")),
        )
}

fn describe<'a>(operation: TransformOperation<'a>, tag: &'static str) -> TransformOperation<'a> {
    operation
        .summary("Who holds which role there, and by which grant")
        .description("With the right to list grants there. Grants from further up are among them.")
        .tag(tag)
}

async fn of_tenant(
    caller: Caller,
    Named(name): Named,
    Asked(query): Asked<MembersQuery>,
) -> Result<Json<MemberPage>, Problem> {
    require(&caller, Place::Tenant(&name)).await?;
    // The tree takes any name for that of a tenant.
    if caller.hub.caches.tenants.get(&ObjectRef::new(&name)).is_none() {
        return Err(Problem::not_found("tenants", &name));
    }
    page(&caller, Place::Tenant(&name), &query)
}

async fn of_project(
    caller: Caller,
    Named(name): Named,
    Asked(query): Asked<MembersQuery>,
) -> Result<Json<MemberPage>, Problem> {
    let place = Place::Project(&name);
    require(&caller, place).await?;
    known(&caller, place).ok_or_else(|| Problem::not_found("projects", &name))?;
    page(&caller, place, &query)
}

async fn of_cluster(
    caller: Caller,
    Named(name): Named,
    Asked(query): Asked<MembersQuery>,
) -> Result<Json<MemberPage>, Problem> {
    let place = Place::Cluster(&name);
    require(&caller, place).await?;
    known(&caller, place).ok_or_else(|| Problem::not_found("clusters", &name))?;
    page(&caller, place, &query)
}

async fn require(caller: &Caller, place: Place<'_>) -> Result<(), Problem> {
    caller.require(&Ask { verb: "list", resource: "grants", name: "", place }).await
}

/// The tenant of a place that is there.
fn known<'a>(caller: &'a Caller, place: Place<'a>) -> Option<&'a str> {
    caller.snapshot.policy.tree().tenant_of(place)
}

fn page(caller: &Caller, place: Place<'_>, query: &MembersQuery) -> Result<Json<MemberPage>, Problem> {
    let limit = limit(query.limit, DEFAULT_LIMIT, MOST)?;
    let mut found = caller.snapshot.policy.members(place);
    found.sort_by(|one, other| one.grant.name.cmp(&other.grant.name));
    let is_before = |holding: &Holding<'_>, after: &String| holding.grant.name <= *after;
    let begin = query.after.as_ref().map_or(0, |after| found.partition_point(|one| is_before(one, after)));
    let rest = &found[begin..];
    let shown = &rest[..rest.len().min(limit)];
    let next = shown.last().filter(|_| rest.len() > limit).map(|last| last.grant.name.clone());
    let member = |holding: &Holding<'_>| Member {
        held: held(holding.grant),
        inherited: Tree::place(&holding.grant.scope) != place,
    };
    Ok(Json(MemberPage { items: shown.iter().map(member).collect(), total: found.len(), next }))
}
