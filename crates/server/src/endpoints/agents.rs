//! How clusters are imported: a token, the manifest behind it, and what agents ask for.

use std::time::Instant;

use aide::transform::TransformOperation;
use api::Cluster;
use api::names::annotations::ROTATE_AGENT;
use authz::Place;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use kube::api::PostParams;
use kube::{Api, ResourceExt};
use records::{AuditEntry, Decision};
use schemars::JsonSchema;
use serde::Serialize;
use uplink::{Installation, Registered, Registration, Renewed, greet, manifest};
use zeroize::Zeroizing;

use crate::agents::{Admission, Admitted, Agents, bindings, connected, recognised};
use crate::caller::{Ask, Caller, bearer};
use crate::extract::{Named, Sent};
use crate::hub::Hub;
use crate::problem::{Code, Problem};
use crate::request::Facts;

/// How a cluster is imported.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Import {
    /// Where the manifest is; whoever has the address can import the cluster, once.
    url: String,
    /// What to call in the cluster.
    command: String,
    /// Until when.
    expires: Timestamp,
}

pub(crate) fn describe_token(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("Get the command that imports a cluster")
        .description("It works for one cluster, for a day, until its agent has come. What an agent of before has is of no use when a new one has registered.")
        .tag("imports")
}

/// Makes an import token.
pub(crate) async fn token(caller: Caller, Named(name): Named) -> Result<Json<Import>, Problem> {
    let ask = Ask { verb: "join", resource: "clusters", name: &name, place: Place::Cluster(&name) };
    caller.require(&ask).await?;
    let (token, expires) = Admission::new(&caller.hub).import_token(&name).await?;
    let url = format!("{}/import/{}.yaml", caller.hub.settings.url, token.as_str());
    // The hub's authority is in nobody's store; what is fetched says whom the agent trusts.
    let command = format!("curl --insecure --fail --silent --show-error {url} | kubectl apply -f -");
    Ok(Json(Import { url, command, expires }))
}

/// The manifest behind an import token.
pub(crate) async fn manifest_of(
    State(hub): State<Hub>,
    Path(file): Path<String>,
) -> Result<Response, Problem> {
    let token = file.strip_suffix(".yaml").ok_or_else(|| Problem::not_found("imports", "of this address"))?;
    let cluster = Admission::new(&hub).importable(token).await?;
    let tenant = hub.index.now().clusters.get(&cluster).cloned().flatten();
    let (bindings, groups) = bindings(&hub, tenant.as_deref());
    let objects = manifest(&Installation {
        hub: &hub.settings.url,
        authority: &hub.authority,
        import_token: token,
        image: &hub.settings.agent_image,
        groups: &groups,
        bindings: &bindings,
        https_proxy: None,
        no_proxy: None,
    });
    let documents: Result<Vec<String>, _> = objects.iter().map(serde_saphyr::to_string).collect();
    let text = documents.map_err(|error| Problem::internal(&error))?.join("---\n");
    Ok(([(header::CONTENT_TYPE, "application/yaml")], text).into_response())
}

/// Lets an agent in.
pub(crate) async fn register(
    State(hub): State<Hub>,
    facts: Facts,
    headers: HeaderMap,
    Sent(registration): Sent<Registration>,
) -> Result<Json<Registered>, Problem> {
    let admitted = match bearer(&headers).ok().flatten() {
        Some(token) => check(&hub, token, &registration).await,
        None => Err(Problem::unauthenticated()),
    };
    let entry = AuditEntry {
        cluster: admitted.as_ref().map(|(cluster, _)| cluster.clone()).unwrap_or_default(),
        name: registration.cluster_uid.clone(),
        decision: if admitted.is_ok() { Decision::Allowed } else { Decision::Denied },
        reason: admitted.as_ref().err().map(|problem| problem.detail.clone()).unwrap_or_default(),
        ..entry(&hub, &facts, "create")
    };
    facts.append(&hub, entry).await?;
    let (cluster, token) = admitted?;
    let keys =
        serde_json::to_value(hub.signing.issuer().key_set()).map_err(|error| Problem::internal(&error))?;
    Ok(Json(Registered { cluster, token: token.to_string(), issuer: hub.settings.issuer(), keys }))
}

