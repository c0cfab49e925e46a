//! Settings of the operator: flags, each also an environment variable.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Parser, ValueEnum};
use desired::placement::StoreSelector;
use jiff::SignedDuration;

/// Reconciles tenants' control planes and their data stores.
#[derive(Debug, Clone, Parser)]
#[command(name = "flotilla-operator", version)]
pub struct Settings {
    /// Namespace that the operator runs in
    #[arg(long, env = "POD_NAMESPACE", default_value = "flotilla-system")]
    pub namespace: String,
    /// Name of this replica, unique among replicas
    #[arg(long, env = "POD_NAME", default_value = "flotilla-operator")]
    pub identity: String,
    /// Kubeconfig of the management cluster; in a pod the service account is used
    #[arg(long, env = "KUBECONFIG")]
    pub kubeconfig: Option<PathBuf>,
    /// DataStore of control planes that name none
    #[arg(long, env = "FLOTILLA_DATASTORE", default_value = "")]
    pub datastore: String,
    /// How control planes that name no DataStore get one: `default` gives them that of --datastore,
    /// `fewest-tenants` the one that has the fewest of those that are ready and have room
    #[arg(long, env = "FLOTILLA_DATASTORE_POLICY", default_value = "default")]
    pub datastore_policy: StorePolicy,
    /// Labels of the DataStores that `fewest-tenants` and the annotation `flotilla.dev/datastore-selector`
    /// choose from, such as `tier=gold,zone in (a,b)`; all without it
    #[arg(long, env = "FLOTILLA_DATASTORE_SELECTOR", default_value = "")]
    pub datastore_selector: StoreSelector,
    /// Image of kine, which stands between the API server and SQL or NATS stores
    #[arg(long, env = "FLOTILLA_KINE_IMAGE", default_value = "rancher/kine:v0.17.5")]
    pub kine_image: String,
    /// Image of the Jobs that take and restore backups: the operator's own
    #[arg(long, env = "FLOTILLA_JOB_IMAGE", default_value = "docker.io/flotilla/operator:latest")]
    pub job_image: String,
    /// Directory of the nodes below which backups may be kept, each namespace's in a part of its own;
    /// none is allowed without it
    #[arg(long, env = "FLOTILLA_BACKUP_DIRECTORY", default_value = "")]
    pub backup_directory: String,
    /// GOGC of the control planes' components: lower needs less memory and more CPU; 0 leaves Go's default
    #[arg(long, env = "FLOTILLA_GO_GC", default_value_t = 50)]
    pub go_gc: u32,
    /// Control planes that may start at the same time: a number, or `auto` for one per CPU of the nodes
    #[arg(long, env = "FLOTILLA_START_SLOTS", default_value = "auto")]
    pub start_slots: StartSlots,
    /// Certificates are renewed this long before they end; at least 24h
    #[arg(
        long,
        env = "FLOTILLA_CERTIFICATE_EXPIRATION_DEADLINE",
        default_value = "24h",
        value_parser = deadline
    )]
    pub certificate_expiration_deadline: SignedDuration,
    /// Address that serves the admission webhooks
    #[arg(long, env = "FLOTILLA_WEBHOOK_BIND_ADDRESS", default_value = "0.0.0.0:9443")]
    pub webhook_bind_address: SocketAddr,
    /// Service through which the API server reaches the webhooks
    #[arg(long, env = "FLOTILLA_WEBHOOK_SERVICE_NAME", default_value = "flotilla-webhook")]
    pub webhook_service_name: String,
    /// MutatingWebhookConfiguration whose CA bundle the operator fills in
    #[arg(
        long,
        env = "FLOTILLA_MUTATING_WEBHOOK_CONFIGURATION",
        default_value = "flotilla-mutating-webhook-configuration"
    )]
    pub mutating_webhook_configuration: String,
    /// ValidatingWebhookConfiguration whose CA bundle the operator fills in
    #[arg(
        long,
        env = "FLOTILLA_VALIDATING_WEBHOOK_CONFIGURATION",
        default_value = "flotilla-validating-webhook-configuration"
    )]
    pub validating_webhook_configuration: String,
    /// Address that serves `/metrics`
    #[arg(long, env = "FLOTILLA_METRICS_BIND_ADDRESS", default_value = "0.0.0.0:8080")]
    pub metrics_bind_address: SocketAddr,
    /// Address that serves `/healthz` and `/readyz`
    #[arg(long, env = "FLOTILLA_HEALTH_PROBE_BIND_ADDRESS", default_value = "0.0.0.0:8081")]
    pub health_probe_bind_address: SocketAddr,
    /// Elect a leader among replicas; switch off only where there is one
    #[arg(long, env = "FLOTILLA_LEADER_ELECT", default_value_t = true, action = clap::ArgAction::Set)]
    pub leader_elect: bool,
    /// Name of an etcd that the chart deploys: its certificates are made and its authentication switched on
    #[arg(long, env = "FLOTILLA_MANAGED_ETCD")]
    pub managed_etcd: Option<String>,
    /// Namespace of what the tunnel that tenants share knows of them; the installation has none without it
    #[arg(long, env = "FLOTILLA_TUNNEL_NAMESPACE", default_value = "")]
    pub tunnel_namespace: String,
    /// URL that the hub's identities name as their issuer, such as `https://hub.example.com/issuer`; control
    /// planes trust no hub without it
    #[arg(long, env = "FLOTILLA_HUB_ISSUER", default_value = "", value_parser = https)]
    pub hub_issuer: String,
    /// URL inside the management cluster of the issuer's discovery document, such as
    /// `https://flotilla-server.flotilla-system.svc/issuer/.well-known/openid-configuration`; below the issuer's
    /// own without it
    #[arg(long, env = "FLOTILLA_HUB_DISCOVERY", default_value = "", value_parser = https)]
    pub hub_discovery: String,
    /// Secret of the operator's namespace whose `ca.crt` verifies that place; authorities that images know do
    /// without it
    #[arg(long, env = "FLOTILLA_HUB_CERTIFICATE_SECRET", default_value = "")]
    pub hub_certificate_secret: String,
    /// What is logged, such as `info` or `info,operator=debug`
    #[arg(long, env = "FLOTILLA_LOG", default_value = "info")]
    pub log: String,
    /// Log as JSON, one object per line
    #[arg(long, env = "FLOTILLA_LOG_JSON", default_value_t = false)]
    pub log_json: bool,
    /// OpenTelemetry collector that traces are sent to by OTLP over gRPC, such as
    /// `http://collector:4317`; none are sent without it
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,
}

