//! `/k8s/clusters/<id>/…`: the Kubernetes API of every cluster, as whoever asks.

use std::collections::BTreeSet;
use std::sync::Arc;

use authn::KeyError;
use authz::{Place, Request as Wanted, Subject};
use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use records::{AuditEntry, Decision};
use relay::{Attributes, Credentials, Status, Target, Upstream, relay, relay_until};

use crate::caller::{Ask, Caller, Credential, is_reading};
use crate::cluster_id::ClusterId;
use crate::discovery;
use crate::hub::Hub;
use crate::index::Snapshot;
use crate::problem::{Code, Problem};
use crate::streams::{Source, Stream};

/// States of clusters whose agent is not expected back at once.
const AWAY: [&str; 2] = ["Waiting", "Lost"];
/// Where clusters are found.
pub(crate) const PREFIX: &str = "/k8s/clusters/";

/// Passes a request on to a cluster.
pub(crate) async fn pass(State(hub): State<Hub>, request: Request) -> Response {
    match Box::pin(passed(hub, request)).await {
        Ok(response) => response,
        Err(status) => answer(status),
    }
}

/// The answer to what is not passed on. Whoever was turned away may ask again by themselves: nothing was carried out.
fn answer(status: Status) -> Response {
    let again = status.retry_after.filter(|_| status.code == StatusCode::TOO_MANY_REQUESTS);
    let mut response = status.into_response().map(Body::new);
    if let Some(seconds) = again {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The same to a problem.
pub(crate) fn answer_problem(problem: Problem) -> Response {
    answer(status(problem))
}

async fn passed(hub: Hub, request: Request) -> Result<Response, Status> {
    let (mut parts, body) = request.into_parts();
    let caller = Caller::from_request_parts(&mut parts, &hub).await.map_err(status)?;
    let whole = parts.uri.path_and_query().map_or("", |whole| whole.as_str()).to_owned();
    let (id, rest) = split(&whole).ok_or_else(|| not_found(&whole))?;
    let target = Target::read(&parts.method, rest).map_err(|refusal| bad(refusal.to_string()))?;
    let cluster = id.to_string();
    let attributes = target.attributes();
    let is_logged = changes(attributes);
    let entry = entry(&caller, &cluster, attributes);
    allow(&caller, &cluster, attributes, &entry).await?;
    if is_logged {
        caller.facts.append(&hub, entry.clone()).await.map_err(|error| status(error.into()))?;
    }
    let way = way(&caller, &id, &cluster)?;
    if let Some(Some(tenant)) = caller.snapshot.clusters.get(&cluster) {
        caller.hub.metering.requests.count(tenant, &cluster);
    }
    let response = relayed(&caller, &cluster, &target, way, Request::from_parts(parts, body)).await;
    if response.status() == StatusCode::FORBIDDEN && !is_logged {
        let entry =
            AuditEntry { decision: Decision::Denied, reason: "refused by the cluster".to_owned(), ..entry };
        caller.facts.append(&hub, entry).await.map_err(|error| status(error.into()))?;
    }
    Ok(response)
}

/// What the cluster answers: at once if it said so a moment ago, and as long as the right to it lasts.
async fn relayed(
    caller: &Caller,
    cluster: &str,
    target: &Target,
    way: Way,
    mut request: Request,
) -> Response {
    let Way { upstream, credentials, groups } = way;
    if target.is_long_running() {
        let share = match caller.streaming().await {
            Ok(share) => share,
            Err(problem) => return answer_problem(problem),
        };
        let attributes = target.attributes();
        let changes = changes(attributes);
        let stream = Stream {
            subject: caller.subject.clone(),
            credential: caller.credential.clone(),
            source: Some(Source { cluster: cluster.to_owned(), groups, changes }),
            goes_on_elsewhere: attributes.verb == "watch",
        };
        let end = caller.hub.streams.open(stream, share);
        return relay_until(target, request, &upstream, &credentials, end).await.map(Body::new);
    }
    let Some(asked) = discovery::asked(target, request.headers(), cluster, &groups) else {
        return relay(target, request, &upstream, &credentials).await.map(Body::new);
    };
    let ask = |tag: Option<HeaderValue>| async move {
        request.headers_mut().remove(header::IF_NONE_MATCH);
        if let Some(tag) = tag {
            request.headers_mut().insert(header::IF_NONE_MATCH, tag);
        }
        relay(target, request, &upstream, &credentials).await
    };
    caller.hub.discovery.answer(asked, caller.hub.now(), ask).await
}

/// Id and what follows it, as it was sent: what is decided about is what the cluster gets.
fn split(path: &str) -> Option<(ClusterId, &str)> {
    let rest = path.strip_prefix(PREFIX)?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (id, rest) = rest.split_at(end);
    let rest = if rest.is_empty() { "/" } else { rest };
    // A query directly behind the id belongs to the root.
    rest.starts_with('/').then_some(())?;
    Some((ClusterId::read(id)?, rest))
}

/// Whoever may not connect reaches nothing inside. What they may do there, the cluster itself decides by their groups.
async fn allow(
    caller: &Caller,
    cluster: &str,
    attributes: &Attributes,
    entry: &AuditEntry,
) -> Result<(), Status> {
    let in_scope = is_in_scope(&caller.snapshot, &caller.credential, cluster, changes(attributes));
    if in_scope && may_connect(&caller.snapshot, &caller.subject, cluster) {
        return Ok(());
    }
    let reason = if in_scope { "no grant allows to connect" } else { "outside of the key's scope" };
    let denied = AuditEntry { decision: Decision::Denied, reason: reason.to_owned(), ..entry.clone() };
    caller.facts.append(&caller.hub, denied).await.map_err(|error| status(error.into()))?;
    if !caller.sees(Place::Cluster(cluster)) {
        return Err(not_found(cluster));
    }
    Err(status(Problem::denied(format!(
        "{reason} to cluster `{cluster}`; ask an owner for a role that does, or use another key"
    ))))
}

/// Whether a session or key reaches into a cluster. A key that only reads connects too, but changes nothing inside.
pub(crate) fn is_in_scope(
    snapshot: &Snapshot,
    credential: &Credential,
    cluster: &str,
    changes: bool,
) -> bool {
    let inside = if changes { "update" } else { "get" };
    let scoped = Wanted::hub(inside, "clusters", cluster);
    credential.allows(&scoped, Place::Cluster(cluster), snapshot.policy.tree())
}

/// Whether grants allow to connect to a cluster.
pub(crate) fn may_connect(snapshot: &Snapshot, subject: &Subject, cluster: &str) -> bool {
    let connect = Wanted::hub("connect", "clusters", cluster);
    snapshot.policy.may_within(subject, &connect, cluster).is_allowed()
}

/// How a cluster is reached, and as whom.
struct Way {
    upstream: Arc<Upstream>,
    credentials: Credentials,
    /// That the credentials name.
    groups: BTreeSet<String>,
}

fn way(caller: &Caller, id: &ClusterId, cluster: &str) -> Result<Way, Status> {
    let hub = &caller.hub;
    let upstream = match id {
        ClusterId::Hosted { .. } => hub.entrances.to(id).map_err(|error| unavailable(error.to_string()))?,
        ClusterId::Imported(_) if hub.agents.is_connected(cluster) => Arc::new(hub.agents.to(cluster)),
        ClusterId::Imported(_) => {
            return Err(absent(hub, cluster));
        }
    };
    let groups = caller.snapshot.policy.cluster_groups(&caller.subject, cluster);
    let groups = hub.agents.known_groups(cluster, groups);
    let token = hub
        .identities
        .passing(&hub.signing.issuer(), &caller.subject.user, cluster, groups.clone(), hub.now())
        .map_err(|error: KeyError| status(Problem::internal(&error)))?;
    let credentials = Credentials::bearer(&token).map_err(|error| status(Problem::internal(&error)))?;
    Ok(Way { upstream, credentials, groups })
}

/// Whether a request changes something, or acts inside of pods.
fn changes(attributes: &Attributes) -> bool {
    !is_reading(&attributes.verb) || attributes.acts_inside_pods()
}

fn entry(caller: &Caller, cluster: &str, attributes: &Attributes) -> AuditEntry {
    let resource = attributes.resource_path();
    let ask = Ask {
        verb: &attributes.verb,
        resource: &resource,
        name: &attributes.name,
        place: Place::Cluster(cluster),
    };
    AuditEntry {
        group: attributes.group.clone(),
        namespace: attributes.namespace.clone(),
        reason: "the cluster decides".to_owned(),
        ..caller.entry(&ask)
    }
}

/// A problem as Kubernetes' clients read it.
fn status(problem: Problem) -> Status {
    let reason = match problem.code {
        Code::Invalid
        | Code::AuthorizationPending
        | Code::SlowDown
        | Code::AccessDenied
        | Code::ExpiredToken => "BadRequest",
        Code::Unauthenticated | Code::SecondFactor => "Unauthorized",
        Code::Denied => "Forbidden",
        Code::NotFound => "NotFound",
        Code::Exists => "AlreadyExists",
        Code::Changed | Code::InProgress => "Conflict",
        Code::TooMany => "TooManyRequests",
        Code::Unavailable => "ServiceUnavailable",
        Code::Method => "MethodNotAllowed",
        Code::TooLarge => "RequestEntityTooLarge",
        Code::MediaType => "UnsupportedMediaType",
        Code::Internal => "InternalError",
    };
    let code = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let retry_after = problem.retry_after.and_then(|seconds| u32::try_from(seconds).ok());
    Status { code, reason, message: problem.detail, retry_after }
}

fn not_found(cluster: &str) -> Status {
    status(Problem::not_found("clusters", cluster))
}

fn bad(message: String) -> Status {
    Status { code: StatusCode::BAD_REQUEST, reason: "BadRequest", message, retry_after: None }
}

/// Nobody waits for an agent that is known to be away; after a restart of the hub agents come back within seconds.
fn absent(hub: &Hub, cluster: &str) -> Status {
    let is_away = hub.inventory.row(cluster).is_some_and(|row| AWAY.contains(&row.state.as_str()));
    let message =
        format!("no agent of cluster `{cluster}` is connected; its conditions say since when and why");
    let status = unavailable(message);
    if is_away { Status { retry_after: None, ..status } } else { status }
}

fn unavailable(message: String) -> Status {
    Status {
        code: StatusCode::SERVICE_UNAVAILABLE,
        reason: "ServiceUnavailable",
        message,
        retry_after: Some(2),
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn what_follows_the_id_is_taken_as_it_was_sent() {
        let of = |path| split(path).map(|(id, rest)| (id.to_string(), rest.to_owned()));
        let some = |id: &str, rest: &str| Some((id.to_owned(), rest.to_owned()));
        assert_eq!(of("/k8s/clusters/a.b/api/v1/pods?watch=1"), some("a.b", "/api/v1/pods?watch=1"));
        assert_eq!(of("/k8s/clusters/edge"), some("edge", "/"));
        assert_eq!(of("/k8s/clusters/edge/%2e%2e/x"), some("edge", "/%2e%2e/x"));
    }

    #[test]
    fn an_id_that_hides_another_is_none() {
        for path in [
            "/k8s/clusters/",
            "/k8s/clusters//api",
            "/k8s/clusters/a%2eb/api",
            "/k8s/clusters/../x",
            "/k8s/clusters/a?b/api",
            "/k8s/clusters/A/api",
        ] {
            assert!(split(path).is_none(), "{path}");
        }
    }
}
