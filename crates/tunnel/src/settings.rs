//! Settings of the tunnel: flags, each also an environment variable.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;

/// Passes streams from tenants' API servers to their workers.
#[derive(Debug, Clone, Parser)]
#[command(name = "flotilla-tunnel", version)]
pub struct Settings {
    /// Name of this replica; agents tell replicas apart by it
    #[arg(long, env = "POD_NAME", default_value = "flotilla-tunnel")]
    pub identity: String,
    /// Number of replicas: agents connect until they know as many
    #[arg(long, env = "FLOTILLA_TUNNEL_REPLICAS", default_value_t = 1)]
    pub replicas: usize,
    /// Namespace of the tenants' Secrets and of the tunnel's own
    #[arg(long, env = "FLOTILLA_TUNNEL_NAMESPACE", default_value = "flotilla-system-tunnel")]
    pub namespace: String,
    /// Kubeconfig of the management cluster; in a pod the service account is used
    #[arg(long, env = "KUBECONFIG")]
    pub kubeconfig: Option<PathBuf>,
    /// Address that agents connect to
    #[arg(long, env = "FLOTILLA_TUNNEL_AGENT_BIND_ADDRESS", default_value = "0.0.0.0:8132")]
    pub agent_bind_address: SocketAddr,
    /// Address that API servers connect to
    #[arg(long, env = "FLOTILLA_TUNNEL_API_BIND_ADDRESS", default_value = "0.0.0.0:8131")]
    pub api_bind_address: SocketAddr,
    /// Address that serves `/metrics`
    #[arg(long, env = "FLOTILLA_TUNNEL_METRICS_BIND_ADDRESS", default_value = "0.0.0.0:8080")]
    pub metrics_bind_address: SocketAddr,
    /// Address that serves `/healthz` and `/readyz`
    #[arg(long, env = "FLOTILLA_TUNNEL_HEALTH_PROBE_BIND_ADDRESS", default_value = "0.0.0.0:8081")]
    pub health_probe_bind_address: SocketAddr,
    /// Seconds that streams may go on after the wish to stop
    #[arg(long, env = "FLOTILLA_TUNNEL_GRACE_SECONDS", default_value_t = 20)]
    pub grace_seconds: u64,
    /// What is logged, such as `info` or `info,tunnel=debug`
    #[arg(long, env = "FLOTILLA_LOG", default_value = "info")]
    pub log: String,
    /// Log as JSON, one object per line
    #[arg(long, env = "FLOTILLA_LOG_JSON", default_value_t = false)]
    pub log_json: bool,
}
