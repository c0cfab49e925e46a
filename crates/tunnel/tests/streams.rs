//! Streams through the agent that is released upstream, unmodified.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::allow_attributes,
    reason = "a test that cannot go on ends"
)]

mod world;

use std::time::Duration;

use pki::KeyAlgorithm;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};
use tunnel::Limits;
use world::agents::RealAgent;
use world::client::{Stream, connect};
use world::servers::{count, echo, flood, serve};
use world::{TenantWorld, Tunnel, eventually};

const PATIENCE: Duration = Duration::from_secs(20);

/// A stream, as soon as the tenant has an agent.
async fn stream(tunnel: &Tunnel, tenant: &TenantWorld, address: impl ToString) -> Stream {
    let address = address.to_string();
    eventually("a stream", async || connect(tunnel, &tenant.uid, &address).await).await
}

async fn echoes(stream: &mut Stream, text: &[u8]) {
    stream.write_all(text).await.unwrap();
    let mut answer = vec![0; text.len()];
    timeout(PATIENCE, stream.read_exact(&mut answer)).await.expect("no answer").unwrap();
    assert_eq!(answer, text);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_pass_both_ways_with_keys_of_both_kinds() {
    let tunnel = Tunnel::start().await;
    let server = serve(echo).await;
    for (uid, algorithm) in [("ecdsa", KeyAlgorithm::EcdsaP256), ("rsa", KeyAlgorithm::Rsa2048)] {
        let tenant = TenantWorld::new(uid, algorithm);
        tunnel.know(&tenant);
        let _agent = RealAgent::of(tunnel.agents, &tenant);
        let mut stream = stream(&tunnel, &tenant, server.address).await;
        echoes(&mut stream, b"hello").await;
        assert_eq!(
            tunnel.metric(&format!("flotilla_tunnel_agents{{tenant=\"tenants/{uid}\"}}")).as_deref(),
            Some("1")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn much_data_arrives_whole_on_many_streams_at_once() {
    let tunnel = Tunnel::start().await;
    let tenant = tunnel.tenant("a");
    let _agent = RealAgent::of(tunnel.agents, &tenant);
    let server = serve(echo).await;
    let mut tasks = tokio::task::JoinSet::new();
    for seed in 0..8_u8 {
        let (mut reader, mut writer) = tokio::io::split(stream(&tunnel, &tenant, server.address).await);
        let sent: Vec<u8> = (0..2_000_000_u32).map(|n| n.wrapping_mul(31).to_le_bytes()[1] ^ seed).collect();
        let expected = sent.clone();
        tasks.spawn(async move { writer.write_all(&sent).await.unwrap() });
        tasks.spawn(async move {
            let mut got = vec![0; expected.len()];
            timeout(Duration::from_mins(1), reader.read_exact(&mut got)).await.expect("stalled").unwrap();
            assert!(got == expected, "stream {seed} is damaged");
        });
    }
    tasks.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_has_sent_all_still_gets_the_answer() {
    let tunnel = Tunnel::start().await;
    let tenant = tunnel.tenant("a");
    let _agent = RealAgent::of(tunnel.agents, &tenant);
    let server = serve(count).await;
    let mut stream = stream(&tunnel, &tenant, server.address).await;
    let mut text = vec![b'x'; 300_000];
    text.push(b'.');
    stream.write_all(&text).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.expect("no answer").unwrap();
    assert_eq!(answer, "300001");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_of_an_agent_that_vanishes_end_at_once_and_not_as_if_complete() {
    let tunnel = Tunnel::start().await;
    let tenant = tunnel.tenant("a");
    let mut agent = RealAgent::of(tunnel.agents, &tenant);
    let server = serve(echo).await;
    let mut stream = stream(&tunnel, &tenant, server.address).await;
    echoes(&mut stream, b"hello").await;
    agent.process.kill();
    agent.process.wait().await;
    let begin = Instant::now();
    let end = timeout(PATIENCE, stream.read_u8()).await.expect("the stream did not end");
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    // An end without TLS's own is no regular end.
    let error = end.unwrap_err();
    assert!(
        error.to_string().contains("close_notify") || error.kind() == std::io::ErrorKind::ConnectionReset,
        "{error}"
    );
    let refusal = connect(&tunnel, "a", server.address).await.unwrap_err();
    assert!(refusal.contains("503 no agent of tenant tenants/a is connected"), "{refusal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_reached_is_told_with_the_agents_reason() {
    let tunnel = Tunnel::start().await;
    let tenant = tunnel.tenant("a");
    let _agent = RealAgent::of(tunnel.agents, &tenant);
    let server = serve(echo).await;
    let _open = stream(&tunnel, &tenant, server.address).await;
    let address = server.address;
    drop(server);
    let refusal = connect(&tunnel, "a", address).await.unwrap_err();
    assert!(refusal.starts_with("HTTP/1.1 502 an agent of tenant tenants/a could not reach"), "{refusal}");
    assert!(refusal.contains("connection refused"), "{refusal}");
    let label = "flotilla_tunnel_dial_failures_total{reason=\"unreachable\"}";
    assert_eq!(tunnel.metric(label).as_deref(), Some("1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_takes_nothing_is_ended_and_its_neighbours_go_on() {
    let tunnel = Tunnel::start().await;
    let tenant = tunnel.tenant("a");
    let _agent = RealAgent::of(tunnel.agents, &tenant);
    let (flooding, echoing) = (serve(flood).await, serve(echo).await);
    let mut neighbour = stream(&tunnel, &tenant, echoing.address).await;
    let mut stalled = stream(&tunnel, &tenant, flooding.address).await;
    assert_eq!(stalled.read_u8().await.unwrap(), 7);
    let mut worst = Duration::ZERO;
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(6) {
        let sent = Instant::now();
        echoes(&mut neighbour, b"still there").await;
        worst = worst.max(sent.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(worst < Duration::from_secs(4), "a neighbour waited {worst:?}");
    assert_eq!(tunnel.metric("flotilla_tunnel_stalled_streams_total").as_deref(), Some("1"));
    let mut rest = Vec::new();
    let end = timeout(PATIENCE, stalled.read_to_end(&mut rest)).await.expect("the stream did not end");
    assert!(end.is_err(), "a stream that was cut must not look complete");
    echoes(&mut neighbour, b"and afterwards").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_is_slow_but_steady_gets_everything() {
    let tunnel = Tunnel::start().await;
    let tenant = tunnel.tenant("a");
    let _agent = RealAgent::of(tunnel.agents, &tenant);
    let server = serve(flood).await;
    let mut stream = stream(&tunnel, &tenant, server.address).await;
    let mut block = vec![0; 65536];
    // 1.3 MB a second, past all that is buffered on the way.
    for _ in 0..160 {
        timeout(PATIENCE, stream.read_exact(&mut block)).await.expect("stalled").unwrap();
        assert!(block.iter().all(|byte| *byte == 7));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(tunnel.metric("flotilla_tunnel_stalled_streams_total").as_deref(), Some("0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_change_without_an_end_of_streams() {
    let tunnel = Tunnel::start().await;
    let mut tenant = tunnel.tenant("a");
    let _agent = RealAgent::of(tunnel.agents, &tenant);
    let server = serve(echo).await;
    let mut stream = stream(&tunnel, &tenant, server.address).await;
    echoes(&mut stream, b"before").await;
    tenant.keys = TenantWorld::new("a", KeyAlgorithm::EcdsaP256).keys;
    tunnel.know(&tenant);
    echoes(&mut stream, b"after").await;
    tunnel.registry.remove("a");
    assert!(timeout(PATIENCE, stream.read_u8()).await.expect("the stream did not end").is_err());
}

/// Leads connections to two addresses in turn, as the tenant's Service does.
async fn in_turn(addresses: [std::net::SocketAddr; 2]) -> (std::net::SocketAddr, tokio::task::JoinSet<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut task = tokio::task::JoinSet::new();
    task.spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        for target in addresses.into_iter().cycle() {
            let (mut inner, _) = listener.accept().await.unwrap();
            connections.spawn(async move {
                let mut outer = tokio::net::TcpStream::connect(target).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut inner, &mut outer).await;
            });
        }
    });
    (address, task)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_connects_to_all_replicas_and_each_leads_to_it() {
    let one = Tunnel::start_with(Limits::default(), "tunnel-0", 2).await;
    let two = Tunnel::start_with(Limits::default(), "tunnel-1", 2).await;
    let tenant = one.tenant("a");
    two.know(&tenant);
    let (address, _service) = in_turn([one.agents, two.agents]).await;
    let _agent = RealAgent::of(address, &tenant);
    let server = serve(echo).await;
    for tunnel in [&one, &two] {
        let mut stream = stream(tunnel, &tenant, server.address).await;
        echoes(&mut stream, b"hello").await;
        let agents = tunnel.metric("flotilla_tunnel_agents{tenant=\"tenants/a\"}");
        assert_eq!(agents.as_deref(), Some("1"));
    }
}