impl Settings {
    /// The DataStore of control planes that name none; empty if each is chosen, or there is no default.
    #[must_use]
    pub fn default_store(&self) -> &str {
        match self.datastore_policy {
            StorePolicy::Default => &self.datastore,
            StorePolicy::FewestTenants => "",
        }
    }
}

/// How control planes that name no DataStore get one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StorePolicy {
    /// All get the same.
    Default,
    /// Each gets the one with the fewest control planes.
    FewestTenants,
}

/// Reads a span such as `36h` or `90h30m`, of a day at least.
fn deadline(text: &str) -> Result<SignedDuration, String> {
    let span: SignedDuration =
        text.parse().map_err(|_| format!("`{text}` is no duration; write it like `36h`"))?;
    if span < SignedDuration::from_hours(24) {
        return Err(format!("`{text}` is too short; certificates need at least 24h"));
    }
    Ok(span)
}

/// Takes a URL that API servers take: of any other they would not start. None is empty.
fn https(text: &str) -> Result<String, String> {
    let place = text.strip_prefix("https://").unwrap_or_default();
    let host = place.split('/').next().unwrap_or_default();
    let is_plain =
        text.chars().all(|letter| letter.is_ascii_graphic() && !"?#@%\\\"<>^`{|}".contains(letter));
    if text.is_empty() || (is_plain && !host.is_empty() && !host.starts_with(':')) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "`{text}` does not serve; write it like `https://hub.example.com/issuer`, without user and query"
    ))
}

/// How many control planes may start at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartSlots {
    /// One per allocatable CPU of the nodes that take pods.
    Auto,
    /// This many.
    Fixed(NonZeroUsize),
}

impl FromStr for StartSlots {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        text.parse()
            .map(Self::Fixed)
            .map_err(|_| format!("`{text}` is neither `auto` nor a number of at least 1"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Settings, StartSlots};
    use clap::{CommandFactory, Parser};

    #[test]
    fn flags_are_well_formed_and_have_defaults_that_serve() {
        Settings::command().debug_assert();
        let settings = Settings::parse_from(["flotilla-operator"]);
        assert_eq!(settings.start_slots, StartSlots::Auto);
        assert!(settings.leader_elect);
    }

    #[test]
    fn certificates_are_renewed_a_day_before_their_end_at_least() {
        assert_eq!(super::deadline("36h"), Ok(jiff::SignedDuration::from_hours(36)));
        assert!(super::deadline("23h59m").is_err());
        assert!(super::deadline("a day").is_err());
    }

    #[test]
    fn a_hub_is_named_by_urls_that_api_servers_take() {
        for text in ["", "https://hub.example.com/issuer", "https://[fd00::1]:8443/a/.well-known/b"] {
            assert_eq!(super::https(text), Ok(text.to_owned()));
        }
        for text in [
            "http://hub.example.com",
            "https://",
            "https:///issuer",
            "https://a@hub",
            "https://hub?a",
            "https://hub#a",
            "https://hub/ a",
            "hub.example.com",
        ] {
            assert!(super::https(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_start_slot_at_all_is_refused() {
        assert!("0".parse::<StartSlots>().is_err());
        assert!("4".parse::<StartSlots>().is_ok());
    }
}
