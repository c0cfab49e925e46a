//! Turns strangers away who ask too often, before the database is asked or a password is hashed for them.

use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use records::{AuditEntry, Decision};

use super::pause;
use crate::caller::shown;
use crate::hub::Hub;
use crate::problem::Problem;
use crate::proxy;
use crate::request::{Facts, address};

/// What begins so asks a database or hashes. The rest is the same for everybody: keys, the description.
const COSTLY: [&str; 4] = ["/api/", "/k8s/", "/agent/", "/import/"];
/// As whom all of them are counted; no user has this name.
const STRANGERS: &str = "";

/// Lets those in who have shown a token that was taken, and of others so many.
pub(crate) async fn admit(State(hub): State<Hub>, request: Request, next: Next) -> Response {
    let Some(problem) = refusal(&hub, &request) else { return next.run(request).await };
    pause().await;
    if request.uri().path().starts_with(proxy::PREFIX) {
        return proxy::answer_problem(problem);
    }
    problem.into_response()
}

/// Why somebody is turned away, if they are.
fn refusal(hub: &Hub, request: &Request) -> Option<Problem> {
    let (strangers, now) = (&hub.fairness.strangers, Instant::now());
    let is_costly = COSTLY.iter().any(|prefix| request.uri().path().starts_with(prefix));
    let is_known = || shown(request.headers()).is_some_and(|token| strangers.has_met(token.as_bytes(), now));
    if !is_costly || is_known() {
        return None;
    }
    let wait = strangers.ask(address(request), now).err()?;
    let problem = Problem::too_many(
        "too many requests come from your address, or from everywhere, without a session or key that is known; wait as \
         `Retry-After` says",
        wait.as_secs() + 1,
    );
    if let Some(facts) = request.extensions().get::<Facts>() {
        hub.fairness.turned_away.note(STRANGERS, || AuditEntry {
            actor_kind: "unknown".to_owned(),
            verb: "send".to_owned(),
            resource: "requests".to_owned(),
            decision: Decision::Denied,
            reason: problem.detail.clone(),
            ..facts.entry(hub)
        });
    }
    Some(problem)
}
