//! When a server is ready: it answers, not merely runs.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::Instant;

const INTERVAL: Duration = Duration::from_millis(50);
const ATTEMPT: Duration = Duration::from_secs(5);

/// How to ask a server whether it is ready.
#[derive(Debug, Clone)]
pub enum Probe {
    /// It accepts TCP connections.
    Tcp(SocketAddr),
    /// It accepts connections on a Unix socket.
    Unix(PathBuf),
    /// It is an API server and its `/readyz` says `ok` to the identity of a kubeconfig.
    ApiServer(PathBuf),
}

impl Probe {
    /// Asks once; the error is a sentence for people.
    pub async fn check(&self) -> Result<(), String> {
        tokio::time::timeout(ATTEMPT, self.attempt()).await.unwrap_or_else(|_| Err("no answer".to_owned()))
    }

    async fn attempt(&self) -> Result<(), String> {
        match self {
            Self::Tcp(address) => TcpStream::connect(address).await.map(drop).map_err(|e| e.to_string()),
            Self::Unix(path) => UnixStream::connect(path).await.map(drop).map_err(|e| e.to_string()),
            Self::ApiServer(kubeconfig) => ask_api_server(kubeconfig).await,
        }
    }
}

async fn ask_api_server(kubeconfig: &Path) -> Result<(), String> {
    let client = client(kubeconfig).await?;
    let request = http::Request::get("/readyz").body(Vec::new()).map_err(|error| error.to_string())?;
    client.request_text(request).await.map(drop).map_err(|error| error.to_string())
}

/// A client with the identity of a kubeconfig.
pub(crate) async fn client(kubeconfig: &Path) -> Result<kube::Client, String> {
    // Another part of the program may have chosen a provider before; either serves.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let kubeconfig = Kubeconfig::read_from(kubeconfig).map_err(|error| error.to_string())?;
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .map_err(|error| error.to_string())?;
    kube::Client::try_from(config).map_err(|error| error.to_string())
}

/// Asks until the answer is yes. The error is the last answer.
pub async fn wait_until_ready(probe: &Probe, patience: Duration) -> Result<(), String> {
    let deadline = Instant::now() + patience;
    loop {
        match probe.check().await {
            Ok(()) => return Ok(()),
            Err(last) if Instant::now() >= deadline => return Err(last),
            Err(_) => tokio::time::sleep(INTERVAL).await,
        }
    }
}
