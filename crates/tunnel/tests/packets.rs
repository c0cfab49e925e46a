//! Agents that say what they should not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::allow_attributes,
    reason = "a test that cannot go on ends"
)]

mod world;

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tunnel::Limits;
use tunnel::protocol::Payload;
use world::Tunnel;
use world::agents::LightAgent;
use world::client::{Stream, connect};

const PATIENCE: Duration = Duration::from_secs(10);

/// A stream of tenant `uid` that this agent opens under `connect_id`.
async fn opened(tunnel: &Tunnel, uid: &str, agent: &mut LightAgent, connect_id: i64) -> Stream {
    let (stream, ()) = tokio::join!(connect(tunnel, uid, "10.0.0.7:10250"), async {
        let (_, random) = agent.dialled().await;
        agent.accept(random, connect_id);
    });
    stream.unwrap()
}

async fn assert_reads(stream: &mut Stream, expected: &[u8]) {
    let mut got = vec![0; expected.len()];
    timeout(PATIENCE, stream.read_exact(&mut got)).await.expect("nothing came").unwrap();
    assert_eq!(got, expected);
}

#[tokio::test]
async fn data_under_the_number_of_another_agents_stream_reach_nobody() {
    let tunnel = Tunnel::start().await;
    let (a, b) = (tunnel.tenant("a"), tunnel.tenant("b"));
    let mut victim = LightAgent::of(tunnel.agents, &a).await;
    let mut stream = opened(&tunnel, "a", &mut victim, 5).await;
    // One of another tenant, and another one of the same.
    for tenant in [&b, &a] {
        let mut mallory = LightAgent::of(tunnel.agents, tenant).await;
        mallory.data(5, b"forged");
        mallory.close(5);
        // The answer to the forged packet proves that it was handled.
        let answer = timeout(PATIENCE, mallory.next()).await.expect("no answer").unwrap();
        assert!(matches!(answer, Payload::CloseRequest(close) if close.connect_id == 5));
    }
    victim.data(5, b"genuine");
    assert_reads(&mut stream, b"genuine").await;
}

#[tokio::test]
async fn a_dial_is_answered_only_by_the_agent_that_was_asked() {
    let tunnel = Tunnel::start().await;
    let (a, b) = (tunnel.tenant("a"), tunnel.tenant("b"));
    let mut asked = LightAgent::of(tunnel.agents, &a).await;
    let mut mallory = LightAgent::of(tunnel.agents, &b).await;
    let (stream, ()) = tokio::join!(connect(&tunnel, "a", "10.0.0.7:10250"), async {
        let (_, random) = asked.dialled().await;
        mallory.accept(random, 9);
        let answer = timeout(PATIENCE, mallory.next()).await.expect("no answer").unwrap();
        assert!(matches!(answer, Payload::CloseRequest(close) if close.connect_id == 9));
        mallory.data(9, b"forged");
        asked.accept(random, 3);
        asked.data(3, b"genuine");
    });
    assert_reads(&mut stream.unwrap(), b"genuine").await;
}

#[tokio::test]
async fn a_number_that_is_in_use_or_none_opens_nothing() {
    let tunnel = Tunnel::start().await;
    let tenant = tunnel.tenant("a");
    let mut agent = LightAgent::of(tunnel.agents, &tenant).await;
    let mut first = opened(&tunnel, "a", &mut agent, 1).await;
    for number in [1, 0] {
        let (second, ()) = tokio::join!(connect(&tunnel, "a", "10.0.0.8:10250"), async {
            let (_, random) = agent.dialled().await;
            agent.accept(random, number);
        });
        let refusal = second.expect_err("a second stream under the same number");
        assert!(refusal.contains("502") && refusal.contains("number"), "{refusal}");
    }
    agent.data(1, b"still mine");
    assert_reads(&mut first, b"still mine").await;
}

