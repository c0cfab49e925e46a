//! Agents that keep to no rule lose their own connection, and nobody else notices.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::allow_attributes,
    reason = "a test that cannot go on ends"
)]

mod world;

use std::sync::Arc;
use std::time::Duration;

use base::SystemClock;
use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;
use uplink::{End, Limits, Report, Reporter, Session, Sessions, Side};
use world::{agent, echo, eventually, within};

/// A hub with a well-behaved cluster `good`.
struct Hub {
    sessions: Sessions,
    good: JoinHandle<End>,
}

impl Hub {
    async fn start(limits: Limits) -> Self {
        let sessions = Sessions::new(limits, Arc::new(SystemClock));
        let (good, socket) = accept(&sessions, "good");
        let (session, incoming, driver) = Session::start(socket, Vec::new(), Side::Agent, &limits).await;
        tokio::spawn(driver);
        tokio::spawn(agent::serve(session, incoming));
        eventually("the good cluster connects", || async { sessions.is_connected("good") }).await;
        Self { sessions, good }
    }

    /// A raw WebSocket as the agent of cluster `bad`.
    async fn raw(&self) -> (JoinHandle<End>, WebSocketStream<DuplexStream>) {
        let (end, socket) = accept(&self.sessions, "bad");
        (end, WebSocketStream::from_raw_socket(socket, Role::Client, None).await)
    }

    /// An agent of cluster `bad` that speaks the protocol well.
    async fn session(&self) -> (JoinHandle<End>, Session) {
        let (end, socket) = accept(&self.sessions, "bad");
        let (session, _, driver) = Session::start(socket, Vec::new(), Side::Agent, &Limits::default()).await;
        tokio::spawn(driver);
        (end, session)
    }

    async fn assert_unharmed(&self) {
        assert!(!self.good.is_finished());
        let stream = self.sessions.open("good").await.unwrap();
        assert_eq!(echo(stream, b"hello").await.unwrap(), b"hello");
        eventually("the bad cluster is gone", || async { !self.sessions.is_connected("bad") }).await;
    }
}

fn accept(sessions: &Sessions, cluster: &str) -> (JoinHandle<End>, DuplexStream) {
    let (own, other) = tokio::io::duplex(64 << 10);
    let (sessions, reservation) = (sessions.clone(), sessions.reserve(cluster));
    let end = tokio::spawn(async move { Box::pin(sessions.accept(reservation, "run", own, |_| {})).await });
    (end, other)
}

fn quick() -> Limits {
    let second = Duration::from_secs(1);
    Limits { heartbeat: second / 10, silence: second / 2, introduction: second / 2, ..Limits::default() }
}

