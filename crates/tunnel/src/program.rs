//! The program: listeners, the watch of Secrets, and an orderly end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base::{Clock, SystemClock};
use futures::StreamExt;
use prometheus_client::registry::Registry as MetricsRegistry;
use service::{Health, ProcessUsage};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Server;

use crate::agent_service::Service;
use crate::limits::LARGEST_MESSAGE;
use crate::proto::agent_service_server::AgentServiceServer;
use crate::{Limits, Metrics, Registry, Settings, agent_listener, api_listener, watch};

/// Bytes that an agent may send before the tunnel has taken them.
const WINDOW: u32 = 256 << 10;
/// Size of all metadata of an agent's call; a token has about 1 KiB.
const METADATA: u32 = 16 << 10;
/// Endpoints need this long to leave load balancers.
const LEAVE: Duration = Duration::from_secs(3);

/// Why the tunnel cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A port cannot be listened on.
    #[error("failed to listen on {address}; is the port in use?")]
    Listen {
        /// Address of the port.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The management cluster's credentials cannot be used.
    #[error("failed to set up the client of the management cluster; see --kubeconfig")]
    Client(#[from] kubekit::ClientError),
    /// Health or metrics cannot be served.
    #[error(transparent)]
    Endpoint(#[from] service::ServeError),
    /// The agents' port ended.
    #[error("the agents' port ended")]
    Agents(#[from] tonic::transport::Error),
}

/// The ports of the tunnel, open.
#[derive(Debug)]
pub struct Listeners {
    /// Where agents connect to.
    pub agents: TcpListener,
    /// Where API servers connect to.
    pub api_servers: TcpListener,
}

/// Runs until the process is told to stop.
pub async fn run(settings: Settings) -> Result<(), Error> {
    let (health, metrics) = (Health::default(), Metrics::default());
    let mut known = MetricsRegistry::default();
    metrics.register(&mut known);
    known.register_collector(Box::new(ProcessUsage));
    let registry = Registry::new(Limits::default(), metrics.clone());
    let listeners = Listeners {
        agents: listen(settings.agent_bind_address).await?,
        api_servers: listen(settings.api_bind_address).await?,
    };
    let client = kubekit::client(settings.kubeconfig.as_deref()).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    tokio::select! {
        ended = service::serve_health(settings.health_probe_bind_address, health.clone()) => ended?,
        ended = service::serve_metrics(settings.metrics_bind_address, Arc::new(known)) => ended?,
        ended = serve(listeners, registry.clone(), clock, &settings.identity, settings.replicas) => ended?,
        () = watch::follow(client, &settings.namespace, registry, health.clone()) => {}
        () = stop(&health, &metrics, Duration::from_secs(settings.grace_seconds)) => {}
    }
    Ok(())
}

/// Serves both ports, for ever.
pub async fn serve(
    listeners: Listeners,
    registry: Registry,
    clock: Arc<dyn Clock>,
    identity: &str,
    replicas: usize,
) -> Result<(), Error> {
    let (ready, connections) = mpsc::channel(16);
    let keepalive = registry.limits().keepalive;
    let service = Service { registry: registry.clone(), clock, identity: identity.to_owned(), replicas };
    let service = AgentServiceServer::new(service).max_decoding_message_size(LARGEST_MESSAGE);
    let agents = Server::builder()
        .http2_keepalive_interval(Some(keepalive))
        .http2_keepalive_timeout(Some(keepalive))
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_concurrent_streams(2)
        .http2_max_header_list_size(METADATA)
        .add_service(service)
        .serve_with_incoming(ReceiverStream::new(connections).map(Ok::<_, std::io::Error>));
    tokio::select! {
        ended = agents => Ok(ended?),
        () = agent_listener::accept(listeners.agents, registry.clone(), ready) => Ok(()),
        () = api_listener::accept(listeners.api_servers, registry) => Ok(()),
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })
}

/// Waits for the wish to stop, then until streams have ended or the grace is over.
async fn stop(health: &Health, metrics: &Metrics, grace: Duration) {
    service::stop_signal().await;
    let finish = async {
        // Until then new streams still come here.
        tokio::time::sleep(LEAVE).await;
        while metrics.open_streams() > 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    health.set_ready(false);
    if tokio::time::timeout(grace, finish).await.is_err() {
        tracing::warn!(streams = metrics.open_streams(), "streams are cut off: the grace is over");
    }
}
