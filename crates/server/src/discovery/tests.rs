//! Tests of what is remembered and told.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use axum::response::Response as Told;
use bytes::Bytes;
use http_body_util::BodyExt;
use jiff::{SignedDuration, Timestamp};
use relay::{ResponseBody, Target};

use super::{Asked, Discovery, asked, names};

fn ask_for(path: &str, headers: &[(&'static str, &'static str)]) -> Option<Asked> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, HeaderValue::from_static(value));
    }
    asked(&Target::read(&Method::GET, path).unwrap(), &map, "acme.web", &BTreeSet::new())
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
}

/// A cluster that counts how often it is asked, and knows its own tag.
async fn answer(
    discovery: &Discovery,
    count: &AtomicUsize,
    seconds: i64,
    headers: &[(&'static str, &'static str)],
) -> Told {
    let ask = |tag: Option<HeaderValue>| async move {
        count.fetch_add(1, Ordering::SeqCst);
        let mut response = Response::new(ResponseBody::whole(Bytes::from_static(b"groups")));
        response.headers_mut().insert(header::ETAG, HeaderValue::from_static("\"one\""));
        if tag.is_some_and(|tag| tag == "\"one\"") {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        response
    };
    discovery.answer(ask_for("/apis", headers).unwrap(), at(seconds), ask).await
}

#[tokio::test]
async fn the_cluster_is_asked_once_and_then_whether_it_still_holds() {
    let (discovery, count) = (Discovery::default(), AtomicUsize::new(0));
    for (seconds, asked) in [(0, 1), (1, 1), (9, 1), (11, 2), (12, 2)] {
        let told = answer(&discovery, &count, seconds, &[]).await;
        assert_eq!((told.status(), count.load(Ordering::SeqCst)), (StatusCode::OK, asked));
        assert_eq!(told.into_body().collect().await.unwrap().to_bytes(), "groups");
    }
    let same = answer(&discovery, &count, 13, &[("if-none-match", "\"zero\", W/\"one\"")]).await;
    assert_eq!(same.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(same.into_body().collect().await.unwrap().to_bytes(), "");
    // Who wants another form is no other's.
    answer(&discovery, &count, 13, &[("accept", "application/yaml")]).await;
    assert_eq!(count.load(Ordering::SeqCst), 3);
    discovery.forget("acme.web");
    answer(&discovery, &count, 13, &[]).await;
    assert_eq!(count.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_refusal_is_not_remembered() {
    let discovery = Discovery::default();
    for status in [StatusCode::FORBIDDEN, StatusCode::OK] {
        let ask = |_| async move {
            let mut response = Response::new(ResponseBody::whole(Bytes::new()));
            *response.status_mut() = status;
            response
        };
        let told = discovery.answer(ask_for("/api", &[]).unwrap(), at(0), ask).await;
        assert_eq!(told.status(), status);
    }
}

#[test]
fn only_what_api_servers_serve_is_remembered() {
    for path in
        ["/api", "/apis", "/version", "/openapi/v2?timeout=32s", "/openapi/v3", "/openapi/v3/apis/apps/v1"]
    {
        assert!(ask_for(path, &[]).is_some(), "{path}");
    }
    for path in ["/api/v1/pods", "/api/v1/nodes", "/", "/metrics", "/healthz", "/openapi/v30", "/versions"] {
        assert!(ask_for(path, &[]).is_none(), "{path}");
    }
    assert!(ask_for("/apis", &[("range", "bytes=0-1")]).is_none());
}

#[test]
fn tags_are_compared_one_by_one() {
    assert!(names(b"\"a\", \"b\"", b"\"b\"") && names(b"*", b"\"b\"") && names(b"W/\"b\"", b"\"b\""));
    assert!(!names(b"\"ab\"", b"\"b\"") && !names(b"", b"\"b\""));
}
