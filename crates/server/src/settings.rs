//! Settings of the server: flags, each also an environment variable.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;

/// The hub: tenants, people, permissions and every cluster behind one API.
#[derive(Debug, Clone, Parser)]
#[command(name = "flotilla-server", version)]
pub struct Settings {
    /// Namespace that the server runs in
    #[arg(long, env = "POD_NAMESPACE", default_value = "flotilla-system")]
    pub namespace: String,
    /// Name of this replica, unique among replicas
    #[arg(long, env = "POD_NAME", default_value = "flotilla-server")]
    pub identity: String,
    /// Kubeconfig of the management cluster; in a pod the service account is used
    #[arg(long, env = "KUBECONFIG")]
    pub kubeconfig: Option<PathBuf>,
    /// URL at which people and agents reach the hub, without a path
    #[arg(long, env = "FLOTILLA_URL", value_parser = origin)]
    pub url: String,
    /// Service of the server in the management cluster
    #[arg(long, env = "FLOTILLA_SERVICE", default_value = "flotilla-server")]
    pub service: String,
    /// Address that serves HTTPS
    #[arg(long, env = "FLOTILLA_BIND_ADDRESS", default_value = "0.0.0.0:8443")]
    pub bind_address: SocketAddr,
    /// Database of sessions, keys and the audit log: `sqlite:///path?mode=rwc` for one replica, or
    /// `postgres://user:password@host/database`
    #[arg(
        long,
        env = "FLOTILLA_RECORDS",
        default_value = "sqlite:///var/lib/flotilla/records.db?mode=rwc",
        hide_env_values = true
    )]
    pub records: String,
    /// How many replicas there are: agents of imported clusters connect to each
    #[arg(long, env = "FLOTILLA_REPLICAS", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=8))]
    pub replicas: u8,
    /// Image of the agent in imported clusters
    #[arg(
        long,
        env = "FLOTILLA_AGENT_IMAGE",
        default_value = concat!("docker.io/flotilla/agent:", env!("CARGO_PKG_VERSION"))
    )]
    pub agent_image: String,
    /// Days that the audit log is kept
    #[arg(long, env = "FLOTILLA_AUDIT_DAYS", default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..))]
    pub audit_days: u16,
    /// Seconds after which an identity provider is asked again about somebody whose session is in use
    #[arg(
        long,
        env = "FLOTILLA_PROVIDER_CHECK_SECONDS",
        default_value_t = 60,
        value_parser = clap::value_parser!(u16).range(1..=120)
    )]
    pub provider_check_seconds: u16,
    /// Requests a second that a user may send, twice as many at once; people of one tenant share three times that. 0 is
    /// no limit
    #[arg(long, env = "FLOTILLA_REQUESTS_PER_SECOND", default_value_t = 100)]
    pub requests_per_second: u32,
    /// Requests of a user that may be under way at once, streams aside; people of one tenant share three times that. 0 is
    /// no limit
    #[arg(long, env = "FLOTILLA_REQUESTS_AT_ONCE", default_value_t = 200)]
    pub requests_at_once: u32,
    /// Watches, logs and streams into pods that a user may have open; people of one tenant share three times that. 0 is no
    /// limit
    #[arg(long, env = "FLOTILLA_STREAMS_AT_ONCE", default_value_t = 2000)]
    pub streams_at_once: u32,
    /// Requests a second from one address (of IPv6: from one /64) by those who have not signed in, ten times as many at
    /// once; all addresses together may send four times that. 0 is no limit
    #[arg(long, env = "FLOTILLA_STRANGERS_PER_SECOND", default_value_t = 50)]
    pub strangers_per_second: u32,
    /// Connections that are open at once, those of agents aside. 0 is no limit
    #[arg(long, env = "FLOTILLA_CONNECTIONS", default_value_t = 10_000)]
    pub connections: u32,
    /// Address that serves `/metrics`
    #[arg(long, env = "FLOTILLA_METRICS_BIND_ADDRESS", default_value = "0.0.0.0:8080")]
    pub metrics_bind_address: SocketAddr,
    /// Address that serves `/healthz` and `/readyz`
    #[arg(long, env = "FLOTILLA_HEALTH_PROBE_BIND_ADDRESS", default_value = "0.0.0.0:8081")]
    pub health_probe_bind_address: SocketAddr,
    /// What is logged, such as `info` or `info,server=debug`
    #[arg(long, env = "FLOTILLA_LOG", default_value = "info")]
    pub log: String,
    /// Log as JSON, one object per line
    #[arg(long, env = "FLOTILLA_LOG_JSON", default_value_t = false)]
    pub log_json: bool,
}

impl Settings {
    /// URL of the issuer of identities.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("{}/issuer", self.url)
    }
}

/// Reads `https://host[:port]`.
fn origin(text: &str) -> Result<String, String> {
    let wrong = || format!("`{text}` is no URL of a hub; write it like `https://hub.example.com`");
    let text_without_slash = text.strip_suffix('/').unwrap_or(text);
    let uri: http::Uri = text_without_slash.parse().map_err(|_| wrong())?;
    let is_origin = uri.scheme_str() == Some("https")
        && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
        && uri.path() == "/"
        && uri.query().is_none();
    if is_origin { Ok(text_without_slash.to_owned()) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Settings, origin};

    #[test]
    fn flags_are_well_formed_and_the_issuer_follows_the_url() {
        Settings::command().debug_assert();
        let settings = Settings::parse_from(["flotilla-server", "--url", "https://hub.example.com/"]);
        assert_eq!(settings.issuer(), "https://hub.example.com/issuer");
    }

    #[test]
    fn a_url_that_people_cannot_trust_is_refused() {
        for wrong in
            ["http://hub", "https://hub/path", "https://user@hub", "hub", "https://", "https://hub/?a=b"]
        {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
        assert!(origin("https://127.0.0.1:8443").is_ok());
    }
}
