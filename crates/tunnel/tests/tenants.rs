//! What keeps tenants apart, attacked.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::allow_attributes,
    reason = "a test that cannot go on ends"
)]

mod world;

use std::time::Duration;

use base::{Clock, SystemClock};
use pki::{CertificatePlan, KeyAlgorithm};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};
use tonic::Code;
use tunnel::Limits;
use world::agents::{LightAgent, RealAgent};
use world::client::{self, connect, handshake, request};
use world::servers::{echo, serve};
use world::tokens::{self, claims_with, confused, encoded, token};
use world::{TenantWorld, Tunnel, authority, client_pair, eventually};

/// How a connection with this token ends; the agent trusts the authority of its tenant.
async fn refusal(tunnel: &Tunnel, tenant: &TenantWorld, token: Option<&str>) -> Option<tonic::Status> {
    LightAgent::connect(tunnel.agents, tenant, &tenant.alpn(), token, "mallory").await.err()
}

fn assert_refused(status: Option<tonic::Status>, what: &str) {
    let status = status.unwrap_or_else(|| panic!("{what} was let in"));
    assert_eq!(status.code(), Code::Unauthenticated, "{what}: {status}");
}

#[tokio::test]
async fn only_a_token_that_says_all_the_right_things_is_taken() {
    let tunnel = Tunnel::start().await;
    let tenant = tunnel.tenant("a");
    let other = tunnel.tenant("b");
    assert!(refusal(&tunnel, &tenant, Some(&tenant.token())).await.is_none(), "the right one is taken");
    let now = SystemClock.now().as_second();
    let wrong: [(&str, Value); 12] = [
        ("aud", json!(["https://kubernetes.default.svc"])),
        ("aud", Value::Null),
        ("aud", json!([])),
        ("iss", json!("https://elsewhere")),
        ("iss", Value::Null),
        ("sub", json!("system:serviceaccount:kube-system:default")),
        ("sub", json!("system:serviceaccount:default:konnectivity-agent")),
        ("sub", Value::Null),
        ("exp", json!(now - 1)),
        ("exp", Value::Null),
        ("exp", json!("never")),
        ("nbf", json!(now + 3600)),
    ];
    for (key, value) in wrong {
        let bad = token(&tenant.keys, &claims_with(key, value.clone()));
        assert_refused(refusal(&tunnel, &tenant, Some(&bad)).await, &format!("{key}: {value}"));
    }
    assert_refused(refusal(&tunnel, &tenant, Some(&other.token())).await, "another tenant's token");
    assert_refused(refusal(&tunnel, &tenant, None).await, "no token");
    assert_refused(refusal(&tunnel, &tenant, Some("nonsense")).await, "nonsense");
    assert!(
        tunnel.metric("flotilla_tunnel_refusals_total{side=\"agent\"}").unwrap().parse::<u32>().unwrap()
            >= 14
    );
}

#[tokio::test]
async fn signatures_are_not_negotiable() {
    let tunnel = Tunnel::start().await;
    for (uid, algorithm) in [("ec", KeyAlgorithm::EcdsaP256), ("rsa", KeyAlgorithm::Rsa2048)] {
        let tenant = TenantWorld::new(uid, algorithm);
        tunnel.know(&tenant);
        let right = tenant.token();
        assert!(refusal(&tunnel, &tenant, Some(&right)).await.is_none(), "{uid}");
        let mut parts: Vec<String> = right.split('.').map(str::to_owned).collect();
        let mut forge = |place: usize, text: String| {
            let kept = std::mem::replace(&mut parts[place], text);
            let forged = parts.join(".");
            parts[place] = kept;
            forged
        };
        for algorithm in ["none", "None", "NONE", "", "HS256", "EdDSA", "PS256", "ES384", "RS512"] {
            let forged = forge(0, encoded(&json!({ "alg": algorithm })));
            assert_refused(refusal(&tunnel, &tenant, Some(&forged)).await, algorithm);
        }
        let more = claims_with("exp", json!(SystemClock.now().as_second() + 999_999));
        assert_refused(refusal(&tunnel, &tenant, Some(&forge(1, encoded(&more)))).await, "other claims");
        assert_refused(refusal(&tunnel, &tenant, Some(&forge(2, String::new()))).await, "no signature");
        assert_refused(refusal(&tunnel, &tenant, Some(&forge(2, "AAAA".repeat(16)))).await, "a made-up one");
        assert_refused(refusal(&tunnel, &tenant, Some(&confused(&tenant.keys))).await, "a shared secret");
        let unsigned = format!("{}.{}.", encoded(&json!({"alg": "none"})), encoded(&tokens::claims()));
        assert_refused(refusal(&tunnel, &tenant, Some(&unsigned)).await, "alg none");
    }
}

