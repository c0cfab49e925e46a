//! The one client builder: time-outs and names are set here and nowhere else.

use std::path::Path;
use std::time::Duration;

use kube::Client;
use kube::config::{Config, KubeConfigOptions, Kubeconfig, KubeconfigError};

/// Longest wait for a TCP and TLS connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Neither a kubeconfig nor a service account was found.
    #[error("failed to find a cluster: set KUBECONFIG, or run in a pod with a service account")]
    Infer(#[source] Box<kube::config::InferConfigError>),
    /// The kubeconfig cannot be read.
    #[error("failed to read the kubeconfig")]
    Kubeconfig(#[source] Box<KubeconfigError>),
    /// The address to reach the cluster at is not a URL.
    #[error("failed to use `{address}` as the address of an API server")]
    Address {
        /// The address that was given.
        address: String,
    },
    /// TLS or HTTP set-up failed.
    #[error("failed to set up the client")]
    Build(#[source] Box<kube::Error>),
}

/// Where to reach a cluster whose kubeconfig names an address that does not lead there from here.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// `https://host:port` to connect to.
    pub url: String,
    /// Name that the server's certificate must carry.
    pub server_name: String,
}

/// A client for the cluster that the file, `KUBECONFIG` or the pod's service account names.
pub async fn client(kubeconfig: Option<&Path>) -> Result<Client, ClientError> {
    let config = match kubeconfig {
        Some(path) => {
            let read = Kubeconfig::read_from(path).map_err(unreadable)?;
            Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await.map_err(unreadable)?
        }
        None => Config::infer().await.map_err(|error| ClientError::Infer(Box::new(error)))?,
    };
    build(config)
}

/// A client from a kubeconfig's text, connecting to `endpoint` if one is given.
///
/// `read_timeout` bounds the wait for bytes; leave it out for watches.
pub async fn client_for_kubeconfig(
    text: &str,
    endpoint: Option<&Endpoint>,
    read_timeout: Option<Duration>,
) -> Result<Client, ClientError> {
    let read = Kubeconfig::from_yaml(text).map_err(unreadable)?;
    let mut config =
        Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await.map_err(unreadable)?;
    config.read_timeout = read_timeout;
    if let Some(endpoint) = endpoint {
        config.cluster_url =
            endpoint.url.parse().map_err(|_| ClientError::Address { address: endpoint.url.clone() })?;
        config.tls_server_name = Some(endpoint.server_name.clone());
    }
    build(config)
}

fn build(mut config: Config) -> Result<Client, ClientError> {
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    Client::try_from(config).map_err(|error| ClientError::Build(Box::new(error)))
}

fn unreadable(error: KubeconfigError) -> ClientError {
    ClientError::Kubeconfig(Box::new(error))
}
