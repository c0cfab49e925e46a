//! The program beside a real API server, which keeps its Secrets and asks it for streams.
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
use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, Node, Secret};
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use launcher::{CommandSpec, ControlPlane, Options, Process, free_ports};
use pki::KeyAlgorithm;
use serde_json::json;
use world::agents::RealAgent;
use world::servers::{Server, own_address, serve_at};
use world::{TenantWorld, authority, client_pair, eventually, own_secret};

const NAMESPACE: &str = "flotilla-system-tunnel";
const UID: &str = "5a0e5e1c-3f0a-4c53-9d6a-0d4a9c8f1b11";

/// What the operator writes beside an API server.
fn egress(directory: &Path, authority: &pki::CertificateAuthority, port: u16) -> String {
    let pair = client_pair(authority, UID);
    let file = |name: &str, text: &str| {
        let path = directory.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let ca = file("ca.crt", &authority.pair().certificate);
    let certificate = file("tls.crt", &pair.certificate);
    let key = file("tls.key", pair.private_key.expose_pem());
    let text = json!({
        "apiVersion": "apiserver.k8s.io/v1beta1", "kind": "EgressSelectorConfiguration",
        "egressSelections": [{ "name": "cluster", "connection": {
            "proxyProtocol": "HTTPConnect",
            "transport": { "tcp": {
                "url": format!("https://127.0.0.1:{port}"),
                "tlsConfig": { "caBundle": ca, "clientCert": certificate, "clientKey": key },
            } },
        } }],
    });
    file("egress.yaml", &text.to_string())
}

async fn client(control_plane: &ControlPlane) -> Client {
    let kubeconfig = Kubeconfig::read_from(control_plane.kubeconfig_path()).unwrap();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    // The refusals are what is looked at.
    config.default_retry = false;
    Client::try_from(config).unwrap()
}

async fn put(secrets: &Api<Secret>, mut secret: Secret) {
    secret.metadata.namespace = Some(NAMESPACE.to_owned());
    let name = secret.metadata.name.clone().unwrap();
    let mut value = serde_json::to_value(&secret).unwrap();
    value["apiVersion"] = json!("v1");
    value["kind"] = json!("Secret");
    secrets.patch(&name, &PatchParams::apply("test").force(), &Patch::Apply(&value)).await.unwrap();
}

/// A node that leads to a server of this machine.
async fn node(client: &Client, server: &Server) {
    let nodes: Api<Node> = Api::all(client.clone());
    let made: Node = serde_json::from_value(json!({ "metadata": { "name": "worker" } })).unwrap();
    nodes.create(&PostParams::default(), &made).await.unwrap();
    let status = json!({ "status": {
        "addresses": [{ "type": "InternalIP", "address": server.address.ip() }],
    } });
    nodes.patch_status("worker", &PatchParams::default(), &Patch::Merge(&status)).await.unwrap();
}

async fn ask(client: &Client, server: &Server) -> Result<String, String> {
    let path = format!("/api/v1/nodes/http:worker:{}/proxy/hello", server.address.port());
    let request = http::Request::get(&path).body(Vec::new()).unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(20), client.request_text(request)).await;
    answer.map_err(|_| "no answer within 20 s".to_owned())?.map_err(|error| error.to_string())
}

fn tunnel(control_plane: &ControlPlane, ports: [u16; 4], log: &Path) -> Process {
    let [agents, api_servers, metrics, health] = ports;
    let spec = CommandSpec::new("flotilla-tunnel", env!("CARGO_BIN_EXE_flotilla-tunnel"), log).args([
        format!("--kubeconfig={}", control_plane.kubeconfig_path().display()),
        format!("--namespace={NAMESPACE}"),
        format!("--agent-bind-address=127.0.0.1:{agents}"),
        format!("--api-bind-address=127.0.0.1:{api_servers}"),
        format!("--metrics-bind-address=127.0.0.1:{metrics}"),
        format!("--health-probe-bind-address=127.0.0.1:{health}"),
        "--log=info,tunnel=debug".to_owned(),
    ]);
    Process::spawn(&spec).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_api_server_reaches_a_node_through_the_program_and_a_real_agent() {
    let directory = tempfile::tempdir().unwrap();
    let ports: [u16; 4] = free_ports().unwrap();
    let authority = authority("flotilla-tunnel");
    let egress = egress(directory.path(), &authority, ports[1]);
    let options = Options {
        api_server_args: vec![format!("--egress-selector-config-file={egress}")],
        ..Options::default()
    };
    let control_plane = Box::pin(ControlPlane::start(&options)).await.unwrap();
    let client = client(&control_plane).await;
    let namespace: Namespace = serde_json::from_value(json!({ "metadata": { "name": NAMESPACE } })).unwrap();
    Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
    let secrets: Api<Secret> = Api::namespaced(client.clone(), NAMESPACE);
    let server = serve_at(own_address(), world::servers::http).await;
    node(&client, &server).await;

    let mut process = tunnel(&control_plane, ports, &directory.path().join("log"));
    let health = format!("127.0.0.1:{}", ports[3]);
    let ready = async || {
        let answer = get(&health, "/readyz").await;
        if answer.contains("200 OK") { Ok(()) } else { Err(answer) }
    };
    eventually("the program to answer", async || {
        get(&health, "/healthz").await.contains("200 OK").then_some(()).ok_or_else(String::new)
    })
    .await;
    assert!(ready().await.is_err(), "ready without a certificate of its own");
    put(&secrets, own_secret(&authority)).await;
    eventually("the program to be ready", ready).await;

    let refusal = ask(&client, &server).await.unwrap_err();
    assert!(refusal.contains("no tenant with uid"), "{refusal}");
    let mut tenant = TenantWorld::new(UID, KeyAlgorithm::EcdsaP256);
    put(&secrets, tenant.secret()).await;
    eventually("the tenant to be known", async || {
        let refusal = ask(&client, &server).await.unwrap_err();
        if refusal.contains("no agent of tenant") { Ok(()) } else { Err(refusal) }
    })
    .await;
    let address = SocketAddr::from(([127, 0, 0, 1], ports[0]));
    let agent = RealAgent::of(address, &tenant);
    let body = eventually("an answer of the node", async || ask(&client, &server).await).await;
    assert_eq!(body, "reached /hello");

    // New certificate and keys: nothing that runs is hurt, and new agents need tokens of the new key.
    tenant.keys = TenantWorld::new(UID, KeyAlgorithm::Rsa2048).keys;
    put(&secrets, tenant.secret()).await;
    let second = RealAgent::of(address, &tenant);
    eventually("the second agent", async || {
        let text = get(&format!("127.0.0.1:{}", ports[2]), "/metrics").await;
        if text.contains("flotilla_tunnel_agents{tenant=\"tenants/") && text.contains("\"} 2") {
            Ok(())
        } else {
            Err(text)
        }
    })
    .await;
    drop(agent);
    eventually("an answer through the second agent", async || ask(&client, &server).await).await;

    secrets.delete(&format!("tunnel-{UID}"), &DeleteParams::default()).await.unwrap();
    eventually("the tenant to be forgotten", async || match ask(&client, &server).await {
        Err(refusal) if refusal.contains("no tenant with uid") => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    drop(second);
    let report = process.stop(Duration::from_secs(10)).await;
    assert_eq!(report, launcher::ExitReport::Code(0));
}

/// An HTTP answer, whole.
async fn get(address: &str, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let Ok(mut stream) = tokio::net::TcpStream::connect(address).await else { return String::new() };
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(request.as_bytes()).await;
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text).await;
    text
}
