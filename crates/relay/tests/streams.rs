//! Streams of answers, and what becomes of requests when connections die.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::allow_attributes,
    reason = "a test that cannot go on ends"
)]

mod support;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full};
use relay::{
    BodyError, Credentials, Dial, Ending, ResponseBody, Stream, Target, Upstream, relay, relay_until,
};
use support::{
    Body, Handler, LONG, SHORT, Server, ask, collect, eventually, handler, nothing, speak_http1, text,
};
use tokio::io::AsyncReadExt;
use tokio::sync::Notify;

const LIST: &str = "/api/v1/pods";
const WATCH: &str = "/api/v1/pods?watch=true";
const PIECE: usize = 8 * 1024;

/// Counts while it lives.
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The events of a watch: one, and then none for ever; or without end.
struct Events {
    endless: bool,
    made: Arc<AtomicUsize>,
    _alive: Alive,
}

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.made.fetch_add(1, Ordering::SeqCst) > 0 && !self.endless {
            return Poll::Pending;
        }
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'e'; PIECE])))))
    }
}

fn watching(endless: bool, made: &Arc<AtomicUsize>, alive: &Arc<AtomicUsize>) -> Handler {
    let (made, alive) = (Arc::clone(made), Arc::clone(alive));
    handler(move |request| {
        let made = if endless { Arc::clone(&made) } else { Arc::default() };
        let events = Events { endless, made, _alive: Alive::new(&alive) };
        let is_watch = request.uri().query().is_some();
        async move { Response::new(if is_watch { events.boxed_unsync() } else { text(vec![b'x'; 1_000_000]) }) }
    })
}

async fn status(response: Response<ResponseBody>) -> serde_json::Value {
    let code = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(!response.headers().contains_key("retry-after"));
    let status: serde_json::Value = serde_json::from_slice(&collect(response).await).unwrap();
    assert_eq!(status["kind"], "Status");
    assert_eq!(status["apiVersion"], "v1");
    assert_eq!(status["status"], "Failure");
    assert_eq!(status["code"], code);
    status
}

