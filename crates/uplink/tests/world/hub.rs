//! The hub: each connection to its address goes to the next replica, as behind a load balancer.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base::SystemClock;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use pki::{CertificateAuthority, Pair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use uplink::{CONNECT_PATH, KEYS_PATH, Limits, REGISTER_PATH, RENEW_PATH, Replica, Report, Sessions, greet};

/// A running hub; dropping it ends it with all connections.
pub struct TestHub {
    pub address: SocketAddr,
    pub replicas: Vec<Sessions>,
    pub reports: mpsc::UnboundedReceiver<(String, Report)>,
    /// Connections that asked to become one of an agent.
    pub asked: Arc<AtomicUsize>,
    /// What is told of the issuer of identities: `issuer` and `keys`.
    pub issuer: Arc<Mutex<Value>>,
    /// How often its keys were asked for.
    pub asked_for_keys: Arc<AtomicUsize>,
    /// How many clusters registered.
    pub registered: Arc<AtomicUsize>,
    /// With what an agent last connected.
    pub shown: Arc<Mutex<String>>,
    /// The token of before, where agents are to get themselves another one.
    pub outdated: Arc<Mutex<Option<String>>>,
    _tasks: JoinSet<()>,
}

struct World {
    acceptor: TlsAcceptor,
    replicas: Vec<Sessions>,
    reports: mpsc::UnboundedSender<(String, Report)>,
    asked: Arc<AtomicUsize>,
    issuer: Arc<Mutex<Value>>,
    asked_for_keys: Arc<AtomicUsize>,
    registered: Arc<AtomicUsize>,
    outdated: Arc<Mutex<Option<String>>>,
    shown: Arc<Mutex<String>>,
}

impl TestHub {
    pub async fn start(authority: &CertificateAuthority, replicas: usize) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), authority, replicas, Limits::default()).await
    }

    pub async fn start_at(
        address: SocketAddr,
        authority: &CertificateAuthority,
        replicas: usize,
        limits: Limits,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, reports) = mpsc::unbounded_channel();
        let replicas: Vec<Sessions> =
            (0..replicas).map(|_| Sessions::new(limits, Arc::new(SystemClock))).collect();
        let asked = Arc::new(AtomicUsize::new(0));
        let issuer = json!({ "issuer": "https://hub/issuer", "keys": { "keys": [] } });
        let (issuer, asked_for_keys) = (Arc::new(Mutex::new(issuer)), Arc::new(AtomicUsize::new(0)));
        let registered = Arc::new(AtomicUsize::new(0));
        let (outdated, shown) = (Arc::new(Mutex::new(None)), Arc::new(Mutex::new(String::new())));
        let world = World {
            acceptor: acceptor(&super::server_pair(authority)),
            replicas: replicas.clone(),
            reports: sender,
            asked: Arc::clone(&asked),
            issuer: Arc::clone(&issuer),
            asked_for_keys: Arc::clone(&asked_for_keys),
            registered: Arc::clone(&registered),
            outdated: Arc::clone(&outdated),
            shown: Arc::clone(&shown),
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, Arc::new(world)));
        Self {
            address,
            replicas,
            reports,
            asked,
            issuer,
            asked_for_keys,
            registered,
            shown,
            outdated,
            _tasks: tasks,
        }
    }

    pub fn sessions(&self) -> &Sessions {
        &self.replicas[0]
    }

    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }
}

pub fn acceptor(pair: &Pair) -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(pair.private_key.expose_pem().as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = builder.unwrap().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

async fn serve(listener: TcpListener, world: Arc<World>) {
    let mut connections = JoinSet::new();
    for number in 0.. {
        let (stream, _) = listener.accept().await.unwrap();
        let (world, replica) = (Arc::clone(&world), number % world.replicas.len());
        connections.spawn(Box::pin(connection(world, replica, stream)));
    }
}

async fn connection(world: Arc<World>, replica: usize, stream: TcpStream) {
    let Ok(tls) = world.acceptor.accept(stream).await else { return };
    // Tasks of this connection end with it, as they would with the process.
    let (sessions, mut ended) = mpsc::unbounded_channel::<tokio::task::JoinHandle<()>>();
    let service = service_fn(|request| answer(Arc::clone(&world), replica, request, sessions.clone()));
    let connection = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(tls), service)
        .with_upgrades();
    let _ = connection.await;
    drop(sessions);
    while let Some(task) = ended.recv().await {
        let _ = tokio_util::task::AbortOnDropHandle::new(task).await;
    }
}

type Answer = Result<Response<Full<Bytes>>, hyper::Error>;

async fn answer(
    world: Arc<World>,
    replica: usize,
    mut request: Request<Incoming>,
    tasks: mpsc::UnboundedSender<tokio::task::JoinHandle<()>>,
) -> Answer {
    let bearer =
        request.headers().get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let bearer = bearer.strip_prefix("Bearer ").unwrap_or_default().to_owned();
    match request.uri().path() {
        REGISTER_PATH if bearer == "import" => {
            let body = request.into_body().collect().await?.to_bytes();
            let asked: uplink::Registration = serde_json::from_slice(&body).unwrap();
            world.registered.fetch_add(1, Ordering::SeqCst);
            let mut registered = world.issuer.lock().unwrap().clone();
            registered["cluster"] = json!(asked.cluster_uid);
            registered["token"] = json!(format!("agent-{}", asked.cluster_uid));
            Ok(plain(StatusCode::OK, &registered.to_string()))
        }
        KEYS_PATH => {
            world.asked_for_keys.fetch_add(1, Ordering::SeqCst);
            Ok(plain(StatusCode::OK, &world.issuer.lock().unwrap()["keys"].to_string()))
        }
        RENEW_PATH if world.outdated.lock().unwrap().as_ref() == Some(&bearer) => {
            Ok(plain(StatusCode::OK, &json!({ "token": format!("{bearer}-renewed") }).to_string()))
        }
        CONNECT_PATH => {
            world.asked.fetch_add(1, Ordering::SeqCst);
            let Some(cluster) = bearer.strip_prefix("agent-").map(str::to_owned) else {
                return Ok(plain(StatusCode::UNAUTHORIZED, "no such token"));
            };
            let name = Replica { id: format!("server-{replica}"), count: world.replicas.len() };
            let mut greeting = greet(&request, &name).unwrap();
            if world.outdated.lock().unwrap().as_ref() == Some(&bearer) {
                greeting = greeting.asking_to_renew();
            }
            world.shown.lock().unwrap().clone_from(&bearer);
            let cluster = cluster.trim_end_matches("-renewed").to_owned();
            let sessions = world.replicas[replica].clone();
            let reservation = sessions.reserve(&cluster);
            let upgrade = hyper::upgrade::on(&mut request);
            let task = tokio::spawn(async move {
                let socket = TokioIo::new(upgrade.await.unwrap());
                let on_report = |report| drop(world.reports.send((cluster.clone(), report)));
                Box::pin(sessions.accept(reservation, &greeting.instance, socket, on_report)).await;
            });
            let _ = tasks.send(task);
            Ok(greeting.answer.map(|()| Full::default()))
        }
        _ => Ok(plain(StatusCode::UNAUTHORIZED, "no")),
    }
}

fn plain(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    Response::builder().status(status).body(Full::new(Bytes::from(text.to_owned()))).unwrap()
}
