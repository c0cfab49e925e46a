//! Two operators as processes on a real API server, without pods: one leads, the other takes over, both
//! serve the webhooks.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{Api, Patch, PatchParams, PostParams};
use launcher::{CommandSpec, Probe, Process, free_ports, wait_until_ready};
use serde_json::json;
use stage::{Options, Stage, eventually, manifest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const OPERATOR: &str = env!("CARGO_BIN_EXE_flotilla-operator");
/// A lease lasts eight seconds; the other replica looks every two.
const FAIL_OVER: Duration = Duration::from_secs(20);

/// One replica.
struct Replica {
    process: Process,
    webhooks: u16,
    metrics: u16,
    health: u16,
}

impl Replica {
    async fn start(stage: &mut Stage, identity: &str) -> Self {
        let [webhooks, metrics, health] = free_ports().unwrap();
        let control_plane = stage.control_plane();
        let log = control_plane.directory().join(format!("{identity}.log"));
        let kubeconfig = control_plane.kubeconfig_path();
        let spec = CommandSpec::new(identity, OPERATOR, log).args([
            format!("--identity={identity}"),
            format!("--kubeconfig={}", kubeconfig.display()),
            "--datastore=store".to_owned(),
            "--start-slots=4".to_owned(),
            format!("--webhook-bind-address=127.0.0.1:{webhooks}"),
            format!("--metrics-bind-address=127.0.0.1:{metrics}"),
            format!("--health-probe-bind-address=127.0.0.1:{health}"),
        ]);
        let process = Process::spawn(&spec).unwrap();
        let address = format!("127.0.0.1:{webhooks}").parse().unwrap();
        wait_until_ready(&Probe::Tcp(address), FAIL_OVER).await.unwrap();
        Self { process, webhooks, metrics, health }
    }

    /// Whether its metrics say that it leads; a replica that is gone does not.
    async fn leads(&self) -> bool {
        get(self.metrics, "/metrics")
            .await
            .is_ok_and(|text| text.lines().any(|line| line == "flotilla_leading 1"))
    }

    fn terminate(&self) {
        let done = Command::new("kill").args(["-TERM", &self.process.pid().to_string()]).status();
        assert!(done.unwrap().success());
    }

    /// Whether it takes connections for webhooks.
    async fn admits(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.webhooks)).await.is_ok()
    }
}

/// Body of a plain HTTP answer.
async fn get(port: u16, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    let (head, body) = text.split_once("\r\n\r\n").context("the answer has no body")?;
    ensure!(head.starts_with("HTTP/1.1 200"), "{head}");
    Ok(body.to_owned())
}

async fn leading(replica: &Replica, what: &str) {
    eventually(what, FAIL_OVER, || async {
        if replica.leads().await { Ok(()) } else { bail!("it does not lead") }
    })
    .await
    .unwrap();
}

async fn reconciled(stage: &Stage, name: &str) {
    eventually(&format!("{name} is ready"), FAIL_OVER, || async {
        let status = stage.tenants("default").get(name).await?.status.unwrap_or_default();
        let found = status.kubernetes_resources.version.status;
        ensure!(found == Some(api::VersionState::Ready), "{found:?}");
        Ok(())
    })
    .await
    .unwrap();
}

async fn create(stage: &Stage, name: &str) {
    let tenant = manifest(name, json!({})).unwrap();
    stage.tenants("default").create(&PostParams::default(), &tenant).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_takes_over_within_seconds_and_no_two_lead() {
    // The webhooks' addresses are the replicas' own here; who answers is looked at directly.
    let mut stage = Stage::set(Options { without_webhooks: true, ..Options::default() }).await.unwrap();
    let mut first = Replica::start(&mut stage, "first").await;
    leading(&first, "the only replica leads").await;
    let second = Replica::start(&mut stage, "second").await;
    create(&stage, "before").await;
    reconciled(&stage, "before").await;
    assert!(first.leads().await && !second.leads().await, "both lead, or none");
    for replica in [&first, &second] {
        assert!(replica.admits().await, "a replica serves no webhooks");
        assert_eq!(get(replica.health, "/readyz").await.unwrap(), "ok");
    }

    // Killed, it cannot say good-bye: what it would have done is done by the other one.
    let killed = Instant::now();
    first.process.kill();
    first.process.wait().await;
    create(&stage, "between").await;
    leading(&second, "the other replica leads after a kill").await;
    println!("a killed leader was replaced after {:.1} s", killed.elapsed().as_secs_f64());
    reconciled(&stage, "between").await;

    // Told to end, it hands over at once and goes on admitting until nobody is sent to it.
    let third = Replica::start(&mut stage, "third").await;
    let told = Instant::now();
    second.terminate();
    leading(&third, "the other replica leads after an orderly end").await;
    println!("a leader that ended was replaced after {:.1} s", told.elapsed().as_secs_f64());
    assert!(!second.leads().await, "two lead");
    create(&stage, "after").await;
    reconciled(&stage, "after").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ending_leader_still_admits_though_it_is_no_longer_ready() {
    let mut stage = Stage::set(Options { without_webhooks: true, ..Options::default() }).await.unwrap();
    let mut replica = Replica::start(&mut stage, "ending").await;
    leading(&replica, "the only replica leads").await;
    replica.terminate();
    eventually("it is no longer ready", FAIL_OVER, || async {
        if get(replica.health, "/readyz").await.is_ok() {
            bail!("still ready")
        }
        Ok(())
    })
    .await
    .unwrap();
    assert!(replica.admits().await, "it admits nothing though requests still reach it");
    replica.process.wait().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_loses_its_lease_stops() {
    let mut stage = Stage::set(Options { without_webhooks: true, ..Options::default() }).await.unwrap();
    let mut replica = Replica::start(&mut stage, "robbed").await;
    leading(&replica, "the only replica leads").await;
    let leases: Api<Lease> = Api::namespaced(stage.client(), "flotilla-system");
    let robbed = Patch::Merge(json!({"spec": {"holderIdentity": "somebody-else"}}));
    leases.patch("flotilla-operator", &PatchParams::default(), &robbed).await.unwrap();
    eventually("it leads no more", FAIL_OVER, || async {
        if replica.leads().await {
            bail!("it leads")
        }
        Ok(())
    })
    .await
    .unwrap();
    replica.process.wait().await;
    let log = std::fs::read_to_string(stage.control_plane().directory().join("robbed.log")).unwrap();
    assert!(log.contains("another replica leads"), "{log}");
}