#[tokio::test]
async fn a_message_that_is_too_large_ends_the_agent_and_nobody_else() {
    let tunnel = Tunnel::start().await;
    let tenant = tunnel.tenant("a");
    let mut good = LightAgent::of(tunnel.agents, &tenant).await;
    let mut stream = opened(&tunnel, "a", &mut good, 1).await;
    let mut bad = LightAgent::of(tunnel.agents, &tenant).await;
    bad.data(1, &vec![0; 200 << 10]);
    timeout(PATIENCE, async { while bad.next().await.is_some() {} }).await.expect("it may stay");
    good.data(1, b"here");
    assert_reads(&mut stream, b"here").await;
    assert_eq!(tunnel.metric("flotilla_tunnel_agents{tenant=\"tenants/a\"}").as_deref(), Some("1"));
}

#[tokio::test]
async fn an_agents_words_cannot_add_headers_to_an_answer() {
    let tunnel = Tunnel::start().await;
    let tenant = tunnel.tenant("a");
    let mut agent = LightAgent::of(tunnel.agents, &tenant).await;
    let (outcome, ()) = tokio::join!(connect(&tunnel, "a", "10.0.0.7:1"), async {
        let (_, random) = agent.dialled().await;
        agent.refuse(random, "x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
    });
    let line = outcome.unwrap_err();
    assert!(line.starts_with("HTTP/1.1 502 ") && line.contains("x    HTTP/1.1 200 OK"), "{line}");
}

#[tokio::test]
async fn an_agent_that_does_not_answer_a_dial_is_waited_for_in_vain_and_told_so() {
    let limits = Limits { dial: Duration::from_millis(300), ..Limits::default() };
    let tunnel = Tunnel::start_with(limits, "tunnel-0", 1).await;
    let tenant = tunnel.tenant("a");
    let mut agent = LightAgent::of(tunnel.agents, &tenant).await;
    let refusal = connect(&tunnel, "a", "10.0.0.7:1").await.unwrap_err();
    assert!(refusal.starts_with("HTTP/1.1 504 no agent of tenant tenants/a answered"), "{refusal}");
    let (_, random) = agent.dialled().await;
    let told = timeout(PATIENCE, agent.next()).await.expect("the agent was not told").unwrap();
    assert!(matches!(told, Payload::CloseDial(dial) if dial.random == random));
    // It opened the connection after all: nobody uses it.
    agent.accept(random, 4);
    let told = timeout(PATIENCE, agent.next()).await.expect("the agent was not told").unwrap();
    assert!(matches!(told, Payload::CloseRequest(close) if close.connect_id == 4));
}

#[tokio::test]
async fn a_dial_goes_on_through_another_agent_when_the_first_vanishes() {
    let tunnel = Tunnel::start().await;
    let tenant = tunnel.tenant("a");
    let mut first = LightAgent::of(tunnel.agents, &tenant).await;
    let mut second = LightAgent::of(tunnel.agents, &tenant).await;
    let (outcome, _agent) = tokio::join!(connect(&tunnel, "a", "10.0.0.7:1"), async {
        let is_first = tokio::select! {
            _ = first.dialled() => true,
            _ = second.dialled() => false,
        };
        let (vanishing, mut staying) = if is_first { (first, second) } else { (second, first) };
        drop(vanishing);
        let (_, random) = staying.dialled().await;
        staying.accept(random, 1);
        staying.data(1, b"hello");
        staying
    });
    assert_reads(&mut outcome.unwrap(), b"hello").await;
}

#[tokio::test]
async fn an_agent_that_drains_gets_no_new_streams_while_there_is_another() {
    let tunnel = Tunnel::start().await;
    let tenant = tunnel.tenant("a");
    let mut draining = LightAgent::of(tunnel.agents, &tenant).await;
    let mut stream = opened(&tunnel, "a", &mut draining, 1).await;
    draining.drain();
    draining.data(1, b"it is handled");
    assert_reads(&mut stream, b"it is handled").await;
    let mut other = LightAgent::of(tunnel.agents, &tenant).await;
    for number in 1..5 {
        let _stream = opened(&tunnel, "a", &mut other, number).await;
    }
    draining.data(1, b" and goes on");
    assert_reads(&mut stream, b" and goes on").await;
}

#[tokio::test]
async fn the_end_of_a_stream_is_passed_on_both_ways() {
    let tunnel = Tunnel::start().await;
    let tenant = tunnel.tenant("a");
    let mut agent = LightAgent::of(tunnel.agents, &tenant).await;
    let mut stream = opened(&tunnel, "a", &mut agent, 1).await;
    agent.data(1, b"last words");
    agent.close(1);
    let mut all = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut all)).await.expect("no end").expect("a regular end");
    assert_eq!(all, b"last words");
    let mut stream = opened(&tunnel, "a", &mut agent, 2).await;
    stream.write_all(b"bye").await.unwrap();
    stream.flush().await.unwrap();
    drop(stream);
    let told = timeout(PATIENCE, async {
        let mut seen = Vec::new();
        loop {
            match agent.next().await.expect("the agent was ended") {
                Payload::Data(data) => seen.extend(data.data),
                Payload::CloseRequest(close) if close.connect_id == 2 => return seen,
                _ => {}
            }
        }
    });
    assert_eq!(told.await.expect("the agent was not told"), b"bye");
    assert_eq!(tunnel.metric("flotilla_tunnel_streams").as_deref(), Some("0"));
}

