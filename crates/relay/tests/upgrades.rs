//! Switches of protocols, against a server that echoes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::allow_attributes,
    reason = "a test that cannot go on ends"
)]

mod support;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use http::{HeaderMap, Response, StatusCode};
use hyper_util::rt::TokioIo;
use relay::{Credentials, Dial, Ending, Stream, Upstream};
use support::{
    Handler, LONG, Server, connect, eventually, front, front_until, handler, nothing, speak_http1, text,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PATH: &str = "/api/v1/namespaces/a/pods/b/exec";

/// What the upstream saw.
#[derive(Default)]
struct Seen {
    headers: Mutex<HeaderMap>,
    /// Echoes that have ended.
    ended: AtomicUsize,
}

/// Switches whatever is asked for, greets at once, echoes until the end, and then says goodbye.
fn echo(seen: &Arc<Seen>) -> Handler {
    let seen = Arc::clone(seen);
    handler(move |mut request| {
        let seen = Arc::clone(&seen);
        async move {
            *seen.headers.lock().unwrap() = request.headers().clone();
            let protocol = request.headers()["upgrade"].clone();
            let upgrade = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                let mut stream = TokioIo::new(upgrade.await.unwrap());
                let _ = echo_all(&mut stream).await;
                seen.ended.fetch_add(1, Ordering::SeqCst);
            });
            let response = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
            let response = response.header("connection", "upgrade").header("upgrade", protocol);
            response.header("x-stream-protocol-version", "v4.channel.k8s.io").body(nothing()).unwrap()
        }
    })
}

async fn echo_all<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    stream: &mut T,
) -> std::io::Result<()> {
    stream.write_all(b"hello ").await?;
    stream.flush().await?;
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer).await? {
            0 => break,
            read => stream.write_all(&buffer[..read]).await?,
        }
        stream.flush().await?;
    }
    stream.write_all(b" goodbye").await?;
    stream.shutdown().await
}

fn handshake(method: &str, protocol: &str, extra: &str) -> String {
    format!(
        "{method} {PATH}?command=sh HTTP/1.1\r\nHost: hub\r\nConnection: keep-alive, Upgrade\r\nUpgrade: {protocol}\r\n\
         X-Stream-Protocol-Version: v4.channel.k8s.io\r\nContent-Length: 0\r\nAuthorization: Bearer own\r\n\
         Impersonate-User: admin\r\n{extra}\r\n"
    )
}

/// The head of an answer; what follows stays in the stream.
async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

async fn tls_front(seen: &Arc<Seen>) -> (Server, SocketAddr) {
    let server = Server::start(echo(seen)).await;
    let address = front(server.upstream(LONG), Credentials::bearer("hub").unwrap()).await;
    (server, address)
}

#[tokio::test]
async fn early_data_and_the_half_that_is_still_open_arrive() {
    let seen = Arc::default();
    let (server, address) = tls_front(&seen).await;
    let mut stream = connect(address).await;
    let early = handshake("POST", "SPDY/3.1", "") + "early";
    stream.write_all(early.as_bytes()).await.unwrap();
    let head = head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    assert!(head.to_ascii_lowercase().contains("x-stream-protocol-version: v4.channel.k8s.io"), "{head}");
    stream.write_all(b" late").await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(rest(&mut stream).await, "hello early late goodbye");
    let headers = seen.headers.lock().unwrap().clone();
    assert_eq!(headers["authorization"], "Bearer hub");
    assert_eq!(headers["upgrade"], "SPDY/3.1");
    assert_eq!(headers["host"], server.address.to_string());
    assert!(!headers.contains_key("impersonate-user"));
}

