//! Agents and the hub, over real sockets with TLS.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::allow_attributes,
    reason = "a test that cannot go on ends"
)]

mod world;

use std::sync::atomic::Ordering;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use uplink::{CallError, DialError, Event, Hub, Limits, OpenError, Proxies, Registration, Report};
use world::agent::EchoAgent;
use world::hub::TestHub;
use world::proxy::TestProxy;
use world::{authority, echo, eventually, within};

fn hub_at(url: &str, authority: &pki::CertificateAuthority, proxies: &Proxies) -> Hub {
    Hub::new(url, &authority.pair().certificate, proxies, Limits::default()).unwrap()
}

fn proxied(address: &str) -> Proxies {
    let address = address.to_owned();
    Proxies::from_environment(|name| (name == "HTTPS_PROXY").then(|| address.clone())).unwrap()
}

async fn connected(hub: &TestHub, cluster: &str) {
    eventually("the cluster connects", || async { hub.sessions().is_connected(cluster) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_of_two_clusters_go_to_their_own_agents() {
    let authority = authority("hub");
    let mut hub = TestHub::start(&authority, 1).await;
    let _one = EchoAgent::start(hub_at(&hub.url(), &authority, &Proxies::default()), "one");
    let _two = EchoAgent::start(hub_at(&hub.url(), &authority, &Proxies::default()), "two");
    connected(&hub, "one").await;
    connected(&hub, "two").await;
    let sessions = hub.sessions().clone();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..100_u32 {
        let sessions = sessions.clone();
        tasks.spawn(async move {
            let cluster = if number % 2 == 0 { "one" } else { "two" };
            let text = format!("{number} ").repeat(20_000).into_bytes();
            let mut stream = sessions.open(cluster).await.unwrap();
            let (mut read, mut write) = tokio::io::split(&mut stream);
            let sent = async {
                write.write_all(&text).await.unwrap();
                write.shutdown().await.unwrap();
            };
            let mut back = Vec::new();
            let ((), received) = tokio::join!(sent, read.read_to_end(&mut back));
            received.unwrap();
            assert!(back == text, "stream {number}");
        });
    }
    within("all echoes", async {
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
    })
    .await;
    let (_, report) = within("a report", hub.reports.recv()).await.unwrap();
    assert!(
        matches!(report, Report::Status(status) if status.kubernetes_version.as_deref() == Some("v1.36.3"))
    );
    assert!(sessions.last_seen("one").is_some());
    assert!(matches!(sessions.open("three").await, Err(OpenError::Absent)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_loss_of_an_agent_is_seen_and_cuts_its_streams() {
    let authority = authority("hub");
    let hub = TestHub::start(&authority, 1).await;
    let mut events = hub.sessions().subscribe();
    let agent = EchoAgent::start(hub_at(&hub.url(), &authority, &Proxies::default()), "one");
    let connected = within("an event", events.recv()).await.unwrap();
    assert_eq!(connected, Event::Connected { cluster: "one".to_owned() });
    let mut stream = hub.sessions().open("one").await.unwrap();
    assert_eq!(echo(&mut stream, b"hello").await.unwrap(), b"hello");
    drop(agent);
    assert!(
        matches!(within("an event", events.recv()).await.unwrap(), Event::Lost { cluster, .. } if cluster == "one")
    );
    // No regular end: half an answer must not pass for a whole one.
    let cut = within("the end of the stream", stream.read(&mut [0; 8])).await;
    assert_eq!(cut.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert!(!hub.sessions().is_connected("one"));
    assert!(hub.sessions().last_seen("one").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_come_back_after_a_restart_of_the_hub() {
    let authority = authority("hub");
    let first = TestHub::start(&authority, 1).await;
    let address = first.address;
    let agent = EchoAgent::start(hub_at(&first.url(), &authority, &Proxies::default()), "one");
    connected(&first, "one").await;
    drop(first);
    eventually("the agent notices", || async { agent.live() == 0 }).await;
    let second = TestHub::start_at(address, &authority, 1, Limits::default()).await;
    connected(&second, "one").await;
    let stream = second.sessions().open("one").await.unwrap();
    assert_eq!(echo(stream, b"again").await.unwrap(), b"again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_closed_loses_its_connections_and_those_that_are_being_made() {
    let authority = authority("hub");
    let hub = TestHub::start(&authority, 1).await;
    let agent = EchoAgent::start(hub_at(&hub.url(), &authority, &Proxies::default()), "one");
    connected(&hub, "one").await;
    let mut stream = hub.sessions().open("one").await.unwrap();
    assert_eq!(echo(&mut stream, b"hello").await.unwrap(), b"hello");
    let reserved = hub.sessions().reserve("one");
    let session = agent.links.lock().unwrap()["server-0"].clone();
    hub.sessions().close("one");
    assert!(!hub.sessions().is_connected("one"));
    within("the agent's end", session.ended()).await;
    assert!(within("the end of the stream", stream.read(&mut [0; 8])).await.is_err());
    let (socket, _other) = tokio::io::duplex(64);
    let late = Box::pin(hub.sessions().accept(reserved, "late", socket, |_| panic!("a report")));
    assert_eq!(within("the refusal", late).await, uplink::End::Asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_one_address_each_of_three_replicas_is_held_once() {
    let authority = authority("hub");
    let hub = TestHub::start(&authority, 3).await;
    let one = EchoAgent::start(hub_at(&hub.url(), &authority, &Proxies::default()), "one");
    // Another client of the same address moves the turn on, so that one of the agents meets a replica twice.
    let two = EchoAgent::start(hub_at(&hub.url(), &authority, &Proxies::default()), "two");
    for cluster in ["one", "two"] {
        for replica in &hub.replicas {
            eventually("every replica is found", || async { replica.is_connected(cluster) }).await;
        }
    }
    for (cluster, agent) in [("one", &one), ("two", &two)] {
        assert_eq!(agent.live(), 3);
        for replica in &hub.replicas {
            let stream = replica.open(cluster).await.unwrap();
            assert_eq!(echo(stream, b"hello").await.unwrap(), b"hello");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_to_a_replica_that_is_held_already_is_dropped() {
    let authority = authority("hub");
    let hub = TestHub::start(&authority, 2).await;
    // Only the first replica is ever met: every other connection is used up here.
    let only_first = hub.replicas[0].clone();
    let agent = EchoAgent::start(hub_at(&hub.url(), &authority, &Proxies::default()), "one");
    eventually("the first replica is held", || async { only_first.is_connected("one") }).await;
    let session = agent.links.lock().unwrap()["server-0"].clone();
    eventually("the second replica is held", || async { hub.replicas[1].is_connected("one") }).await;
    // The search went over the first replica at least never at its cost.
    assert!(!session.is_ended());
    let before = hub.asked.load(Ordering::SeqCst);
    let dialer = hub_at(&hub.url(), &authority, &Proxies::default());
    let again = dialer.connect("agent-one", "run-of-one").await.unwrap();
    drop(again);
    let again = dialer.connect("agent-one", "run-of-one").await.unwrap();
    drop(again);
    assert_eq!(hub.asked.load(Ordering::SeqCst), before + 2);
    let stream = hub.replicas[0].open("one").await.unwrap();
    assert_eq!(echo(stream, b"still").await.unwrap(), b"still");
    assert!(!session.is_ended());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_of_another_authority_is_not_spoken_to() {
    let (authority, other) = (authority("hub"), authority("hub"));
    let hub = TestHub::start(&authority, 1).await;
    let dialer = hub_at(&hub.url(), &other, &Proxies::default());
    assert!(matches!(dialer.connect("agent-one", "run").await, Err(CallError::Tls(_))));
    assert_eq!(hub.asked.load(Ordering::SeqCst), 0);
    // The right authority, but another name.
    let elsewhere = format!("https://localhost.localdomain:{}", hub.address.port());
    if tokio::net::lookup_host(("localhost.localdomain", 1)).await.is_ok() {
        let dialer = hub_at(&elsewhere, &authority, &Proxies::default());
        assert!(dialer.keys().await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_registers_and_is_refused_with_a_wrong_token() {
    let authority = authority("hub");
    let hub = TestHub::start(&authority, 1).await;
    let dialer = hub_at(&hub.url(), &authority, &Proxies::default());
    let registration = Registration {
        cluster_uid: "uid-1".to_owned(),
        kubernetes_version: "v1.36.3".to_owned(),
        agent_version: "0.1.0".to_owned(),
    };
    let registered = dialer.register("import", &registration).await.unwrap();
    assert_eq!((registered.cluster.as_str(), registered.token.as_str()), ("uid-1", "agent-uid-1"));
    assert!(!format!("{registered:?}").contains("agent-uid-1"));
    let refused = dialer.register("used", &registration).await.unwrap_err();
    assert!(refused.is_refusal(), "{refused}");
    let refused = dialer.connect("nobody", "run").await.unwrap_err();
    assert!(refused.is_refusal() && refused.to_string().contains("no such token"), "{refused}");
    assert_eq!(dialer.keys().await.unwrap(), serde_json::json!({ "keys": [] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hub_is_reached_through_a_proxy_with_and_without_a_password() {
    let authority = authority("hub");
    let hub = TestHub::start(&authority, 1).await;
    // `olga:s3cret`
    for (demanded, user) in [(None, ""), (Some("Basic b2xnYTpzM2NyZXQ="), "olga:s3cret@")] {
        let proxy = TestProxy::start(demanded).await;
        let proxies = proxied(&format!("http://{user}{}", proxy.address));
        let cluster = format!("behind-{}", user.len());
        let _agent = EchoAgent::start(hub_at(&hub.url(), &authority, &proxies), &cluster);
        connected(&hub, &cluster).await;
        let stream = hub.sessions().open(&cluster).await.unwrap();
        assert_eq!(echo(stream, b"hello").await.unwrap(), b"hello");
        assert_eq!(proxy.tunnels.load(Ordering::SeqCst), 1);
    }
    let proxy = TestProxy::start(Some("Basic b2xnYTpzM2NyZXQ=")).await;
    let dialer = hub_at(&hub.url(), &authority, &proxied(&format!("http://olga:wrong@{}", proxy.address)));
    let refused = dialer.connect("agent-one", "run").await;
    assert!(matches!(refused, Err(CallError::Dial(DialError::ProxyAuthorization))), "{refused:?}");
}