#[tokio::test]
async fn two_tokens_are_none() {
    let tunnel = Tunnel::start().await;
    let (a, b) = (tunnel.tenant("a"), tunnel.tenant("b"));
    let tokens = [format!("Bearer {}", a.token()), format!("Bearer {}", b.token())];
    let headers = [("authorization", tokens[0].as_str()), ("authorization", tokens[1].as_str())];
    let outcome = LightAgent::connect_with(tunnel.agents, &a, &a.alpn(), &headers, "m").await;
    assert_refused(outcome.err(), "two tokens");
    let basic = tokens[0].replace("Bearer", "Basic");
    let outcome =
        LightAgent::connect_with(tunnel.agents, &a, &a.alpn(), &[("authorization", &basic)], "m").await;
    assert_refused(outcome.err(), "another scheme");
}

#[tokio::test]
async fn a_token_of_one_tenant_opens_nothing_behind_the_alpn_of_another() {
    let tunnel = Tunnel::start().await;
    let (a, b) = (tunnel.tenant("a"), tunnel.tenant("b"));
    // The attacker trusts whatever it is shown: here B's certificate.
    let outcome = LightAgent::connect(tunnel.agents, &b, &b.alpn(), Some(&a.token()), "mallory").await;
    assert_refused(outcome.err(), "A's token with B's ALPN");
    // B's agents are not A's: the certificate that they are shown is not of A's authority.
    let outcome = LightAgent::connect(tunnel.agents, &a, &b.alpn(), Some(&a.token()), "mallory").await;
    assert_eq!(outcome.err().expect("let in").code(), Code::Unavailable);
    for alpn in ["flotilla-", "flotilla-c", "flotilla", "h2", "flotilla-tunnel-server", "flotilla-../a"] {
        let outcome = LightAgent::connect(tunnel.agents, &a, alpn, Some(&a.token()), "mallory").await;
        assert_eq!(outcome.err().expect(alpn).code(), Code::Unavailable, "{alpn}");
    }
    let refusal = connect(&tunnel, "b", "127.0.0.1:1").await.unwrap_err();
    assert!(refusal.contains("503 no agent of tenant tenants/b"), "{refusal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_released_agent_with_a_foreign_token_gets_nowhere() {
    let tunnel = Tunnel::start().await;
    let (a, b) = (tunnel.tenant("a"), tunnel.tenant("b"));
    let agent = RealAgent::start(tunnel.agents, &b, &a.token(), &b.alpn(), &[]);
    eventually("the agent to be refused", async || {
        let refusals = tunnel.metric("flotilla_tunnel_refusals_total{side=\"agent\"}");
        // The agent does not print what it is told.
        let is_told = agent.log().contains("expected one server ID in the context, got []");
        if is_told && refusals.is_some() { Ok(()) } else { Err(agent.log()) }
    })
    .await;
    assert!(!agent.log().contains("successfully connected"), "{}", agent.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_reaches_agents_of_its_own_tenant_only() {
    let tunnel = Tunnel::start().await;
    let (a, b) = (tunnel.tenant("a"), tunnel.tenant("b"));
    let _agent = RealAgent::of(tunnel.agents, &b);
    let server = serve(echo).await;
    eventually("B's own stream", async || connect(&tunnel, "b", server.address).await).await;
    let refusal = connect(&tunnel, "a", server.address).await.unwrap_err();
    assert!(refusal.contains("503 no agent of tenant tenants/a is connected"), "{refusal}");
    // Both have agents: A's dials come to A's agent.
    let mut light = LightAgent::of(tunnel.agents, &a).await;
    let (dial, asked) = tokio::join!(connect(&tunnel, "a", server.address), async {
        let (address, random) = light.dialled().await;
        light.refuse(random, "not here");
        address
    });
    assert_eq!(asked, server.address.to_string());
    assert!(dial.unwrap_err().contains("502"), "A's API server got a stream of B");
}

#[tokio::test]
async fn without_the_right_certificate_no_request_is_read() {
    let tunnel = Tunnel::start().await;
    let tenant = tunnel.tenant("a");
    let _agent = LightAgent::of(tunnel.agents, &tenant).await;
    let ask = "CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n";
    // In TLS 1.3 the refusal comes after the client's handshake.
    let attempt = async |pair: Option<&pki::Pair>| match handshake(&tunnel, pair).await {
        Ok(tls) => request(tls, ask).await.expect_err("a stream"),
        Err(error) => error,
    };
    let foreign = client_pair(&authority("flotilla-tunnel"), "a");
    let of_tenant = client_pair(&tenant.authority, "a");
    let ended = CertificatePlan {
        validity: jiff::SignedDuration::from_secs(-10),
        ..CertificatePlan::client("a", [tunnel::ORGANIZATION])
    };
    let ended = ended.issue(&tunnel.authority, SystemClock.now()).unwrap();
    for (what, pair) in [
        ("none", None),
        ("another authority's", Some(&foreign)),
        ("the tenant's", Some(&of_tenant)),
        ("an old one", Some(&ended)),
    ] {
        let error = attempt(pair).await;
        assert!(!error.starts_with("HTTP/"), "{what}: {error}");
    }
    // Of the right authority, but not an API server's.
    for plan in [
        CertificatePlan::client("a", ["system:masters"]),
        CertificatePlan::client("a", [""; 0]),
        CertificatePlan::client("a", [tunnel::ORGANIZATION, "another"]),
        CertificatePlan::client("", [tunnel::ORGANIZATION]),
    ] {
        let pair = plan.issue(&tunnel.authority, SystemClock.now()).unwrap();
        let error = attempt(Some(&pair)).await;
        assert!(error.starts_with("HTTP/1.1 403 the client certificate names no tenant"), "{error}");
    }
    let server = CertificatePlan::server("a", vec!["a".to_owned()], Vec::new())
        .issue(&tunnel.authority, SystemClock.now())
        .unwrap();
    assert!(!attempt(Some(&server)).await.starts_with("HTTP/1.1 200"));
    let unknown = client_pair(&tunnel.authority, "nobody");
    assert!(attempt(Some(&unknown)).await.starts_with("HTTP/1.1 403 no tenant with uid nobody"));
}

#[tokio::test]
async fn strangers_are_sent_away_in_time() {
    let limits = Limits {
        handshake: Duration::from_millis(300),
        admission: Duration::from_millis(500),
        handshakes: 4,
        ..Limits::default()
    };
    let tunnel = Tunnel::start_with(limits, "tunnel-0", 1).await;
    let tenant = tunnel.tenant("a");
    // Those who say nothing, more than there are places.
    let mut silent = Vec::new();
    for address in [tunnel.agents, tunnel.api_servers].repeat(6) {
        silent.push(tokio::net::TcpStream::connect(address).await.unwrap());
    }
    // Those who shake hands and show no token.
    let config = client::client_config(&tenant.authority.pair().certificate, None, &[&tenant.alpn(), "h2"]);
    let mut tls = client::tls(tunnel.agents, config).await.unwrap();
    tls.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let begin = Instant::now();
    let mut rest = Vec::new();
    let _ = timeout(Duration::from_secs(10), tls.read_to_end(&mut rest)).await.expect("it may stay");
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
    for mut stream in silent {
        let end = timeout(Duration::from_secs(10), stream.read(&mut [0; 64])).await.expect("it may stay");
        assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    }
    // A right one is served after all that, and stays.
    let mut agent = LightAgent::of(tunnel.agents, &tenant).await;
    assert!(timeout(Duration::from_millis(1500), agent.next()).await.is_err(), "an agent was sent away");
}
