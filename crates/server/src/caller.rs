//! Who sent a request, and whether they may do what it asks for.

mod cookies;
mod credential;
mod scope;

use std::sync::Arc;
use std::time::Instant;

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::{Operation, Response, StatusCode};
use authz::{Decision, Place, Request, Scope, Subject};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use records::AuditEntry;

pub(crate) use cookies::{
    clear_cookie, clear_csrf_cookie, clear_flow_cookie, csrf_cookie, flow_cookie, flow_of, session_cookie,
};
pub(crate) use credential::{Credential, bearer, shown, still_holds};
pub(crate) use scope::KeyScope;

use crate::fairness::{Refusal, Share, pause};
use crate::hub::Hub;
use crate::index::Snapshot;
use crate::problem::{Problem, described};
use crate::request::Facts;

/// Somebody who is signed in, at one request.
pub(crate) struct Caller {
    pub(crate) hub: Hub,
    pub(crate) facts: Facts,
    pub(crate) subject: Subject,
    pub(crate) credential: Credential,
    /// By which this request is decided on from beginning to end.
    pub(crate) snapshot: Arc<Snapshot>,
}

/// What somebody wants to do with the hub's objects.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) verb: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) name: &'a str,
    pub(crate) place: Place<'a>,
}

impl Caller {
    /// Whether they may, without a word in the log.
    pub(crate) fn may(&self, ask: &Ask<'_>) -> bool {
        let request = Request::hub(ask.verb, ask.resource, ask.name);
        self.credential.allows(&request, ask.place, self.snapshot.policy.tree())
            && self.snapshot.policy.may(&self.subject, &request, ask.place).is_allowed()
    }

    /// Whether they may somewhere in or below the tenant where it stands; anywhere, if it is the platform's.
    pub(crate) fn may_below(&self, ask: &Ask<'_>) -> bool {
        let above = match ask.place {
            Place::Platform => None,
            Place::Tenant(tenant) => Some(tenant),
            _ => return false,
        };
        let policy = &self.snapshot.policy;
        let tree = policy.tree();
        let request = Request::hub(ask.verb, ask.resource, ask.name);
        let granted = policy.allowed_at(&self.subject, &request).filter_map(|scope| match scope {
            Scope::Tenant(tenant) => Some(tenant.as_str()),
            _ => None,
        });
        // Where grants and what they show hold both, begins at one of these.
        granted.chain(self.credential.tenants()).any(|tenant| {
            tree.is_within(tenant, above.unwrap_or(tenant))
                && self.may(&Ask { place: Place::Tenant(tenant), ..*ask })
        })
    }

    /// The id of their session, for what is a person's. A key, which lies about in files, is refused.
    pub(crate) async fn session(&self) -> Result<&str, Problem> {
        match &self.credential {
            Credential::Session { id, .. } => Ok(id),
            Credential::Key { .. } => {
                let ask = Ask { verb: "use", resource: "sessions", name: "", place: Place::Platform };
                Err(self.refuse(&ask, "a key may not do this; sign in").await?)
            }
        }
    }

    /// Refuses what no grant is asked for; it stands in the log before this returns.
    pub(crate) async fn refuse(&self, ask: &Ask<'_>, why: &str) -> Result<Problem, Problem> {
        let (decision, reason) = (records::Decision::Denied, why.to_owned());
        let entry = AuditEntry { decision, reason, ..self.entry(ask) };
        self.facts.append(&self.hub, entry).await?;
        Ok(Problem::denied(why))
    }

    /// Notes in the log what they do with what is their own, which needs no grant.
    pub(crate) async fn note_own(&self, verb: &str, resource: &str, name: &str) -> Result<(), Problem> {
        let ask = Ask { verb, resource, name, place: Place::Platform };
        let (decision, reason) = (records::Decision::Allowed, "one's own".to_owned());
        let entry = AuditEntry { decision, reason, ..self.entry(&ask) };
        Ok(self.facts.append(&self.hub, entry).await?)
    }

    /// Lets them do it, or says why not. What changes something, and what is denied, stands in the log before this
    /// returns.
    pub(crate) async fn require(&self, ask: &Ask<'_>) -> Result<(), Problem> {
        let request = Request::hub(ask.verb, ask.resource, ask.name);
        let policy = &self.snapshot.policy;
        let in_scope = self.credential.allows(&request, ask.place, policy.tree());
        let decision = policy.may(&self.subject, &request, ask.place);
        let is_allowed = in_scope && decision.is_allowed();
        if !is_allowed || !is_reading(ask.verb) {
            let reason = match decision {
                _ if !in_scope => "outside of what the key or the provider allows".to_owned(),
                Decision::Allowed(holding) => {
                    format!("grant {}: role {}", holding.grant.name, holding.role.name)
                }
                Decision::Denied => "no grant allows it".to_owned(),
            };
            let decision = if is_allowed { records::Decision::Allowed } else { records::Decision::Denied };
            let entry = AuditEntry { decision, reason, ..self.entry(ask) };
            self.facts.append(&self.hub, entry).await?;
        }
        if is_allowed {
            return Ok(());
        }
        let is_key = matches!(self.credential, Credential::Key { .. });
        if !in_scope && is_key && (ask.place == Place::Platform || self.sees(ask.place)) {
            return Err(Problem::denied(
                "the key may not do this: its scope is narrower than your rights; use another key",
            ));
        }
        Err(self.refusal(ask))
    }

