//! A stream through one of a tenant's agents.

use std::sync::Arc;
use std::time::Duration;

use crate::agent::{Agent, Stream};
use crate::packets;
use crate::pool::Pool;

/// Why no stream could be opened. The API server passes the text on to whoever asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DialError {
    #[error(
        "no agent of tenant {0} is connected: see whether pods k8s-app=konnectivity-agent run in its \
         kube-system and reach the API address of the tenant on the port of konnectivity"
    )]
    NoAgent(String),
    #[error("an agent of tenant {tenant} could not reach {address}: {reason}; see whether it listens there")]
    Unreachable { tenant: String, address: String, reason: String },
    #[error("no agent of tenant {tenant} answered within {seconds} s for {address}; see the agents' logs")]
    Timeout { tenant: String, address: String, seconds: u64 },
    #[error(
        "tenant {0} has as many streams as the tunnel allows: wait until some end, such as log followers"
    )]
    TooMany(String),
}

impl DialError {
    /// Label of the metric.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::NoAgent(_) => "no_agent",
            Self::Unreachable { .. } => "unreachable",
            Self::Timeout { .. } => "timeout",
            Self::TooMany(_) => "too_many",
        }
    }
}

/// A dial that an agent has been asked for; forgotten when dropped.
struct Pending<'a> {
    agent: &'a Agent,
    random: i64,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if self.agent.forget_dial(self.random) {
            self.agent.try_send(packets::give_up(self.random));
        }
    }
}

/// Opens a connection to `address` through the best agent, and through another if that one vanishes.
pub(crate) async fn open(
    pool: &Pool,
    host: &str,
    address: &str,
    patience: Duration,
) -> Result<(Arc<Agent>, Stream), DialError> {
    let timeout = || DialError::Timeout {
        tenant: pool.name.clone(),
        address: address.to_owned(),
        seconds: patience.as_secs(),
    };
    let attempts = through_one_of_all(pool, host, address);
    tokio::time::timeout(patience, attempts).await.unwrap_or_else(|_| Err(timeout()))
}

async fn through_one_of_all(
    pool: &Pool,
    host: &str,
    address: &str,
) -> Result<(Arc<Agent>, Stream), DialError> {
    let mut tried = Vec::new();
    while let Some(agent) = pool.choose(host, &tried) {
        match through(&agent, address).await {
            Some(Ok(stream)) => return Ok((agent, stream)),
            Some(Err(reason)) => {
                let (tenant, address) = (pool.name.clone(), address.to_owned());
                return Err(DialError::Unreachable { tenant, address, reason });
            }
            None => tried.push(agent),
        }
    }
    Err(DialError::NoAgent(pool.name.clone()))
}

/// Asks one agent; nothing if it vanished.
async fn through(agent: &Agent, address: &str) -> Option<Result<Stream, String>> {
    let random = rand::random::<i64>();
    let answer = agent.expect(random);
    let _pending = Pending { agent, random };
    if !agent.send(packets::dial(address, random)).await {
        return None;
    }
    tokio::select! {
        answer = answer => answer.ok(),
        () = agent.gone.cancelled() => None,
    }
}
