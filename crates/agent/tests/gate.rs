//! Who gets through to the API server, and as whom: a small upstream tells what reached it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::allow_attributes,
    reason = "a test that cannot go on ends"
)]

#[path = "../../relay/tests/support/mod.rs"]
mod upstream;
#[path = "../../uplink/tests/world/mod.rs"]
mod world;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use agent::{Cluster, Gate, Keys, Settings, serve};
use authn::{Identity, Issuer};
use base::{Clock, SystemClock};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use clap::Parser;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use jiff::SignedDuration;
use pki::{KeyAlgorithm, ServiceAccountPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use uplink::{Hub, Limits, Proxies};
use upstream::{Server, handler, nothing, text};
use world::hub::TestHub;

const ISSUER: &str = "https://hub.example.com/issuer";
const CLUSTER: &str = "c-1";
const LASTS: SignedDuration = SignedDuration::from_mins(10);

fn key() -> String {
    let pair = ServiceAccountPair::generate(KeyAlgorithm::EcdsaP256).unwrap();
    pair.private_key.expose_pem().to_owned()
}

fn issuer(keys: &[&str]) -> Issuer {
    Issuer::new(ISSUER, keys.iter().copied()).unwrap()
}

fn identity(groups: &[&str]) -> Identity {
    Identity { user: "olga".to_owned(), groups: groups.iter().map(|group| (*group).to_owned()).collect() }
}

fn token(issuer: &Issuer, groups: &[&str]) -> String {
    issuer.issue(&identity(groups), CLUSTER, LASTS, SystemClock.now()).unwrap()
}

/// An agent's gate between a hub that tells keys and an API server that keeps the heads of what it gets.
struct World {
    gate: Arc<Gate>,
    hub: TestHub,
    seen: Arc<Mutex<Vec<HeaderMap>>>,
    directory: tempfile::TempDir,
    _server: Server,
}

impl World {
    async fn new(known: &Issuer) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let server = server(Arc::clone(&seen)).await;
        let authority = world::authority("hub");
        let hub = TestHub::start(&authority, 1).await;
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("token"), "own-token\n").unwrap();
        std::fs::write(directory.path().join("ca.crt"), server.endpoint().authority).unwrap();
        let settings = Settings::parse_from([
            "flotilla-agent".to_owned(),
            format!("--hub={}", hub.url()),
            "--api-server-host=127.0.0.1".to_owned(),
            format!("--api-server-port={}", server.address.port()),
            format!("--service-account={}", directory.path().display()),
        ]);
        let dialer =
            Hub::new(&hub.url(), &authority.pair().certificate, &Proxies::default(), Limits::default())
                .unwrap();
        let keys = serde_json::to_value(known.key_set()).unwrap();
        hub.issuer.lock().unwrap()["keys"] = keys.clone();
        let keys = Keys::new(dialer, ISSUER, CLUSTER, &keys, Arc::new(SystemClock)).unwrap();
        let gate = Arc::new(Gate::new(keys, Cluster::new(&settings).await.unwrap()));
        Self { gate, hub, seen, directory, _server: server }
    }

    /// Sends a request as the hub does, on a stream of its own.
    async fn send(&self, request: Request<Empty<Bytes>>) -> Response<hyper::body::Incoming> {
        let (hub, agent) = tokio::io::duplex(64 << 10);
        tokio::spawn(serve(agent, Arc::clone(&self.gate)));
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(hub)).await.unwrap();
        tokio::spawn(connection.with_upgrades());
        world::within("an answer", sender.send_request(request)).await.unwrap()
    }

    async fn ask(&self, token: &str) -> StatusCode {
        self.send(get(token).body(Empty::new()).unwrap()).await.status()
    }

    fn reached(&self) -> Vec<HeaderMap> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