#[tokio::test]
async fn an_event_arrives_at_once_and_a_client_that_goes_ends_the_watch() {
    let alive = Arc::default();
    let server = Server::start(watching(false, &Arc::default(), &alive)).await;
    let upstream = server.upstream(LONG);
    let mut response = ask(&upstream, "GET", WATCH, nothing()).await;
    assert_eq!(response.frame().await.unwrap().unwrap().into_data().unwrap().len(), PIECE);
    assert_eq!(alive.load(Ordering::SeqCst), 1);
    drop(response);
    eventually("the watch has ended upstream", || alive.load(Ordering::SeqCst) == 0).await;
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn a_watch_that_has_to_end_is_cut_off_on_both_sides_or_let_go_in_good_order() {
    for ending in [Ending::CutOff, Ending::InOrder] {
        watched_until(ending).await;
    }
}

async fn watched_until(ending: Ending) {
    let alive = Arc::default();
    let server = Server::start(watching(false, &Arc::default(), &alive)).await;
    let upstream = server.upstream(LONG);
    let target = Target::read(&http::Method::GET, WATCH).unwrap();
    let (cut, end) = tokio::sync::oneshot::channel::<Ending>();
    let end = async move { end.await.unwrap() };
    let (request, nobody) = (Request::new(nothing()), Credentials::none());
    let mut response = relay_until(&target, request, &upstream, &nobody, end).await;
    assert_eq!(response.frame().await.unwrap().unwrap().into_data().unwrap().len(), PIECE);
    cut.send(ending).unwrap();
    match (ending, response.frame().await) {
        (Ending::CutOff, Some(Err(BodyError::CutOff))) | (Ending::InOrder, None) => {}
        (ending, other) => panic!("{ending:?}: {other:?}"),
    }
    eventually("the watch has ended upstream", || alive.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn a_client_that_goes_before_the_answer_ends_the_request() {
    for dialled in [false, true] {
        let alive: Arc<AtomicUsize> = Arc::default();
        let count = Arc::clone(&alive);
        let waiting = handler(move |_| {
            let alive = Alive::new(&count);
            async move {
                std::future::pending::<()>().await;
                drop(alive);
                Response::new(nothing())
            }
        });
        let server = Server::start(Arc::clone(&waiting)).await;
        let upstream = if dialled { dialled_upstream(waiting) } else { server.upstream(LONG) };
        let asking = tokio::spawn(async move { ask(&upstream, "GET", LIST, nothing()).await.status() });
        eventually("the request is there", || alive.load(Ordering::SeqCst) == 1).await;
        asking.abort();
        eventually("the request has ended upstream", || alive.load(Ordering::SeqCst) == 0).await;
    }
}

#[tokio::test]
async fn a_slow_client_holds_up_its_own_stream_only() {
    let (made, alive) = (Arc::default(), Arc::default());
    let server = Server::start(watching(true, &made, &alive)).await;
    let upstream = server.upstream(LONG);
    let mut slow = Vec::new();
    for _ in 0..80 {
        slow.push(ask(&upstream, "GET", WATCH, nothing()).await);
    }
    for _ in 0..5 {
        assert_eq!(collect(ask(&upstream, "GET", LIST, nothing()).await).await.len(), 1_000_000);
    }
    assert_eq!(upstream.connections(), 1);
    // What upstream has made is what it keeps itself and one window of ours, for each.
    let bytes = made.load(Ordering::SeqCst) * PIECE / slow.len();
    assert!(bytes < 600_000, "{bytes} bytes for each");
}

#[tokio::test]
async fn a_thousand_watches_share_few_connections() {
    let alive = Arc::default();
    let server = Server::start(watching(false, &Arc::default(), &alive)).await;
    let upstream = server.upstream(LONG);
    let asking = (0..1000).map(|_| {
        let upstream = Arc::clone(&upstream);
        tokio::spawn(async move {
            let mut response = ask(&upstream, "GET", WATCH, nothing()).await;
            response.frame().await.unwrap().unwrap();
            response
        })
    });
    let asking: Vec<_> = asking.collect();
    let mut open = Vec::new();
    for task in asking {
        open.push(task.await.unwrap());
    }
    assert_eq!(alive.load(Ordering::SeqCst), 1000);
    assert_eq!(upstream.connections(), 12);
    drop(open);
    eventually("all have ended upstream", || alive.load(Ordering::SeqCst) == 0).await;
    // The places are free again.
    collect(ask(&upstream, "GET", LIST, nothing()).await).await;
    assert_eq!(server.connections.load(Ordering::SeqCst), 12);
}

#[tokio::test]
async fn an_upstream_that_allows_few_streams_gets_few() {
    let server = Server::with_streams(10, watching(false, &Arc::default(), &Arc::default())).await;
    let upstream = server.upstream(LONG);
    let mut open = Vec::new();
    for _ in 0..30 {
        open.push(ask(&upstream, "GET", WATCH, nothing()).await);
    }
    assert_eq!(upstream.connections(), 3);
}

#[tokio::test]
async fn a_connection_that_nobody_uses_is_closed() {
    let server = Server::start(handler(|_| async { Response::new(text("here")) })).await;
    let upstream = server.upstream(LONG);
    collect(ask(&upstream, "GET", LIST, nothing()).await).await;
    assert_eq!(upstream.connections(), 1);
    tokio::time::pause();
    for _ in 0..2 {
        tokio::time::advance(Duration::from_secs(61)).await;
        tokio::task::yield_now().await;
    }
    eventually("it is closed", || upstream.connections() == 0).await;
}

#[tokio::test]
async fn the_length_of_a_body_is_told_and_never_taken_from_a_header() {
    let told = handler(|request| async move {
        let length = request.headers().get("content-length").map(|length| length.as_bytes().to_vec());
        Response::new(text(length.unwrap_or_default()))
    });
    let server = Server::start(Arc::clone(&told)).await;
    for upstream in [server.upstream(LONG), dialled_upstream(told)] {
        assert_eq!(collect(ask(&upstream, "POST", LIST, text("12345")).await).await, "5");
        let target = Target::read(&http::Method::POST, LIST).unwrap();
        let lying = Request::builder().header("content-length", "3").header("transfer-encoding", "chunked");
        let lying = lying.body(text("12345")).unwrap();
        assert_eq!(collect(relay(&target, lying, &upstream, &Credentials::none()).await).await, "5");
        assert_eq!(collect(ask(&upstream, "GET", LIST, nothing()).await).await, "");
    }
}

#[tokio::test]
async fn bodies_pass_both_ways_with_their_trailers() {
    let echo =
        handler(
            |request| async move { Response::new(request.into_body().map_err(|_| panic!()).boxed_unsync()) },
        );
    let server = Server::start(echo).await;
    let sent: Vec<u8> = (0..2_000_000_u32).map(|number| number.to_le_bytes()[1]).collect();
    let mut trailers = HeaderMap::new();
    trailers.insert("digest", HeaderValue::from_static("right"));
    trailers.insert("impersonate-user", HeaderValue::from_static("admin"));
    let body = Full::new(Bytes::from(sent.clone())).with_trailers(async move { Some(Ok(trailers)) });
    let answer = ask(&server.upstream(LONG), "POST", LIST, body.boxed_unsync()).await;
    let collected = answer.into_body().collect().await.unwrap();
    let trailers = collected.trailers().unwrap().clone();
    assert!(collected.to_bytes() == sent);
    assert_eq!(trailers.len(), 1);
    assert_eq!(trailers["digest"], "right");
}

#[tokio::test]
async fn only_what_does_not_last_must_be_answered_in_time() {
    let answer: Arc<Notify> = Arc::default();
    let notified = Arc::clone(&answer);
    let slow = handler(move |_| {
        let answer = Arc::clone(&notified);
        async move {
            answer.notified().await;
            Response::new(text("late"))
        }
    });
    let server = Server::start(slow).await;
    let upstream = server.upstream(SHORT);
    let watch = {
        let upstream = Arc::clone(&upstream);
        tokio::spawn(async move { collect(ask(&upstream, "GET", WATCH, nothing()).await).await })
    };
    let status = status(ask(&upstream, "GET", LIST, nothing()).await).await;
    assert_eq!(status["code"], 504);
    assert_eq!(status["reason"], "Timeout");
    answer.notify_waiters();
    answer.notify_one();
    assert_eq!(watch.await.unwrap(), "late");
}

#[tokio::test]
async fn a_server_that_is_gone_is_said_to_be_and_found_again() {
    let mut server = Server::start(handler(|_| async { Response::new(text("here")) })).await;
    let upstream = server.upstream(LONG);
    assert_eq!(collect(ask(&upstream, "GET", LIST, nothing()).await).await, "here");
    server.stop().await;
    let asking: Vec<_> = (0..50)
        .map(|_| {
            let upstream = Arc::clone(&upstream);
            tokio::spawn(async move { status(ask(&upstream, "GET", LIST, nothing()).await).await })
        })
        .collect();
    for task in asking {
        let status = task.await.unwrap();
        assert_eq!(status["code"], 503);
        assert_eq!(status["reason"], "ServiceUnavailable");
        assert_eq!(status["details"]["retryAfterSeconds"], 5);
        let message = status["message"].as_str().unwrap();
        assert!(message.contains("`c-1`") && message.contains("connection refused"), "{message}");
        assert!(!message.contains("127.0.0.1"), "{message}");
    }
    server.resume().await;
    assert_eq!(collect(ask(&upstream, "GET", LIST, nothing()).await).await, "here");
}

#[tokio::test]
async fn a_restart_between_two_reads_is_not_noticed() {
    let mut server = Server::start(handler(|_| async { Response::new(text("here")) })).await;
    let upstream = server.upstream(LONG);
    for _ in 0..5 {
        assert_eq!(collect(ask(&upstream, "GET", LIST, nothing()).await).await, "here");
        server.stop().await;
        server.resume().await;
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_does_not_look_whole() {
    let mut server = Server::start(watching(false, &Arc::default(), &Arc::default())).await;
    let mut response = ask(&server.upstream(LONG), "GET", WATCH, nothing()).await;
    response.frame().await.unwrap().unwrap();
    server.stop().await;
    assert!(response.frame().await.unwrap().is_err());
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_not_trusted() {
    let server = Server::start(handler(|_| async { Response::new(text("secret")) })).await;
    let other = Server::start(handler(|_| async { Response::new(nothing()) })).await;
    let mut endpoint = server.endpoint();
    endpoint.authority = other.endpoint().authority;
    let upstream = Upstream::endpoint("c-1", &endpoint, LONG).unwrap();
    let refused = status(ask(&upstream, "GET", LIST, nothing()).await).await;
    assert_eq!(refused["code"], 503);
    let mut endpoint = server.endpoint();
    endpoint.server_name = "kubernetes".to_owned();
    let upstream = Upstream::endpoint("c-1", &endpoint, LONG).unwrap();
    let refused = status(ask(&upstream, "GET", LIST, nothing()).await).await;
    assert!(refused["message"].as_str().unwrap().contains("certificate"), "{refused}");
}

/// Streams on which a handler answers.
struct Answered(Handler);

#[async_trait]
impl Dial for Answered {
    async fn dial(&self) -> std::io::Result<Box<dyn Stream>> {
        let (ours, theirs) = tokio::io::duplex(16 * 1024);
        tokio::spawn(speak_http1(theirs, Arc::clone(&self.0)));
        Ok(Box::new(ours))
    }
}

fn dialled_upstream(handler: Handler) -> Arc<Upstream> {
    Arc::new(Upstream::dialled("c-2", Arc::new(Answered(handler)), LONG))
}

/// Streams that take a request and break.
#[derive(Default)]
struct Breaking(Arc<AtomicUsize>);

#[async_trait]
impl Dial for Breaking {
    async fn dial(&self) -> std::io::Result<Box<dyn Stream>> {
        let (ours, mut theirs) = tokio::io::duplex(16 * 1024);
        self.0.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(async move { while theirs.read_u8().await.is_ok_and(|byte| byte != b'\n') {} });
        Ok(Box::new(ours))
    }
}

#[tokio::test]
async fn only_reads_are_sent_twice() {
    let cases: [(&str, Body, usize); 5] = [
        ("GET", nothing(), 2),
        ("HEAD", nothing(), 2),
        ("GET", text("body"), 1),
        ("POST", text("body"), 1),
        ("DELETE", nothing(), 1),
    ];
    for (method, body, times) in cases {
        let breaking = Breaking::default();
        let count = Arc::clone(&breaking.0);
        let upstream = Upstream::dialled("c-2", Arc::new(breaking), LONG);
        let response = ask(&upstream, method, LIST, body).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(count.load(Ordering::SeqCst), times, "{method}");
    }
}

#[tokio::test]
async fn a_watch_on_a_dialled_stream_ends_with_its_client() {
    let alive = Arc::default();
    let upstream = dialled_upstream(watching(false, &Arc::default(), &alive));
    let mut response = ask(&upstream, "GET", WATCH, nothing()).await;
    response.frame().await.unwrap().unwrap();
    assert_eq!(alive.load(Ordering::SeqCst), 1);
    drop(response);
    eventually("the watch has ended", || alive.load(Ordering::SeqCst) == 0).await;
}

struct Unreachable;

#[async_trait]
impl Dial for Unreachable {
    async fn dial(&self) -> std::io::Result<Box<dyn Stream>> {
        Err(std::io::Error::other("no agent is connected"))
    }
}

#[tokio::test]
async fn a_dialler_says_why_there_is_no_stream() {
    let upstream = Upstream::dialled("c-2", Arc::new(Unreachable), LONG);
    let status = status(ask(&upstream, "POST", LIST, text("body")).await).await;
    assert_eq!(status["code"], 503);
    assert!(status["message"].as_str().unwrap().contains("no agent is connected"));
}