    /// An entry of the log about something that this caller does.
    pub(crate) fn entry(&self, ask: &Ask<'_>) -> AuditEntry {
        let tree = self.snapshot.policy.tree();
        let tenant = tree.tenant_of(ask.place).unwrap_or_default().to_owned();
        let cluster = match ask.place {
            Place::Cluster(cluster) | Place::Namespace(cluster, _) => cluster.to_owned(),
            _ => String::new(),
        };
        AuditEntry {
            actor: self.subject.user.clone(),
            actor_kind: self.credential.kind().to_owned(),
            credential: self.credential.id().to_owned(),
            tenant,
            cluster,
            verb: ask.verb.to_owned(),
            resource: ask.resource.to_owned(),
            name: ask.name.to_owned(),
            ..self.facts.entry(&self.hub)
        }
    }

    /// A place among their streams, instead of the one among their requests.
    pub(crate) async fn streaming(&self) -> Result<Share, Problem> {
        let user = &self.subject.user;
        match self.hub.fairness.stream(user, self.snapshot.home(user)) {
            Ok(share) => {
                drop(self.facts.release());
                Ok(share)
            }
            Err(refusal) => Err(self.turn_away(refusal).await),
        }
    }

    /// Takes a place among their requests. One that is looked at twice counts once.
    async fn heed(&self, parts: &mut Parts) -> Result<(), Problem> {
        if parts.extensions.insert(Counted).is_some() {
            return Ok(());
        }
        let user = &self.subject.user;
        match self.hub.fairness.ask(user, self.snapshot.home(user), Instant::now()) {
            Ok(share) => {
                self.facts.hold(share);
                Ok(())
            }
            Err(refusal) => Err(self.turn_away(refusal).await),
        }
    }

    /// Counts a request that is turned away for the log.
    async fn turn_away(&self, refusal: Refusal) -> Problem {
        let problem = refusal.problem();
        let user = &self.subject.user;
        self.hub.fairness.turned_away.note(user, || AuditEntry {
            tenant: self.snapshot.home(user).unwrap_or_default().to_owned(),
            decision: records::Decision::Denied,
            reason: problem.detail.clone(),
            ..self.entry(&Ask { verb: "send", resource: "requests", name: "", place: Place::Platform })
        });
        pause().await;
        problem
    }

    /// Whether they may know that a place exists: they hold something there, and what they show reaches there.
    pub(crate) fn sees(&self, place: Place<'_>) -> bool {
        let policy = &self.snapshot.policy;
        self.credential.reaches(place, policy.tree()) && policy.sees(&self.subject, place)
    }

    /// Whoever holds nothing there does not get to know that it exists.
    fn refusal(&self, ask: &Ask<'_>) -> Problem {
        if !self.sees(ask.place) {
            return match ask.place {
                Place::Platform => Problem::denied(denial(ask)),
                Place::Tenant(name) => Problem::not_found("tenants", name),
                Place::Project(name) => Problem::not_found("projects", name),
                Place::Cluster(name) | Place::Namespace(name, _) => Problem::not_found("clusters", name),
            };
        }
        Problem::denied(denial(ask))
    }
}

fn denial(ask: &Ask<'_>) -> String {
    let place = match ask.place {
        Place::Platform => "the platform".to_owned(),
        Place::Tenant(name) => format!("tenant `{name}`"),
        Place::Project(name) => format!("project `{name}`"),
        Place::Cluster(name) => format!("cluster `{name}`"),
        Place::Namespace(cluster, name) => format!("namespace `{name}` of cluster `{cluster}`"),
    };
    format!(
        "none of your grants allows to {} {} at {place}; ask an owner for a role that does",
        ask.verb, ask.resource
    )
}

/// Whether a verb changes nothing.
pub(crate) fn is_reading(verb: &str) -> bool {
    matches!(verb, "get" | "list" | "watch")
}

/// That a request has been counted.
#[derive(Clone, Copy)]
struct Counted;

impl FromRequestParts<Hub> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, hub: &Hub) -> Result<Self, Problem> {
        let facts = parts.extensions.get::<Facts>().cloned().ok_or_else(Problem::unauthenticated)?;
        let checked = credential::check(parts, hub, &facts).await;
        let (token, strangers) = (shown(&parts.headers).map(str::as_bytes), &hub.fairness.strangers);
        match checked {
            Ok((subject, credential)) => {
                token.inspect(|token| strangers.meet(token, Instant::now()));
                let snapshot = hub.index.now();
                let caller = Self { hub: hub.clone(), facts, subject, credential, snapshot };
                caller.heed(parts).await?;
                Ok(caller)
            }
            Err(credential::Refused { problem, shown }) => {
                if let Some(shown) = shown {
                    token.inspect(|token| strangers.forget(token));
                    let entry = AuditEntry {
                        credential: shown,
                        actor_kind: "unknown".to_owned(),
                        verb: parts.method.as_str().to_ascii_lowercase(),
                        decision: records::Decision::Denied,
                        reason: problem.detail.clone(),
                        ..facts.entry(hub)
                    };
                    facts.append(hub, entry).await?;
                }
                Err(problem)
            }
        }
    }
}

impl OperationInput for Caller {
    fn inferred_early_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<StatusCode>, Response)> {
        described(context, operation)
    }
}
