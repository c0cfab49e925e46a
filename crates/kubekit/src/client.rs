//! The one client builder: time-outs and names are set here and nowhere else.

use std::path::Path;
use std::time::Duration;

use hyper_rustls::{FixedServerNameResolver, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::Client;
use kube::client::{Body, ConfigExt};
use kube::config::{AuthInfo, Config, KubeConfigOptions, Kubeconfig, KubeconfigError};
use tower::ServiceBuilder;

/// Longest wait for a TCP and TLS connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a shared connection is tried while something is awaited on it, and how long an answer may
/// take: watches are silent for minutes, so that only this shows that the other side is gone.
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// Group of those who may do everything.
const MASTERS: &str = "system:masters";

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
    /// The authority's certificate is not PEM.
    #[error("failed to read the certificate of the authority: it is not PEM")]
    Authority,
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

/// A client of a server by its URL, the certificate of its authority (those that the system knows without one) and a
/// bearer token.
pub fn client_for_server(
    url: &str,
    authority: Option<&str>,
    token: Option<&str>,
) -> Result<Client, ClientError> {
    let address = || ClientError::Address { address: url.to_owned() };
    let mut config = Config::new(url.parse().map_err(|_| address())?);
    if let Some(authority) = authority {
        let certificates = pem::parse_many(authority).map_err(|_| ClientError::Authority)?;
        config.root_cert = Some(certificates.into_iter().map(pem::Pem::into_contents).collect());
    }
    config.auth_info = AuthInfo { token: token.map(|token| token.to_owned().into()), ..AuthInfo::default() };
    build(config)
}

/// A client whose requests and watches share one connection (HTTP/2), acting as `user` with all rights:
/// the kubeconfig's user must be allowed to. Bound the time of each request yourself.
pub async fn shared_client_for_kubeconfig(
    text: &str,
    endpoint: &Endpoint,
    user: &str,
) -> Result<Client, ClientError> {
    let mut read = Kubeconfig::from_yaml(text).map_err(unreadable)?;
    for named in &mut read.auth_infos {
        let identity = named.auth_info.get_or_insert_with(AuthInfo::default);
        identity.impersonate = Some(user.to_owned());
        identity.impersonate_groups = Some(vec![MASTERS.to_owned()]);
    }
    let mut config =
        Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await.map_err(unreadable)?;
    let address = || ClientError::Address { address: endpoint.url.clone() };
    config.cluster_url = endpoint.url.parse().map_err(|_| address())?;
    let server_name = endpoint.server_name.clone().try_into().map_err(|_| address())?;
    let failed = |error| ClientError::Build(Box::new(error));
    let mut plain = HttpConnector::new();
    plain.enforce_http(false);
    plain.set_connect_timeout(Some(CONNECT_TIMEOUT));
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(config.rustls_client_config().map_err(failed)?)
        .https_only()
        .with_server_name_resolver(FixedServerNameResolver::new(server_name))
        .enable_http2()
        .wrap_connector(plain);
    let transport = hyper_util::client::legacy::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .http2_only(true)
        .http2_keep_alive_interval(PING_EVERY)
        .http2_keep_alive_timeout(PING_TIMEOUT)
        .build::<_, Body>(connector);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .layer(config.extra_headers_layer().map_err(failed)?)
        .service(transport);
    Ok(Client::new(service, config.default_namespace))
}

fn build(mut config: Config) -> Result<Client, ClientError> {
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    Client::try_from(config).map_err(|error| ClientError::Build(Box::new(error)))
}

fn unreadable(error: KubeconfigError) -> ClientError {
    ClientError::Kubeconfig(Box::new(error))
}
