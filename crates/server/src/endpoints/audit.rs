//! The audit log: asked page by page, or exported as JSON lines.

use aide::axum::IntoApiResponse;
use aide::transform::TransformOperation;
use authz::Place;
use axum::Json;
use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use jiff::Timestamp;
use records::AuditFilter;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::caller::{Ask, Caller};
use crate::description::answers;
use crate::extract::Asked;
use crate::problem::Problem;
use crate::streamed;

const DEFAULT_LIMIT: u32 = 100;

/// What is asked of the log.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AuditQuery {
    /// Entries from this time on.
    since: Option<Timestamp>,
    /// Entries before this time.
    until: Option<Timestamp>,
    /// Of this user.
    actor: Option<String>,
    /// Of this tenant and those below it; of all that you may see without it.
    tenant: Option<String>,
    /// About this cluster.
    cluster: Option<String>,
    /// With this verb.
    verb: Option<String>,
    /// About this resource.
    resource: Option<String>,
    /// About an object of this name.
    name: Option<String>,
    /// `allowed`, `denied` or `failed`.
    decision: Option<String>,
    /// How many, 1 to 1000; 100 without it.
    limit: Option<u32>,
    /// Where the page before ended: its `next`.
    after: Option<String>,
}

/// A page of the log, the newest first.
#[derive(Serialize, JsonSchema)]
pub(crate) struct AuditPage {
    /// Entries: `id`, `time`, `actor`, `verb`, `resource`, `name`, `cluster`, `decision`, `reason`, `status` and more.
    items: Vec<Value>,
    /// What `after` has to be for the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

pub(crate) fn describe_list(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation.summary("The audit log, newest first").tag("audit")
}

/// A page of the log.
pub(crate) async fn list(
    caller: Caller,
    Asked(query): Asked<AuditQuery>,
) -> Result<Json<AuditPage>, Problem> {
    let filter = filter(&caller, &query).await?;
    let after = query.after.as_deref().map(str::parse).transpose()?;
    let page = caller.hub.records.audit().query(&filter, query.limit.unwrap_or(DEFAULT_LIMIT), after).await?;
    let items = page.entries.iter().map(serde_json::to_value).collect::<Result<_, _>>();
    let items = items.map_err(|error| Problem::internal(&error))?;
    Ok(Json(AuditPage { items, next: page.next.map(|cursor| cursor.to_string()) }))
}

pub(crate) fn describe_export(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = operation.summary("The audit log as JSON lines, oldest first").tag("audit");
    answers(operation, "application/x-ndjson")
}

/// All entries that the filter takes, while they are read.
pub(crate) async fn export(
    caller: Caller,
    Asked(query): Asked<AuditQuery>,
) -> Result<impl IntoApiResponse, Problem> {
    let filter = filter(&caller, &query).await?;
    let entries = streamed::begun(caller.hub.records.audit().export(filter)).await?;
    let lines = entries.map(|entry| {
        let entry = entry.map_err(std::io::Error::other)?;
        let mut line = serde_json::to_vec(&entry).map_err(std::io::Error::other)?;
        line.push(b'\n');
        Ok::<_, std::io::Error>(line)
    });
    let body = Body::from_stream(lines);
    Ok::<Response, _>(([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response())
}

/// Whoever may read the log at a tenant sees what happened there and below.
async fn filter(caller: &Caller, query: &AuditQuery) -> Result<AuditFilter, Problem> {
    let place = query.tenant.as_deref().map_or(Place::Platform, Place::Tenant);
    let tenants = match &query.tenant {
        Some(tenant) => {
            caller.require(&at(place)).await?;
            Some(below(caller, |own| caller.snapshot.policy.tree().is_within(own, tenant)))
        }
        None if caller.may(&at(Place::Platform)) => None,
        None => Some(below(caller, |own| caller.may(&at(Place::Tenant(own))))),
    };
    if tenants.as_ref().is_some_and(Vec::is_empty) {
        caller.require(&at(Place::Platform)).await?;
    }
    let decision = query.decision.as_deref().map(decision).transpose()?;
    Ok(AuditFilter {
        from: query.since,
        until: query.until,
        actor: query.actor.clone(),
        tenants,
        cluster: query.cluster.clone(),
        verb: query.verb.clone(),
        resource: query.resource.clone(),
        name: query.name.clone(),
        decision,
    })
}

fn at(place: Place<'_>) -> Ask<'_> {
    Ask { verb: "list", resource: "audit", name: "", place }
}

fn below(caller: &Caller, is_seen: impl Fn(&str) -> bool) -> Vec<String> {
    let tenants = caller.hub.caches.tenants.state();
    let names = tenants.iter().filter_map(|tenant| tenant.metadata.name.clone());
    names.filter(|name| is_seen(name)).collect()
}

fn decision(text: &str) -> Result<records::Decision, Problem> {
    match text {
        "allowed" => Ok(records::Decision::Allowed),
        "denied" => Ok(records::Decision::Denied),
        "failed" => Ok(records::Decision::Failed),
        _ => Err(Problem::invalid(format!("decision: `{text}` is none of allowed, denied, failed"))),
    }
}
