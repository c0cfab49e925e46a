//! The service that agents call: authentication by token, then packets in both directions.

use std::pin::Pin;
use std::sync::Arc;

use base::Clock;
use futures::{Stream, StreamExt};
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Request, Response, Status, Streaming};

use crate::agent::Agent;
use crate::agent_listener::Peer;
use crate::identifiers::Identifiers;
use crate::pool::Pool;
use crate::proto::Packet;
use crate::proto::agent_service_server::AgentService;
use crate::registry::Registry;
use crate::token::Refusal;

const BEARER: &str = "Bearer ";
/// Longer identities of agents are refused.
const LONGEST_ID: usize = 256;

/// The service, for all tenants.
pub(crate) struct Service {
    pub(crate) registry: Registry,
    pub(crate) clock: Arc<dyn Clock>,
    /// What agents tell replicas of the tunnel apart by.
    pub(crate) identity: String,
    /// Number of replicas: agents connect until they know as many.
    pub(crate) replicas: usize,
}

#[tonic::async_trait]
impl AgentService for Service {
    type ConnectStream = Pin<Box<dyn Stream<Item = Result<Packet, Status>> + Send>>;

    async fn connect(
        &self,
        request: Request<Streaming<Packet>>,
    ) -> Result<Response<Self::ConnectStream>, Status> {
        let peer = request.extensions().get::<Peer>().cloned();
        let peer = peer.ok_or_else(|| Status::internal("the connection has no tenant"))?;
        let (agent, outbound) = self.admit(&peer, request.metadata()).inspect_err(|status| {
            self.registry.metrics().refused("agent");
            tracing::info!(uid = peer.uid, reason = status.message(), "an agent was refused");
        })?;
        tokio::spawn(read(agent.agent, agent.pool, request.into_inner()));
        let mut response = Response::new(outbound);
        self.introduce(response.metadata_mut());
        Ok(response)
    }
}

/// An agent that has been let in.
struct Admitted {
    agent: Arc<Agent>,
    pool: Arc<Pool>,
}

type Outbound = Pin<Box<dyn Stream<Item = Result<Packet, Status>> + Send>>;

impl Service {
    fn admit(&self, peer: &Peer, metadata: &MetadataMap) -> Result<(Admitted, Outbound), Status> {
        // As it stands now: the handshake may have been long ago.
        let entry = self.registry.find(&peer.uid).ok_or_else(|| Status::unauthenticated("no such tenant"))?;
        let verdict = bearer(metadata).and_then(|token| entry.tenant.tokens.verify(token, self.clock.now()));
        verdict.map_err(|refusal| Status::unauthenticated(refusal.to_string()))?;
        let id = text(metadata, "agentid").filter(|id| !id.is_empty() && id.len() <= LONGEST_ID);
        let id =
            id.ok_or_else(|| Status::invalid_argument("the agent must name itself in agentID"))?.to_owned();
        let identifiers = Identifiers::parse(text(metadata, "agentidentifiers").unwrap_or_default());

        let seat = entry.pool.seat().ok_or_else(|| {
            Status::resource_exhausted("the tenant has as many agents as the tunnel allows")
        })?;
        if !peer.admission.admit(seat) {
            return Err(Status::already_exists("this connection has its stream already"));
        }
        let (limits, metrics) = (*self.registry.limits(), self.registry.metrics().clone());
        let (agent, packets) = Agent::new(id, identifiers, Arc::clone(&entry.pool.bytes), limits, metrics);
        let agent = Arc::new(agent);
        if !entry.pool.add(Arc::clone(&agent)) {
            return Err(Status::unauthenticated("the tenant has just been removed"));
        }
        tracing::info!(tenant = entry.pool.name, agent = agent.id, "an agent is connected");
        let ended = agent.gone.clone().cancelled_owned();
        let outbound = ReceiverStream::new(packets).map(Ok).take_until(ended);
        Ok((Admitted { agent, pool: entry.pool }, Box::pin(outbound)))
    }

    fn introduce(&self, metadata: &mut MetadataMap) {
        if let Ok(identity) = MetadataValue::try_from(&self.identity) {
            metadata.insert("serverid", identity);
        }
        metadata.insert("servercount", MetadataValue::from(self.replicas as u64));
    }
}

/// Reads until the agent ends or is to end.
async fn read(agent: Arc<Agent>, pool: Arc<Pool>, mut packets: Streaming<Packet>) {
    let reason = loop {
        let packet = tokio::select! {
            packet = packets.message() => packet,
            () = agent.gone.cancelled() => break "its tenant is gone".to_owned(),
        };
        match packet {
            Ok(Some(packet)) => agent.handle(packet).await,
            Ok(None) => break "it said so".to_owned(),
            Err(status) => break status.message().to_owned(),
        }
    };
    pool.remove(&agent);
    tracing::info!(tenant = pool.name, agent = agent.id, reason, "an agent is gone");
}

/// The one token of a request.
fn bearer(metadata: &MetadataMap) -> Result<&str, Refusal> {
    let mut values = metadata.get_all("authorization").iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(Refusal::Missing) };
    let text = value.to_str().map_err(|_| Refusal::Malformed)?;
    text.strip_prefix(BEARER).map(str::trim).ok_or(Refusal::Missing)
}

fn text<'a>(metadata: &'a MetadataMap, key: &str) -> Option<&'a str> {
    metadata.get(key)?.to_str().ok()
}
