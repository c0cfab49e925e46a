//! Requests that may come again: with an `Idempotency-Key` what was asked twice is done once.

use std::error::Error;

use aws_lc_rs::digest;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;
use jiff::SignedDuration;
use records::{Begun, Claim, Digest};

use crate::caller::{Caller, Credential};
use crate::extract::BODY_TIMEOUT;
use crate::hub::Hub;
use crate::problem::{Code, Problem};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// On an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// How long somebody has a key before others may take it: longer than any request takes.
const CLAIMED: SignedDuration = SignedDuration::from_mins(2);
/// How long an answer is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
const LONGEST_KEY: usize = 255;
const IN_PROGRESS_SECONDS: u64 = 1;

/// Objects whose answers may be kept. Passwords, tokens, keys and sessions are not among them.
const NOUNS: [&str; 8] =
    ["tenants", "projects", "roles", "grants", "users", "templates", "imports", "clusters"];

/// Does what has a key once; what has none passes.
pub(crate) async fn once(State(hub): State<Hub>, request: Request, next: Next) -> Response {
    if !request.headers().contains_key(KEY) || !is_changing(request.method()) {
        return next.run(request).await;
    }
    match keyed(hub, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

fn is_changing(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH | Method::DELETE)
}

/// Whether no answer there has a secret, and no request one that its digest could give away.
pub(crate) fn is_kept(path: &str) -> bool {
    let Some(rest) = path.strip_prefix("/api/v1/") else { return false };
    match rest.split('/').collect::<Vec<_>>()[..] {
        [noun] | [noun, _] => NOUNS.contains(&noun),
        ["clusters", _, verb] => {
            matches!(
                verb,
                "sleep" | "wake" | "clone" | "transfer" | "backups" | "backup-schedule" | "restores"
            )
        }
        ["clusters", _, "backups", _] => true,
        _ => false,
    }
}

async fn keyed(hub: Hub, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    if !is_kept(parts.uri.path()) {
        return Err(Problem::invalid(
            "no answers are kept here, since they or the request may hold a secret; leave `Idempotency-Key` out",
        ));
    }
    let key = parts.headers.get(KEY).and_then(|key| key.to_str().ok()).unwrap_or_default().to_owned();
    if key.is_empty() || key.len() > LONGEST_KEY {
        return Err(Problem::invalid(format!(
            "Idempotency-Key: must have 1 to {LONGEST_KEY} visible characters, such as a random UUID"
        )));
    }
    let caller = Caller::from_request_parts(&mut parts, &hub).await?;
    let body = match tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, crate::routes::LARGEST)).await {
        Ok(Ok(body)) => body,
        Ok(Err(error)) => return Err(unreadable(&error)),
        Err(_) => return Err(Problem::invalid("the body did not come within 20 s; send it faster")),
    };
    let asked = digest_of(&parts, &body);
    let now = hub.now();
    match hub.records.idempotency().begin(&owner(&caller), &key, asked, now + CLAIMED, now).await? {
        Begun::Replay(kept) => Ok(replay(kept)),
        Begun::InProgress => Err(Problem {
            retry_after: Some(IN_PROGRESS_SECONDS),
            ..Problem::new(
                Code::InProgress,
                "a request with this `Idempotency-Key` is under way; repeat it in a moment",
            )
        }),
        Begun::Conflict => Err(Problem::invalid(
            "Idempotency-Key: it was used for another request; take a new one for each thing that you want done",
        )),
        Begun::Claimed(claim) => {
            let request = Request::from_parts(parts, Body::from(body));
            // A client that hangs up does not leave it half done.
            let work = tokio::spawn(async move { done(&hub, &claim, next.run(request).await).await });
            work.await.map_err(|error| Problem::internal(&error))?
        }
    }
}

fn unreadable(error: &axum::Error) -> Problem {
    if error.source().is_some_and(<dyn std::error::Error + 'static>::is::<LengthLimitError>) {
        return Problem::too_large();
    }
    Problem::invalid("the body broke off; send it again")
}

/// Keys with a scope of their own do not get what others were answered.
fn owner(caller: &Caller) -> String {
    match &caller.credential {
        Credential::Session { .. } => caller.subject.user.clone(),
        Credential::Key { id, .. } => format!("{} key {id}", caller.subject.user),
    }
}

/// Of all that makes a request another one. Each part has its length before it.
fn digest_of(parts: &axum::http::request::Parts, body: &Bytes) -> Digest {
    let version = parts.headers.get(header::IF_MATCH).map(HeaderValue::as_bytes).unwrap_or_default();
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    let mut context = digest::Context::new(&digest::SHA256);
    for part in [parts.method.as_str().as_bytes(), target.as_bytes(), version, body] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut text = [0; 32];
    text.copy_from_slice(context.finish().as_ref());
    Digest(text)
}

/// Keeps a success. What failed has changed nothing and may be tried again, which the audit log is to see.
async fn done(hub: &Hub, claim: &Claim, response: Response) -> Result<Response, Problem> {
    let kept = hub.records.idempotency();
    if !response.status().is_success() {
        kept.give_up(claim).await?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, records::LONGEST_BODY).await.map_err(|error| Problem::internal(&error))?;
    let answer = records::Response {
        status: parts.status.as_u16(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    // It is done: whoever waits for it is told so, even if it cannot be told twice.
    if let Err(error) = kept.finish(claim, &answer, hub.now() + KEPT).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "an answer could not be kept for its key");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn replay(kept: records::Response) -> Response {
    // The tag of an object is its version.
    let shown: serde_json::Value = serde_json::from_str(&kept.body).unwrap_or_default();
    let tag =
        shown["version"].as_str().and_then(|version| format!("\"{version}\"").parse::<HeaderValue>().ok());
    let has_body = !kept.body.is_empty();
    let mut response = Response::new(Body::from(kept.body));
    *response.status_mut() = kept.status.try_into().unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    if has_body {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Some(tag) = tag {
        headers.insert(header::ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use axum::http::Request;

    use super::{digest_of, is_kept};

    #[test]
    fn no_answer_with_a_secret_is_kept() {
        for kept in [
            "tenants",
            "tenants/acme",
            "clusters",
            "clusters/acme.prod/sleep",
            "clusters/acme.prod/backups/b",
            "imports/edge",
        ] {
            assert!(is_kept(&format!("/api/v1/{kept}")), "{kept}");
        }
        for secret in [
            "session",
            "keys",
            "keys/a",
            "imports/edge/token",
            "users/olga/password",
            "clusters/a.b/credential",
            "",
        ] {
            assert!(!is_kept(&format!("/api/v1/{secret}")), "{secret}");
        }
        assert!(!is_kept("/k8s/clusters/a.b"));
    }

    #[test]
    fn another_method_path_version_or_body_is_another_request() {
        let of = |method: &str, path: &str, version: &str, body: &'static str| {
            let request = Request::builder().method(method).uri(path).header("if-match", version);
            digest_of(&request.body(()).unwrap().into_parts().0, &Bytes::from_static(body.as_bytes())).0
        };
        let one = of("PUT", "/a", "1", "x");
        assert_eq!(one, of("PUT", "/a", "1", "x"));
        for other in [
            of("POST", "/a", "1", "x"),
            of("PUT", "/b", "1", "x"),
            of("PUT", "/a", "2", "x"),
            of("PUT", "/a", "1", "y"),
        ] {
            assert_ne!(one, other);
        }
    }
}