#[tokio::test]
async fn a_switched_stream_that_has_to_end_is_cut_off_on_both_sides() {
    let seen = Arc::default();
    let server = Server::start(echo(&seen)).await;
    let (cut, end) = tokio::sync::watch::channel(false);
    let end = move || {
        let mut end = end.clone();
        async move {
            drop(end.wait_for(|is_cut| *is_cut).await);
            Ending::CutOff
        }
    };
    let address = front_until(server.upstream(LONG), Credentials::none(), end).await;
    let mut stream = connect(address).await;
    stream.write_all(handshake("POST", "SPDY/3.1", "").as_bytes()).await.unwrap();
    assert!(head(&mut stream).await.starts_with("HTTP/1.1 101"));
    let mut greeting = [0; 6];
    stream.read_exact(&mut greeting).await.unwrap();
    assert_eq!(seen.ended.load(Ordering::SeqCst), 0);
    cut.send(true).unwrap();
    assert_eq!(rest(&mut stream).await, "");
    eventually("the stream has ended upstream", || seen.ended.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test]
async fn a_web_socket_loses_its_token_on_the_way() {
    let seen = Arc::default();
    let (_server, address) = tls_front(&seen).await;
    let mut stream = connect(address).await;
    let token = "base64url.bearer.authorization.k8s.io.c2VjcmV0";
    let extra = format!(
        "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: {token}, v5.channel.k8s.io\r\nOrigin: https://evil.example.com\r\n"
    );
    stream.write_all(handshake("GET", "websocket", &extra).as_bytes()).await.unwrap();
    assert!(head(&mut stream).await.starts_with("HTTP/1.1 101"));
    let headers = seen.headers.lock().unwrap().clone();
    assert_eq!(headers["sec-websocket-protocol"], "v5.channel.k8s.io");
    assert!(headers.contains_key("sec-websocket-key") && !headers.contains_key("origin"));
}

#[tokio::test]
async fn the_end_of_a_client_ends_the_stream_upstream() {
    let seen: Arc<Seen> = Arc::default();
    let (_server, address) = tls_front(&seen).await;
    let mut stream = connect(address).await;
    stream.write_all(handshake("POST", "SPDY/3.1", "").as_bytes()).await.unwrap();
    head(&mut stream).await;
    // Unread data makes the system reset the connection.
    drop(stream);
    eventually("the echo has ended", || seen.ended.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test]
async fn much_data_passes_both_ways() {
    let seen = Arc::default();
    let (_server, address) = tls_front(&seen).await;
    let mut stream = connect(address).await;
    stream.write_all(handshake("POST", "SPDY/3.1", "").as_bytes()).await.unwrap();
    head(&mut stream).await;
    let (mut reader, mut writer) = stream.into_split();
    let sent: Vec<u8> =
        (0..4_000_000_u32).map(|number| number.to_le_bytes()[0] ^ number.to_le_bytes()[1]).collect();
    let expected = [b"hello ", &sent[..], b" goodbye"].concat();
    let writing = tokio::spawn(async move {
        writer.write_all(&sent).await.unwrap();
        writer.shutdown().await.unwrap();
    });
    let mut received = Vec::new();
    reader.read_to_end(&mut received).await.unwrap();
    writing.await.unwrap();
    assert!(received == expected);
}

#[tokio::test]
async fn an_upstream_that_does_not_switch_answers_as_always() {
    let server =
        Server::start(handler(|_| async { Response::builder().status(403).body(text("no")).unwrap() })).await;
    let address = front(server.upstream(LONG), Credentials::none()).await;
    let mut stream = connect(address).await;
    // What follows is no way into the connection upstream: it is another request of ours (CVE-2018-1002105).
    let attack = handshake("POST", "SPDY/3.1", "");
    stream.write_all(attack.as_bytes()).await.unwrap();
    let answer = head(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(!answer.to_ascii_lowercase().contains("upgrade"), "{answer}");
}

#[tokio::test]
async fn a_switch_that_was_not_asked_for_is_a_failure() {
    let unasked = handler(|_| async {
        let response = Response::builder().status(101).header("connection", "upgrade");
        response.header("upgrade", "SPDY/3.1").body(nothing()).unwrap()
    });
    let server = Server::start(unasked).await;
    let address = front(server.upstream(LONG), Credentials::none()).await;
    let mut stream = connect(address).await;
    stream.write_all(handshake("GET", "websocket", "").as_bytes()).await.unwrap();
    let answer = head(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
}

struct InMemory(Handler);

#[async_trait]
impl Dial for InMemory {
    async fn dial(&self) -> std::io::Result<Box<dyn Stream>> {
        let (ours, theirs) = tokio::io::duplex(16 * 1024);
        tokio::spawn(speak_http1(theirs, Arc::clone(&self.0)));
        Ok(Box::new(ours))
    }
}

#[tokio::test]
async fn a_dialled_stream_switches_too() {
    let seen = Arc::default();
    let upstream = Arc::new(Upstream::dialled("c-2", Arc::new(InMemory(echo(&seen))), LONG));
    let credentials = Credentials::none().impersonating("olga", ["team"]).unwrap();
    let mut stream = connect(front(upstream, credentials).await).await;
    stream.write_all((handshake("GET", "SPDY/3.1", "") + "early").as_bytes()).await.unwrap();
    assert!(head(&mut stream).await.starts_with("HTTP/1.1 101"));
    stream.shutdown().await.unwrap();
    assert_eq!(rest(&mut stream).await, "hello early goodbye");
    let headers = seen.headers.lock().unwrap().clone();
    assert_eq!(headers["impersonate-user"], "olga");
    assert_eq!(headers["impersonate-group"], "team");
    assert!(!headers.contains_key("authorization"));
}
