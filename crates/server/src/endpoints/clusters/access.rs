//! How somebody gets into a cluster: identities for kubectl, and kubeconfigs without any secret.

use std::collections::BTreeSet;

use aide::axum::IntoApiResponse;
use aide::transform::TransformOperation;
use authz::{Place, Request};
use axum::Json;
use axum::http::header;
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use records::{AuditEntry, Decision};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::caller::{Ask, Caller};
use crate::description::answers;
use crate::extract::Named;
use crate::identities;
use crate::inventory::Kind;
use crate::problem::Problem;

/// An identity for one cluster.
#[derive(Serialize, JsonSchema)]
pub(super) struct Issued {
    /// What the cluster's API server takes as bearer token.
    token: String,
    /// When it ends.
    expires: Timestamp,
}

pub(super) fn describe_credential(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("Get an identity for a cluster")
        .description("Lasts ten minutes. `flotilla credential` asks for it whenever kubectl needs one.")
        .tag("clusters")
}

/// Signs an identity with the groups that the caller has in a cluster.
pub(super) async fn credential(caller: Caller, Named(id): Named) -> Result<Json<Issued>, Problem> {
    let groups = connect(&caller, &id, "connect").await?;
    let now = caller.hub.now();
    let token = identities::sign(&caller.hub.signing.issuer(), &caller.subject.user, &id, &groups, now)
        .map_err(|error| Problem::internal(&error))?;
    Ok(Json(Issued { token: token.to_string(), expires: now + identities::LASTS }))
}

/// The caller's groups in a cluster, if they may connect. A key that only reads could do more with an identity than the
/// hub lets it.
async fn connect(caller: &Caller, id: &str, verb: &str) -> Result<BTreeSet<String>, Problem> {
    super::find(caller, id)?;
    let place = Place::Cluster(id);
    let ask = Ask { verb, resource: "clusters", name: id, place };
    let policy = &caller.snapshot.policy;
    let wanted = Request::hub(verb, "clusters", id);
    let is_allowed = caller.credential.allows(&wanted, place, policy.tree())
        && policy.may_within(&caller.subject, &wanted, id).is_allowed();
    if !is_allowed {
        caller.require(&ask).await?;
        return Err(Problem::denied("this is not allowed"));
    }
    let entry = AuditEntry { decision: Decision::Allowed, ..caller.entry(&ask) };
    caller.facts.append(&caller.hub, entry).await?;
    Ok(policy.cluster_groups(&caller.subject, id))
}

pub(super) fn describe_kubeconfig(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = operation
        .summary("Get a kubeconfig for a cluster")
        .description(
            "YAML without a secret: kubectl asks `flotilla credential` for identities. One context leads through the hub, \
             for a hosted cluster another one to its API server.",
        )
        .tag("clusters");
    answers(operation, "application/yaml")
}

/// A kubeconfig for kubectl.
pub(super) async fn kubeconfig(caller: Caller, Named(id): Named) -> Result<impl IntoApiResponse, Problem> {
    connect(&caller, &id, "kubeconfig").await?;
    let row = super::find(&caller, &id)?;
    let direct = (row.kind == Kind::Hosted).then(|| row.endpoint.clone()).flatten();
    let authority = direct.as_ref().and_then(|_| caller.hub.entrances.authority(&id));
    let config = compose(&caller, &id, direct.zip(authority));
    let text = serde_saphyr::to_string(&config).map_err(|error| Problem::internal(&error))?;
    let disposition = format!("attachment; filename=\"{id}.yaml\"");
    let headers =
        [(header::CONTENT_TYPE, "application/yaml".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, text).into_response())
}

fn compose(caller: &Caller, id: &str, direct: Option<(String, String)>) -> Value {
    let hub = &caller.hub;
    let through = json!({
        "name": id,
        "cluster": {
            "server": format!("{}{}{id}", hub.settings.url, crate::proxy::PREFIX),
            "certificate-authority-data": STANDARD.encode(&hub.authority),
        },
    });
    let past = direct.map(|(endpoint, authority)| {
        json!({
            "name": format!("{id}-direct"),
            "cluster": {
                "server": format!("https://{endpoint}"),
                "certificate-authority-data": STANDARD.encode(authority),
            },
        })
    });
    let clusters: Vec<Value> = [Some(through), past].into_iter().flatten().collect();
    let context = |cluster: &Value, user: &str| json!({ "name": cluster["name"], "context": { "cluster": cluster["name"], "user": user } });
    let (session, identity) = ("flotilla", format!("flotilla-{id}"));
    let contexts: Vec<Value> = clusters
        .iter()
        .enumerate()
        .map(|(position, cluster)| context(cluster, if position == 0 { session } else { &identity }))
        .collect();
    let plugin = |arguments: &[&str]| {
        json!({
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": "flotilla",
            "args": arguments,
            "interactiveMode": "Never",
            "installHint": "Install the flotilla command and sign in with `flotilla login`.",
        })
    };
    let server = hub.settings.url.as_str();
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": clusters,
        "contexts": contexts,
        "current-context": id,
        "users": [
            { "name": session, "user": { "exec": plugin(&["credential", "--hub", server]) } },
            { "name": identity, "user": { "exec": plugin(&["credential", "--hub", server, "--cluster", id]) } },
        ],
    })
}
