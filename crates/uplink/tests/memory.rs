//! What an idle connection costs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::allow_attributes,
    reason = "a test that cannot go on ends"
)]

mod world;

use uplink::{Hub, Limits, Proxies};
use world::agent::EchoAgent;
use world::hub::TestHub;
use world::{authority, echo, eventually};

const CONNECTIONS: u64 = 200;
/// Both ends are in this process; the hub's part is about half.
const MOST_KIB: u64 = 200;

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse().unwrap()
}

async fn connect(hub: &TestHub, authority: &pki::CertificateAuthority, cluster: &str) -> EchoAgent {
    let url = hub.url();
    let dialer =
        Hub::new(&url, &authority.pair().certificate, &Proxies::default(), Limits::default()).unwrap();
    let agent = EchoAgent::start(dialer, cluster);
    eventually("the cluster connects", || async { hub.sessions().is_connected(cluster) }).await;
    let stream = hub.sessions().open(cluster).await.unwrap();
    echo(stream, &vec![7; 100_000]).await.unwrap();
    agent
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_costs_little() {
    let authority = authority("hub");
    let hub = TestHub::start(&authority, 1).await;
    let _warm = connect(&hub, &authority, "warm").await;
    let before = resident_kib();
    let mut agents = Vec::new();
    for number in 0..CONNECTIONS {
        agents.push(connect(&hub, &authority, &number.to_string()).await);
    }
    let each = resident_kib().saturating_sub(before) / CONNECTIONS;
    println!("{each} KiB for both ends of a connection");
    assert!(each < MOST_KIB, "{each} KiB");
}