#[tokio::test]
async fn memory_for_a_reader_that_takes_nothing_is_bounded() {
    let limits = Limits { stream_bytes: 64 << 10, stall: Duration::from_millis(200), ..Limits::default() };
    let tunnel = Tunnel::start_with(limits, "tunnel-0", 1).await;
    let tenant = tunnel.tenant("a");
    let mut agent = LightAgent::of(tunnel.agents, &tenant).await;
    let mut stream = opened(&tunnel, "a", &mut agent, 1).await;
    for _ in 0..10_000 {
        agent.data(1, &[0; 4096]);
    }
    // 40 MB were sent; what the kernel and the bound hold arrives, then the stream is cut.
    let told = timeout(PATIENCE, agent.next()).await.expect("the stream was not ended").unwrap();
    assert!(matches!(told, Payload::CloseRequest(close) if close.connect_id == 1));
    let mut all = Vec::new();
    let end = timeout(PATIENCE, stream.read_to_end(&mut all)).await.expect("no end");
    assert!(end.is_err() && all.len() < 20 << 20, "{} bytes", all.len());
}

#[tokio::test]
async fn a_tenant_has_no_more_streams_and_agents_than_are_allowed() {
    let limits = Limits { streams: 2, agents: 1, ..Limits::default() };
    let tunnel = Tunnel::start_with(limits, "tunnel-0", 1).await;
    let (a, b) = (tunnel.tenant("a"), tunnel.tenant("b"));
    let mut agent = LightAgent::of(tunnel.agents, &a).await;
    let second = LightAgent::connect(tunnel.agents, &a, &a.alpn(), Some(&a.token()), "second").await;
    assert_eq!(second.err().expect("a second agent").code(), tonic::Code::ResourceExhausted);
    let _one = opened(&tunnel, "a", &mut agent, 1).await;
    let _two = opened(&tunnel, "a", &mut agent, 2).await;
    let refusal = connect(&tunnel, "a", "10.0.0.7:1").await.unwrap_err();
    assert!(refusal.starts_with("HTTP/1.1 503 tenant tenants/a has as many streams"), "{refusal}");
    let mut other = LightAgent::of(tunnel.agents, &b).await;
    let _other = opened(&tunnel, "b", &mut other, 1).await;
}

#[tokio::test]
async fn agents_learn_which_replica_they_meet_and_how_many_there_are() {
    let tunnel = Tunnel::start_with(Limits::default(), "tunnel-7", 3).await;
    let agent = LightAgent::of(tunnel.agents, &tunnel.tenant("a")).await;
    assert_eq!((agent.server_id.as_str(), agent.server_count.as_str()), ("tunnel-7", "3"));
}
