//! What API servers serve, which every kubectl asks for first: remembered for ten seconds, so that many kubectls cost a
//! cluster as much as one.
//!
//! Whoever gets a remembered answer may connect, and the cluster has told the same to somebody in the same groups. After
//! that the cluster is asked only whether the answer still holds, as far as it has given it an `ETag`.

mod cache;

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};
use http_body_util::BodyExt;
use jiff::Timestamp;
use relay::{BodyError, ResponseBody, Target};

use cache::{Answer, Cache, Key, LARGEST};

/// Remembered answers of all clusters.
#[derive(Default)]
pub(crate) struct Discovery {
    cache: Mutex<Cache>,
}

/// A request that a remembered answer may serve.
pub(crate) struct Asked {
    key: Key,
    /// Tags of what the client has.
    has: Option<HeaderValue>,
}

/// What a request asks of a cluster's API, if it is something that is remembered.
pub(crate) fn asked(
    target: &Target,
    headers: &HeaderMap,
    cluster: &str,
    groups: &BTreeSet<String>,
) -> Option<Asked> {
    let path = target.path();
    let is_discovery = matches!(path, "/api" | "/apis" | "/version" | "/openapi/v2" | "/openapi/v3")
        || path.starts_with("/openapi/v3/");
    let is_plain = !headers.contains_key(header::RANGE) && !headers.contains_key(header::UPGRADE);
    (is_discovery && is_plain && target.method() == Method::GET).then(|| Asked {
        key: Key {
            cluster: cluster.to_owned(),
            groups: groups.clone(),
            path_and_query: target.path_and_query().to_string(),
            accepted: [header::ACCEPT, header::ACCEPT_ENCODING].map(|name| all(headers, &name)),
        },
        has: headers.get(header::IF_NONE_MATCH).cloned(),
    })
}

impl Discovery {
    /// Answers from memory, or by asking the cluster with the tag that is given to `ask`, if any.
    pub(crate) async fn answer<F: Future<Output = Response<ResponseBody>>>(
        &self,
        asked: Asked,
        now: Timestamp,
        ask: impl FnOnce(Option<HeaderValue>) -> F,
    ) -> Response {
        let known = self.lock().get(&asked.key, now);
        if let Some((answer, true)) = &known {
            return told(answer, &asked);
        }
        let tag = known.as_ref().and_then(|(answer, _)| answer.headers.get(header::ETAG).cloned());
        let response = ask(tag).await;
        match (response.status(), known) {
            (StatusCode::NOT_MODIFIED, Some((answer, _))) => {
                self.lock().put(asked.key.clone(), answer.clone(), now);
                told(&answer, &asked)
            }
            (StatusCode::OK, _) => self.remember(response, asked, now).await,
            _ => {
                self.lock().remove(&asked.key);
                response.map(Body::new)
            }
        }
    }

    /// Forgets a cluster that is gone.
    pub(crate) fn forget(&self, cluster: &str) {
        self.lock().forget(cluster);
    }

    /// Reads a body that is small enough before it is passed on; a larger one is passed on as it comes.
    async fn remember(&self, response: Response<ResponseBody>, asked: Asked, now: Timestamp) -> Response {
        let (parts, body) = response.into_parts();
        let mut pieces = body.into_data_stream();
        let mut whole = BytesMut::new();
        while let Some(piece) = pieces.next().await {
            let is_broken = piece.is_err();
            if let Ok(piece) = &piece {
                whole.extend_from_slice(piece);
            }
            if is_broken || whole.len() > LARGEST {
                let read: Result<Bytes, BodyError> = Ok(whole.freeze());
                let broken = piece.err().map(Err);
                let rest = stream::iter([read]).chain(stream::iter(broken)).chain(pieces);
                return Response::from_parts(parts, Body::from_stream(rest));
            }
        }
        let mut headers = parts.headers;
        for of_one_request in [HeaderName::from_static("audit-id"), header::DATE, header::CONTENT_LENGTH] {
            headers.remove(of_one_request);
        }
        let answer = Arc::new(Answer { headers, body: whole.freeze() });
        self.lock().put(asked.key.clone(), answer.clone(), now);
        told(&answer, &asked)
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer, or only that it is what the client has.
fn told(answer: &Answer, asked: &Asked) -> Response {
    let has = asked.has.as_ref().zip(answer.tag()).is_some_and(|(has, tag)| names(has.as_bytes(), tag));
    let mut response = Response::new(if has { Body::empty() } else { Body::from(answer.body.clone()) });
    response.headers_mut().clone_from(&answer.headers);
    if has {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response.headers_mut().remove(header::CONTENT_TYPE);
        response.headers_mut().remove(header::CONTENT_ENCODING);
    }
    response
}

/// Whether a list of tags names one.
fn names(list: &[u8], tag: &[u8]) -> bool {
    let strong = |tag: &[u8]| tag.trim_ascii().strip_prefix(b"W/").unwrap_or(tag.trim_ascii()).to_vec();
    list.split(|byte| *byte == b',').any(|one| one.trim_ascii() == b"*" || strong(one) == strong(tag))
}

fn all(headers: &HeaderMap, name: &HeaderName) -> Vec<u8> {
    let values: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    values.join(&b","[..])
}

#[cfg(test)]
mod tests;
