//! Two replicas behind one address, which know the same, and one that goes on when the other dies.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use api::Cluster;
use http::Method;
use kube::Api;
use launcher::PostgreSql;
use serde_json::json;
use server::Settings;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

use crate::imports::{Elsewhere, is};
use crate::support::{World, eventually};

/// Leads connections to replicas in turn, and past those that do not answer.
#[derive(Default)]
struct Balancer {
    replicas: Mutex<Vec<SocketAddr>>,
    led: Mutex<Vec<(SocketAddr, AbortHandle)>>,
}

impl Balancer {
    async fn run(self: Arc<Self>, listener: TcpListener) {
        let next = AtomicUsize::new(0);
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let all = self.replicas.lock().unwrap().clone();
            let first = next.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(Arc::clone(&self).lead(client, all, first));
        }
    }

    async fn lead(self: Arc<Self>, mut client: TcpStream, all: Vec<SocketAddr>, first: usize) {
        for number in 0..all.len() {
            let address = all[(first + number) % all.len()];
            if let Ok(mut replica) = TcpStream::connect(address).await {
                let copying =
                    tokio::spawn(async move { copy_bidirectional(&mut client, &mut replica).await });
                self.led.lock().unwrap().push((address, copying.abort_handle()));
                return;
            }
        }
    }

    /// Leads nobody to a replica any more, and ends what it led there.
    fn leave(&self, replica: SocketAddr) {
        self.replicas.lock().unwrap().retain(|known| *known != replica);
        let led = self.led.lock().unwrap();
        led.iter().filter(|(to, _)| *to == replica).for_each(|(_, copying)| copying.abort());
    }
}

fn address(world: &World) -> SocketAddr {
    world.url.trim_start_matches("https://").parse().unwrap()
}

async fn status(world: &World, token: &str, path: &str) -> u16 {
    world.ask(token, Method::GET, path, None).await.status.as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_know_the_same_and_one_goes_on_without_the_other() {
    let database = PostgreSql::start().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let records =
        format!("postgres://{}:{}@{}/postgres", PostgreSql::USER, PostgreSql::PASSWORD, database.endpoint());
    let first = World::tuned("127.0.0.1", |settings| Settings {
        url: url.clone(),
        records,
        replicas: 2,
        identity: "first".to_owned(),
        ..settings
    })
    .await;
    let second = first.beside("second");
    let balancer = Arc::new(Balancer::default());
    balancer.replicas.lock().unwrap().extend([address(&first), address(&second)]);
    tokio::spawn(Arc::clone(&balancer).run(listener));

    let admin = first.sign_in("admin", &first.first_password().await).await;
    eventually("the second replica serves", || async {
        tokio::net::TcpStream::connect(address(&second)).await.is_ok()
    })
    .await;
    assert_eq!(status(&second, &admin, "/api/v1/session").await, 200);
    let other = second.sign_in("admin", &first.first_password().await).await;
    assert_eq!(second.ask(&other, Method::DELETE, "/api/v1/session", None).await.status, 204);
    assert_eq!(status(&first, &other, "/api/v1/session").await, 401, "signing out holds everywhere at once");

    first.tenant(&admin, "acme", None).await;
    let olga = first.member(&admin, "olga", "tenant-owner", "acme").await;
    eventually("the grant holds at the second", || async {
        status(&second, &olga, "/api/v1/tenants/acme").await == 200
    })
    .await;
    guessed_at_both(&first, &second).await;
    asked_twice(&first, &second, &admin).await;

    let import = json!({ "name": "edge", "spec": { "tenant": "acme" } });
    assert_eq!(first.ask(&admin, Method::POST, "/api/v1/imports", Some(import)).await.status, 201);
    let token = first.ask(&admin, Method::POST, "/api/v1/imports/edge/token", None).await.body;
    let cluster = Elsewhere::of(&first, token["url"].as_str().unwrap().strip_prefix(&url).unwrap()).await;
    let mut agent = cluster.agent(&url);
    is(&first, &olga, "Ready").await;
    for (name, replica) in [("first", &first), ("second", &second)] {
        eventually(&format!("the cluster is reached by the {name}"), || async {
            status(replica, &olga, "/k8s/clusters/edge/version").await == 200
        })
        .await;
    }
    eventually("both say so", || async { connections(&first).await == ["first", "second"] }).await;

    balancer.leave(address(&first));
    eventually("the first knows that the agent has gone from it", || async {
        status(&first, &olga, "/k8s/clusters/edge/version").await == 503
    })
    .await;
    eventually("and says so of itself only", || async { connections(&first).await == ["second"] }).await;
    let (_, connected) = standing(&first).await;
    assert_eq!(connected, "True", "the second has it");

    first.kill();
    assert_eq!(status(&second, &olga, "/k8s/clusters/edge/version").await, 200);
    assert_eq!(
        second.ask(&admin, Method::DELETE, "/api/v1/grants/olga-tenant-owner", None).await.status,
        204
    );
    assert_eq!(status(&second, &olga, "/k8s/clusters/edge/version").await, 404);
    agent.kill();
    agent.wait().await;
}

/// Through which replicas the cluster is connected, and what its condition `Connected` says.
async fn standing(world: &World) -> (Vec<String>, String) {
    let clusters: Api<Cluster> = Api::all(world.client.clone());
    let status = clusters.get("edge").await.unwrap().status.unwrap();
    let connected = status.conditions.iter().find(|known| known.type_ == "Connected").unwrap();
    (status.connections.into_iter().map(|known| known.replica).collect(), connected.status.clone())
}

async fn connections(world: &World) -> Vec<String> {
    standing(world).await.0
}

/// Failures at one replica count at the other.
async fn guessed_at_both(first: &World, second: &World) {
    let wrong = json!({ "user": "olga", "password": "no such password", "carrier": "token" });
    let mut statuses = Vec::new();
    for number in 0..8 {
        let replica = if number % 2 == 0 { first } else { second };
        let answer = replica.send(Method::POST, "/api/v1/session", &[], Some(wrong.clone())).await;
        statuses.push(answer.status.as_u16());
    }
    assert!(statuses[..5].iter().all(|status| *status == 401), "{statuses:?}");
    assert!(statuses[6..].iter().all(|status| *status == 429), "{statuses:?}");
}

/// What was done at one replica is not done again at the other.
async fn asked_twice(first: &World, second: &World, admin: &str) {
    let bearer = format!("Bearer {admin}");
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", "one-and-the-same")];
    let body = json!({ "name": "globex", "spec": {} });
    let made = first.send(Method::POST, "/api/v1/tenants", &headers, Some(body.clone())).await;
    let again = second.send(Method::POST, "/api/v1/tenants", &headers, Some(body)).await;
    assert_eq!((made.status.as_u16(), again.status.as_u16()), (201, 201), "{} {}", made.body, again.body);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(made.body, again.body);
}
