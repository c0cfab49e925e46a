//! What somebody may do somewhere, and why.

use aide::transform::TransformOperation;
use authz::{Decision, Place, Plane, Request, Subject};
use axum::Json;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::caller::{Ask, Caller};
use crate::extract::Asked;
use crate::problem::Problem;

/// A question about rights. Without a place it is about the platform.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AccessQuery {
    /// Verb, such as `get`; without it only what holds there is told.
    verb: Option<String>,
    /// Resource, such as `clusters` or `pods/log`.
    #[serde(default)]
    resource: String,
    /// API group, for what is inside clusters.
    #[serde(default)]
    group: String,
    /// Name of the object.
    #[serde(default)]
    name: String,
    /// In this tenant.
    tenant: Option<String>,
    /// In this project.
    project: Option<String>,
    /// In this cluster. With `inside` the question is about what is inside it.
    cluster: Option<String>,
    /// In this namespace of the cluster.
    namespace: Option<String>,
    /// Whether it is about objects inside a cluster, not those of the hub.
    #[serde(default)]
    inside: bool,
    /// Of this user, with none of its groups; of yourself without it.
    user: Option<String>,
    /// Of a user in these groups too, separated by commas.
    groups: Option<String>,
}

/// An answer about rights.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Access {
    /// Whose rights.
    user: String,
    /// Whether it is allowed, if a verb was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed: Option<bool>,
    /// By what it is allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<Held>,
    /// All that holds there, the narrowest first.
    holds: Vec<Held>,
}

/// A grant that holds.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Held {
    /// Name of the grant.
    grant: String,
    /// Role that it gives.
    role: String,
    /// To whom.
    to: String,
    /// Where.
    at: String,
}

pub(crate) fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("What somebody may do, and why")
        .description("Of yourself without a grant; of others with the right to list grants there.")
        .tag("access")
}

/// Answers a question about rights.
pub(crate) async fn review(
    caller: Caller,
    Asked(query): Asked<AccessQuery>,
) -> Result<Json<Access>, Problem> {
    let place = place(&query)?;
    let subject = match &query.user {
        Some(user) if *user != caller.subject.user => {
            caller.require(&Ask { verb: "list", resource: "grants", name: "", place }).await?;
            let groups = query.groups.as_deref().unwrap_or_default().split(',');
            let groups = groups.map(str::trim).filter(|group| !group.is_empty()).map(str::to_owned).collect();
            Subject { user: user.clone(), groups }
        }
        _ => caller.subject.clone(),
    };
    let policy = &caller.snapshot.policy;
    let which = if query.inside { Plane::Cluster } else { Plane::Hub };
    let decision = query.verb.as_deref().map(|verb| {
        let request =
            Request { plane: which, verb, group: &query.group, resource: &query.resource, name: &query.name };
        policy.may(&subject, &request, place)
    });
    let by = match decision {
        Some(Decision::Allowed(holding)) => Some(held(holding.grant)),
        _ => None,
    };
    let holds = policy.holdings(&subject, place).map(|holding| held(holding.grant)).collect();
    let allowed = decision.map(|decision| decision.is_allowed());
    Ok(Json(Access { user: subject.user.clone(), allowed, by, holds }))
}

fn place(query: &AccessQuery) -> Result<Place<'_>, Problem> {
    match (&query.tenant, &query.project, &query.cluster, &query.namespace) {
        (None, None, None, None) => Ok(Place::Platform),
        (Some(tenant), None, None, None) => Ok(Place::Tenant(tenant)),
        (None, Some(project), None, None) => Ok(Place::Project(project)),
        (None, None, Some(cluster), None) => Ok(Place::Cluster(cluster)),
        (None, None, Some(cluster), Some(namespace)) => Ok(Place::Namespace(cluster, namespace)),
        _ => Err(Problem::invalid("name one place: tenant, project, cluster, or cluster and namespace")),
    }
}

pub(super) fn held(grant: &authz::Grant) -> Held {
    let to = match &grant.who {
        authz::Who::User(user) => format!("user {user}"),
        authz::Who::Group(group) => format!("group {group}"),
    };
    let at = match &grant.scope {
        authz::Scope::Platform => "the platform".to_owned(),
        authz::Scope::Tenant(name) => format!("tenant {name}"),
        authz::Scope::Project(name) => format!("project {name}"),
        authz::Scope::Cluster(name) => format!("cluster {name}"),
    };
    Held { grant: grant.name.clone(), role: grant.role.clone(), to, at }
}
