//! The cluster that the agent runs in: its API server, reached by the agent's service account.

use std::path::{Path, PathBuf};

use kube::Client;
use relay::{Endpoint, EndpointError, Timeouts, Upstream};
use serde_json::json;

use crate::Settings;
use crate::token::TokenFile;

/// Why the cluster's API server cannot be spoken to.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// A file of the service account is missing.
    #[error("failed to read {}; give the agent's pod a service account", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// No client could be made of them.
    #[error("failed to set up the client of the cluster")]
    Client(#[from] kubekit::ClientError),
    /// Nor a way to relay requests.
    #[error("failed to set up the way to the cluster's API server")]
    Endpoint(#[from] EndpointError),
}

/// The API server, as the agent itself and as those that it lets in reach it.
pub struct Cluster {
    pub(crate) client: Client,
    pub(crate) upstream: Upstream,
    pub(crate) token: TokenFile,
}

impl Cluster {
    /// Makes the clients; connects to nothing yet.
    ///
    /// # Errors
    /// [`ClusterError`] if the service account or the address cannot be used.
    pub async fn new(settings: &Settings) -> Result<Self, ClusterError> {
        let (token, ca) = (settings.service_account.join("token"), settings.service_account.join("ca.crt"));
        let authority = tokio::fs::read_to_string(&ca).await;
        let authority = authority.map_err(|source| ClusterError::Read { path: ca.clone(), source })?;
        let bare = settings.api_server_host.trim_start_matches('[').trim_end_matches(']');
        let host = if bare.contains(':') { format!("[{bare}]") } else { bare.to_owned() };
        let address = format!("{host}:{}", settings.api_server_port);
        let kubeconfig = kubeconfig(&format!("https://{address}"), &token, &ca);
        let client = kubekit::client_for_kubeconfig(&kubeconfig, None, None).await?;
        let endpoint = Endpoint { address, server_name: bare.to_owned(), authority, client: None };
        let upstream = Upstream::endpoint("this cluster", &endpoint, Timeouts::default())?;
        Ok(Self { client, upstream, token: TokenFile::new(token) })
    }
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Cluster").finish_non_exhaustive()
    }
}

/// With the token as a file, which the client reads again by itself. JSON is YAML too.
fn kubeconfig(server: &str, token: &Path, ca: &Path) -> String {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "own",
        "clusters": [{ "name": "own", "cluster": { "server": server, "certificate-authority": ca } }],
        "users": [{ "name": "own", "user": { "tokenFile": token } }],
        "contexts": [{ "name": "own", "context": { "cluster": "own", "user": "own" } }],
    })
    .to_string()
}