/// A head of yamux: kind, flags, stream, length.
fn head(kind: u8, flags: u16, stream: u32, length: u32) -> Vec<u8> {
    let mut bytes = vec![0, kind];
    bytes.extend(flags.to_be_bytes());
    bytes.extend(stream.to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes
}

const SYN: u16 = 1;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_yamux_ends_the_connection_of_its_sender_only() {
    let hub = Hub::start(Limits::default()).await;
    let first_body = [head(0, SYN, 2, 300 << 10), vec![0; 300 << 10]].concat();
    let beyond_window = [head(0, SYN, 2, 1), vec![0], head(0, 0, 2, 300 << 10), vec![0; 300 << 10]].concat();
    let garbage: Vec<Vec<u8>> = vec![
        vec![0xff; 64],
        b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n".to_vec(),
        // A length of 4 GiB.
        head(0, SYN, 2, u32::MAX),
        first_body,
        beyond_window,
        // A number that only the hub may give; one that is taken; that of no stream, with what is no report.
        head(1, SYN, 1, 0),
        [head(1, SYN, 2, 0), head(1, SYN, 2, 0)].concat(),
        [head(0, SYN, 0, 2), b"x\n".to_vec()].concat(),
        // A window beyond all numbers.
        [head(1, SYN, 2, 0), head(1, 0, 2, u32::MAX)].concat(),
        head(1, SYN, 2, u32::MAX),
        // An answer to a ping that was never sent; the end.
        head(2, 2, 0, 4711),
        head(3, 0, 0, 0),
    ];
    for (number, bytes) in garbage.into_iter().enumerate() {
        let (end, mut socket) = hub.raw().await;
        for piece in bytes.chunks(32 << 10) {
            let _ = socket.send(Message::Binary(piece.to_vec().into())).await;
        }
        let end = within(&format!("the end of garbage {number}"), end).await.unwrap();
        assert!(matches!(end, End::Broken(_) | End::Closed | End::Report(_)), "garbage {number}: {end:?}");
        hub.assert_unharmed().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_binary_message_ends_the_connection() {
    let hub = Hub::start(Limits::default()).await;
    for message in [Message::text("hello"), Message::Binary(vec![0; 100 << 10].into()), Message::Close(None)]
    {
        let (end, mut socket) = hub.raw().await;
        let _ = socket.send(message).await;
        let end = within("the end", end).await.unwrap();
        assert!(matches!(end, End::Broken(_) | End::Closed), "{end:?}");
        hub.assert_unharmed().await;
    }
    let (end, mut socket) = accept(&hub.sessions, "bad");
    socket.write_all(&[0xff; 4096]).await.unwrap();
    assert!(matches!(within("the end", end).await.unwrap(), End::Broken(_)));
    hub.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_pings_and_empty_frames_is_borne() {
    let hub = Hub::start(Limits::default()).await;
    let (end, socket) = hub.raw().await;
    let (mut send, mut receive) = socket.split();
    let reader = tokio::spawn(async move { while let Some(Ok(_)) = receive.next().await {} });
    send.send(Message::Binary(head(1, SYN, 2, 0).into())).await.unwrap();
    for _ in 0..2_000 {
        let frames = [head(2, SYN, 0, 7), head(0, 0, 2, 0), head(1, 0, 9, 1), head(0, 0, 11, 0)].concat();
        send.feed(Message::Binary(frames.into())).await.unwrap();
        send.feed(Message::Ping(Vec::new().into())).await.unwrap();
    }
    send.flush().await.unwrap();
    eventually("it counts as connected", || async { hub.sessions.is_connected("bad") }).await;
    drop((send, reader));
    end.abort();
    hub.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_beyond_that_of_reports_are_reset_and_many_end_the_connection() {
    let hub = Hub::start(Limits::default()).await;
    let (end, session) = hub.session().await;
    let mut reports = session.open().await.unwrap();
    reports.write_all(b"{\"type\":\"status\"}\n").await.unwrap();
    let mut refused = session.open().await.unwrap();
    refused.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let reset = within("the reset", refused.read(&mut [0; 8])).await;
    assert_eq!(reset.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert!(hub.sessions.is_connected("bad"));
    for _ in 0..100 {
        let Ok(mut stream) = session.open().await else { break };
        let _ = stream.write_all(b"x").await;
    }
    assert!(matches!(within("the end", end).await.unwrap(), End::Broken(_)));
    hub.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_that_are_none_end_the_connection() {
    let hub = Hub::start(Limits::default()).await;
    let endless = vec![b'x'; 300 << 10];
    let deep = format!("{{\"type\":{}\n", "[".repeat(100_000)).into_bytes();
    for report in [
        b"hello\n".to_vec(),
        b"{\"type\":\"status\",\"totals\":7}\n".to_vec(),
        vec![0xff, b'\n'],
        endless,
        deep,
    ] {
        let (end, session) = hub.session().await;
        let mut stream = session.open().await.unwrap();
        let _ = stream.write_all(&report).await;
        let end = within("the end", end).await.unwrap();
        assert!(matches!(end, End::Report(_)), "{end:?}");
        hub.assert_unharmed().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agent_says_just_before_its_end_arrives() {
    let sessions = Sessions::new(Limits::default(), Arc::new(SystemClock));
    for _ in 0..50 {
        let (own, other) = tokio::io::duplex(64 << 10);
        let (heard, mut reports) = tokio::sync::mpsc::unbounded_channel();
        let (hub, reservation) = (sessions.clone(), sessions.reserve("leaving"));
        let on_report = move |report| heard.send(report).unwrap();
        let end = tokio::spawn(async move { Box::pin(hub.accept(reservation, "run", own, on_report)).await });
        let (session, _, driver) = Session::start(other, Vec::new(), Side::Agent, &Limits::default()).await;
        tokio::spawn(driver);
        let mut reporter = Reporter::new(session.open().await.unwrap());
        reporter.send(&Report::Leaving).await.unwrap();
        session.close();
        within("the end", end).await.unwrap();
        assert!(matches!(reports.recv().await, Some(Report::Leaving)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_says_nothing_does_not_stay() {
    let hub = Hub::start(quick()).await;
    let (end, socket) = accept(&hub.sessions, "bad");
    assert!(matches!(within("the end", end).await.unwrap(), End::Mute | End::Silent));
    drop(socket);
    hub.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_falls_silent_is_lost() {
    let hub = Hub::start(quick()).await;
    let (end, mut socket) = hub.raw().await;
    let report = b"{\"type\":\"status\"}\n";
    let length = u32::try_from(report.len()).unwrap();
    let opened = [head(0, SYN, 2, length), report.to_vec()].concat();
    socket.send(Message::Binary(opened.into())).await.unwrap();
    eventually("it counts as connected", || async { hub.sessions.is_connected("bad") || end.is_finished() })
        .await;
    // Its socket stays open; nobody reads from it, so that no ping is answered.
    assert_eq!(within("the end", end).await.unwrap(), End::Silent);
    hub.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_only_talks_and_never_listens_is_lost() {
    let hub = Hub::start(quick()).await;
    let (end, socket) = accept(&hub.sessions, "bad");
    let (read, write) = tokio::io::split(socket);
    let mut socket =
        WebSocketStream::from_raw_socket(tokio::io::join(tokio::io::empty(), write), Role::Client, None)
            .await;
    let report = b"{\"type\":\"status\"}\n";
    let length = u32::try_from(report.len()).unwrap();
    let opened = [head(0, SYN, 2, length), report.to_vec()].concat();
    let _ = socket.send(Message::Binary(opened.into())).await;
    // Each ping is answered, until nothing more fits into the socket that nobody reads.
    let talk = async { while socket.send(Message::Binary(head(2, SYN, 0, 7).into())).await.is_ok() {} };
    let (ended, ()) = tokio::join!(within("the end", end), talk);
    assert!(matches!(ended.unwrap(), End::Stalled | End::Silent));
    drop(read);
    hub.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_streams_than_allowed_are_open_at_once() {
    let limits = Limits { streams: 4, ..Limits::default() };
    let hub = Hub::start(limits).await;
    let mut open = Vec::new();
    for _ in 0..4 {
        open.push(hub.sessions.open("good").await.unwrap());
    }
    assert!(matches!(hub.sessions.open("good").await, Err(uplink::OpenError::Busy)));
    open.pop();
    assert!(hub.sessions.open("good").await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_connection_of_the_same_run_takes_the_place_of_the_earlier() {
    let hub = Hub::start(Limits::default()).await;
    let (first_end, first) = hub.session().await;
    let mut reports = first.open().await.unwrap();
    reports.write_all(b"{\"type\":\"status\"}\n").await.unwrap();
    eventually("the first counts", || async { hub.sessions.is_connected("bad") }).await;
    let mut events = hub.sessions.subscribe();
    let (second_end, second) = hub.session().await;
    let mut again = second.open().await.unwrap();
    again.write_all(b"{\"type\":\"status\"}\n").await.unwrap();
    assert_eq!(within("the end of the first", first_end).await.unwrap(), End::Asked);
    assert!(hub.sessions.is_connected("bad"));
    // Nobody is told of a loss: the cluster was connected all the time.
    assert!(events.try_recv().is_err());
    second.close();
    assert_eq!(within("the end of the second", second_end).await.unwrap(), End::Closed);
    hub.assert_unharmed().await;
}