async fn server(seen: Arc<Mutex<Vec<HeaderMap>>>) -> Server {
    Server::start(handler(move |mut request| {
        seen.lock().unwrap().push(request.headers().clone());
        async move {
            if !request.headers().contains_key("upgrade") {
                return Response::new(text("from the API server"));
            }
            let upgrade = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                let (mut read, mut write) = tokio::io::split(TokioIo::new(upgrade.await.unwrap()));
                let _ = tokio::io::copy(&mut read, &mut write).await;
            });
            let answer = Response::builder().status(101).header("connection", "upgrade");
            answer.header("upgrade", "SPDY/3.1").body(nothing()).unwrap()
        }
    }))
    .await
}

fn get(token: &str) -> http::request::Builder {
    Request::get("/api/v1/namespaces/default/pods")
        .header("host", "c-1")
        .header("authorization", format!("Bearer {token}"))
}

fn values(headers: &HeaderMap, name: &str) -> Vec<String> {
    headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_let_in_by_the_agents_token_as_whom_the_hub_names() {
    let issuer = issuer(&[&key()]);
    let world = World::new(&issuer).await;
    let token = token(&issuer, &["flotilla:cluster:admin", "system:masters", "flotilla:project:p-1:view"]);
    let answer = world.send(get(&token).body(Empty::new()).unwrap()).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "from the API server");
    let reached = world.reached();
    assert_eq!(values(&reached[0], "authorization"), ["Bearer own-token"]);
    assert_eq!(values(&reached[0], "impersonate-user"), ["flotilla:user:olga"]);
    assert_eq!(
        values(&reached[0], "impersonate-group"),
        ["flotilla:cluster:admin", "flotilla:project:p-1:view"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_client_claims_to_be_does_not_count() {
    let issuer = issuer(&[&key()]);
    let world = World::new(&issuer).await;
    let request = get(&token(&issuer, &[]))
        .header("impersonate-user", "system:admin")
        .header("Impersonate-Group", "system:masters")
        .header("impersonate-uid", "1")
        .header("impersonate-extra-scopes", "all")
        .header("x-remote-user", "admin")
        .header("x-remote-group", "system:masters")
        .header("x-forwarded-client-cert", "x")
        .header("connection", "authorization, impersonate-user");
    assert_eq!(world.send(request.body(Empty::new()).unwrap()).await.status(), 200);
    let reached = world.reached();
    assert_eq!(values(&reached[0], "impersonate-user"), ["flotilla:user:olga"]);
    assert_eq!(values(&reached[0], "authorization"), ["Bearer own-token"]);
    let names = [
        "impersonate-group",
        "impersonate-uid",
        "impersonate-extra-scopes",
        "x-remote-user",
        "x-remote-group",
    ];
    for name in names {
        assert!(values(&reached[0], name).is_empty(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn identities_that_are_forged_expired_or_of_another_cluster_are_refused() {
    let (own, other) = (issuer(&[&key()]), issuer(&[&key()]));
    let world = World::new(&own).await;
    let now = SystemClock.now();
    let good = token(&own, &["flotilla:cluster:admin"]);
    let parts: Vec<&str> = good.split('.').collect();
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let symmetric = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let masters =
        URL_SAFE_NO_PAD.encode(r#"{"iss":"x","sub":"a","aud":"c-1","exp":9999999999,"groups":["x"]}"#);
    let forged = [
        own.issue(&identity(&[]), CLUSTER, LASTS, now - LASTS - LASTS).unwrap(),
        own.issue(&identity(&[]), CLUSTER, LASTS, now + LASTS).unwrap(),
        own.issue(&identity(&[]), "c-2", LASTS, now).unwrap(),
        token(&other, &["flotilla:cluster:admin"]),
        Issuer::new("https://evil.example.com", [key().as_str()])
            .unwrap()
            .issue(&identity(&[]), CLUSTER, LASTS, now)
            .unwrap(),
        format!("{none}.{}.", parts[1]),
        format!("{none}.{masters}."),
        format!("{symmetric}.{}.{}", parts[1], parts[2]),
        format!("{}.{masters}.{}", parts[0], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        "flotilla_agent_a_b".to_owned(),
        "x".repeat(20_000),
    ];
    for token in &forged {
        let answer = world.send(get(token).body(Empty::new()).unwrap()).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{token}");
        let status: serde_json::Value =
            serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap();
        assert_eq!((&status["kind"], &status["code"]), (&"Status".into(), &401.into()), "{token}");
    }
    let without = Request::get("/version").header("host", "c-1").body(Empty::new()).unwrap();
    assert_eq!(world.send(without).await.status(), StatusCode::UNAUTHORIZED);
    let twice = get(&good).header("authorization", format!("Bearer {good}")).body(Empty::new()).unwrap();
    assert_eq!(world.send(twice).await.status(), StatusCode::UNAUTHORIZED);
    assert!(world.reached().is_empty());
    assert_eq!(world.ask(&good).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_asked_for_when_one_is_unknown_but_not_at_every_wrong_token() {
    let (old, new, foreign) = (key(), key(), key());
    let world = World::new(&issuer(&[&old])).await;
    let both = issuer(&[&new, &old]);
    world.hub.issuer.lock().unwrap()["keys"] = serde_json::to_value(both.key_set()).unwrap();
    let fresh = token(&both, &[]);
    let asked = futures::future::join_all((0..8).map(|_| world.ask(&fresh))).await;
    assert!(asked.iter().all(|status| *status == 200), "{asked:?}");
    let times = world.hub.asked_for_keys.load(Ordering::SeqCst);
    for _ in 0..20 {
        assert_eq!(world.ask(&token(&issuer(&[&foreign]), &[])).await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!((times, world.hub.asked_for_keys.load(Ordering::SeqCst)), (1, 1));
    assert_eq!(world.ask(&token(&issuer(&[&old]), &[])).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_that_two_programs_may_read_in_two_ways_go_nowhere() {
    let issuer = issuer(&[&key()]);
    let world = World::new(&issuer).await;
    for path in ["/api/v1/../../metrics", "/api/v1/namespaces/a%2f..%2fb/pods", "//api"] {
        let request = Request::get(path).header("host", "c-1");
        let request = request.header("authorization", format!("Bearer {}", token(&issuer, &[])));
        let answer = world.send(request.body(Empty::new()).unwrap()).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{path}");
    }
    assert!(world.reached().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_carries_bytes_both_ways_in_the_name_of_the_user() {
    let issuer = issuer(&[&key()]);
    let world = World::new(&issuer).await;
    let request = Request::post("/api/v1/namespaces/default/pods/a/exec?command=sh&stdin=true")
        .header("host", "c-1")
        .header("authorization", format!("Bearer {}", token(&issuer, &["flotilla:cluster:admin"])))
        .header("connection", "Upgrade")
        .header("upgrade", "SPDY/3.1")
        .header("x-stream-protocol-version", "v4.channel.k8s.io");
    let answer = world.send(request.body(Empty::new()).unwrap()).await;
    assert_eq!(answer.status(), StatusCode::SWITCHING_PROTOCOLS);
    let mut shell = TokioIo::new(hyper::upgrade::on(answer).await.unwrap());
    shell.write_all(b"ls\n").await.unwrap();
    let mut back = [0; 3];
    world::within("the echo", shell.read_exact(&mut back)).await.unwrap();
    assert_eq!(&back, b"ls\n");
    let reached = world.reached();
    assert_eq!(values(&reached[0], "impersonate-user"), ["flotilla:user:olga"]);
    assert_eq!(values(&reached[0], "impersonate-group"), ["flotilla:cluster:admin"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_of_its_own_the_agent_says_so_and_sends_nothing() {
    let issuer = issuer(&[&key()]);
    let world = World::new(&issuer).await;
    std::fs::remove_file(world.directory.path().join("token")).unwrap();
    assert_eq!(world.ask(&token(&issuer, &[])).await, StatusCode::SERVICE_UNAVAILABLE);
    assert!(world.reached().is_empty());
}
