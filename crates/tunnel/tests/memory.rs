//! What the program keeps in memory for tenants whose agents are idle.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::allow_attributes,
    reason = "a test that cannot go on ends"
)]

mod world;

use std::net::SocketAddr;
use std::path::Path;

use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::Client;
use kube::api::{Api, PostParams};
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use launcher::{CommandSpec, ControlPlane, Options, Process, free_ports};
use pki::KeyAlgorithm;
use world::agents::LightAgent;
use world::{TenantWorld, authority, eventually, own_secret};

const NAMESPACE: &str = "tunnel";
const TENANTS: usize = 100;
/// More for one tenant with one idle agent would be a regression.
const BOUND_KIB: usize = 256;

fn start(kubeconfig: &Path, agents: SocketAddr, log: &Path) -> Process {
    let spec = CommandSpec::new("flotilla-tunnel", env!("CARGO_BIN_EXE_flotilla-tunnel"), log).args([
        format!("--kubeconfig={}", kubeconfig.display()),
        format!("--namespace={NAMESPACE}"),
        format!("--agent-bind-address={agents}"),
        "--api-bind-address=127.0.0.1:0".to_owned(),
        "--metrics-bind-address=127.0.0.1:0".to_owned(),
        "--health-probe-bind-address=127.0.0.1:0".to_owned(),
    ]);
    Process::spawn(&spec).unwrap()
}

fn anonymous_kib(process: &Process) -> usize {
    let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", process.pid())).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("Anonymous:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_with_an_idle_agent_costs_little() {
    let control_plane = Box::pin(ControlPlane::start(&Options::default())).await.unwrap();
    let kubeconfig = Kubeconfig::read_from(control_plane.kubeconfig_path()).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    let client = Client::try_from(config).unwrap();
    let namespace = Namespace {
        metadata: kube::api::ObjectMeta { name: Some(NAMESPACE.to_owned()), ..Default::default() },
        ..Default::default()
    };
    Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
    let secrets: Api<Secret> = Api::namespaced(client, NAMESPACE);
    secrets.create(&PostParams::default(), &own_secret(&authority("tunnel"))).await.unwrap();

    let [port] = free_ports().unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let directory = tempfile::tempdir().unwrap();
    let process = start(&control_plane.kubeconfig_path(), address, &directory.path().join("log"));
    let tenants: Vec<TenantWorld> = (0..=TENANTS)
        .map(|number| TenantWorld::new(&format!("tenant-{number}"), KeyAlgorithm::EcdsaP256))
        .collect();
    let mut agents = Vec::new();
    let mut before = 0;
    for (number, tenant) in tenants.iter().enumerate() {
        secrets.create(&PostParams::default(), &tenant.secret()).await.unwrap();
        let agent = eventually("an agent is let in", async || {
            let token = tenant.token();
            let agent = LightAgent::connect(address, tenant, &tenant.alpn(), Some(&token), "idle").await;
            agent.map_err(|status| status.to_string())
        })
        .await;
        agents.push(agent);
        if number == 0 {
            // What the first one makes is there for all.
            before = anonymous_kib(&process);
        }
    }
    let after = anonymous_kib(&process);
    let each = (after - before) / TENANTS;
    println!("{before} KiB with 1 tenant, {after} KiB with {}: {each} KiB for each", TENANTS + 1);
    assert!(each < BOUND_KIB, "{each} KiB for each tenant");
    process.kill();
}
