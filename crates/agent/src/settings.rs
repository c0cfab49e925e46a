//! Settings of the agent: flags, each also an environment variable.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;

/// Connects this cluster to the hub.
#[derive(Debug, Clone, Parser)]
#[command(name = "flotilla-agent", version)]
pub struct Settings {
    /// URL of the hub
    #[arg(long, env = "FLOTILLA_HUB")]
    pub hub: String,
    /// Certificates of the authorities that the hub's is signed by, PEM; no others are trusted
    #[arg(long, env = "FLOTILLA_CA_FILE", default_value = "/etc/flotilla/ca.crt")]
    pub ca_file: PathBuf,
    /// The import token, which is used once
    #[arg(long, env = "FLOTILLA_TOKEN_FILE", default_value = "/etc/flotilla/token")]
    pub token_file: PathBuf,
    /// Namespace of the agent and its Secret
    #[arg(long, env = "FLOTILLA_NAMESPACE", default_value = uplink::NAMESPACE)]
    pub namespace: String,
    /// Host of the cluster's API server
    #[arg(long, env = "KUBERNETES_SERVICE_HOST", default_value = "kubernetes.default.svc")]
    pub api_server_host: String,
    /// Port of the cluster's API server
    #[arg(long, env = "KUBERNETES_SERVICE_PORT", default_value_t = 443)]
    pub api_server_port: u16,
    /// Directory of the service account: `token` and `ca.crt`
    #[arg(
        long,
        env = "FLOTILLA_SERVICE_ACCOUNT_DIRECTORY",
        default_value = "/var/run/secrets/kubernetes.io/serviceaccount"
    )]
    pub service_account: PathBuf,
    /// Address that serves `/healthz` and `/readyz`
    #[arg(long, env = "FLOTILLA_AGENT_HEALTH_PROBE_BIND_ADDRESS", default_value = "0.0.0.0:8081")]
    pub health_probe_bind_address: SocketAddr,
    /// Seconds that requests may go on after the wish to stop
    #[arg(long, env = "FLOTILLA_AGENT_GRACE_SECONDS", default_value_t = 20)]
    pub grace_seconds: u64,
    /// What is logged, such as `info` or `info,agent=debug`
    #[arg(long, env = "FLOTILLA_LOG", default_value = "info")]
    pub log: String,
    /// Log as JSON, one object per line
    #[arg(long, env = "FLOTILLA_LOG_JSON", default_value_t = false)]
    pub log_json: bool,
}