/// A cluster that was imported is known again: the token of one does not bring in another.
async fn check(
    hub: &Hub,
    token: &str,
    registration: &Registration,
) -> Result<(String, Zeroizing<String>), Problem> {
    let admission = Admission::new(hub);
    let cluster = admission.importable(token).await?;
    recognised(hub, &cluster, &registration.cluster_uid).await?;
    admission.admit(token, &registration.cluster_uid).await
}

pub(crate) fn describe_rotate(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("Replace the token of an imported cluster's agent")
        .description("The agent gets itself a new one. The old one is refused once the new one was used.")
        .tag("imports")
        .response::<204, ()>()
}

/// Has the agent's token replaced: by every replica that it is connected to, or when it next comes.
pub(crate) async fn rotate(caller: Caller, Named(name): Named) -> Result<StatusCode, Problem> {
    let ask = Ask { verb: "rotate", resource: "clusters", name: &name, place: Place::Cluster(&name) };
    caller.require(&ask).await?;
    let clusters: Api<Cluster> = Api::all(caller.hub.client.clone());
    let mut live = clusters.get_opt(&name).await?.ok_or_else(|| Problem::not_found("imports", &name))?;
    live.annotations_mut().insert(ROTATE_AGENT.to_owned(), caller.hub.now().to_string());
    clusters.replace(&name, &PostParams::default(), &live).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives an agent a new token for one that is to be replaced.
pub(crate) async fn renew(
    State(hub): State<Hub>,
    facts: Facts,
    headers: HeaderMap,
) -> Result<Json<Renewed>, Problem> {
    let admission = Admission::new(&hub);
    let admitted = shown(&hub, &facts, &headers, "rotate").await?;
    let cluster = admitted.cluster.clone();
    let entry = AuditEntry { cluster, decision: Decision::Allowed, ..entry(&hub, &facts, "rotate") };
    facts.append(&hub, entry).await?;
    let token = admission.renew(&admitted).await?;
    Ok(Json(Renewed { token: token.to_string() }))
}

/// The agent that a token is of. One that is not taken stands in the log.
async fn shown(hub: &Hub, facts: &Facts, headers: &HeaderMap, verb: &str) -> Result<Admitted, Problem> {
    let token = bearer(headers).ok().flatten();
    let admitted = match token {
        Some(token) => Admission::new(hub).agent(token).await,
        None => Err(Problem::unauthenticated()),
    };
    if let Some(token) = token.map(str::as_bytes) {
        let strangers = &hub.fairness.strangers;
        if admitted.is_ok() { strangers.meet(token, Instant::now()) } else { strangers.forget(token) }
    }
    if let Err(problem) = &admitted {
        let reason = problem.detail.clone();
        let entry = AuditEntry { decision: Decision::Denied, reason, ..entry(hub, facts, verb) };
        facts.append(hub, entry).await?;
    }
    admitted
}

fn entry(hub: &Hub, facts: &Facts, verb: &str) -> AuditEntry {
    AuditEntry {
        actor: "agent".to_owned(),
        actor_kind: "agent".to_owned(),
        verb: verb.to_owned(),
        resource: "agents".to_owned(),
        ..facts.entry(hub)
    }
}

/// Takes an agent's connection.
pub(crate) async fn connect(
    State(hub): State<Hub>,
    facts: Facts,
    mut request: Request,
) -> Result<Response, Problem> {
    let mut greeting = greet(&request, hub.agents.replica())
        .map_err(|error| Problem::new(Code::Invalid, error.to_string()))?;
    let admission = Admission::new(&hub);
    let admitted = shown(&hub, &facts, request.headers(), "connect").await?;
    admission.used(&admitted).await?;
    let reservation = hub.agents.reserve(&admitted.cluster);
    // Once more: it may have been revoked before the place was taken.
    shown(&hub, &facts, request.headers(), "connect").await?;
    if admitted.is_due(&hub) {
        greeting = greeting.asking_to_renew();
    }
    let upgrade = hyper::upgrade::on(&mut request);
    let instance = greeting.instance.clone();
    let serving = hub.clone();
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let cluster = admitted.cluster.as_str();
        connected(&serving, cluster).await;
        let end = Agents::serve(&serving, reservation, &admitted, &instance, TokioIo::new(upgraded)).await;
        tracing::info!(cluster, %end, "the connection of an agent has ended");
    });
    Ok(greeting.answer.map(|()| Body::empty()))
}
