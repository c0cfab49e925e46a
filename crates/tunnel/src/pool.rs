//! The agents of one tenant, and the choice among them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::agent::Agent;
use crate::limits::Limits;
use crate::metrics::Metrics;

/// The agents of one tenant.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) name: String,
    agents: Mutex<Vec<Arc<Agent>>>,
    turn: AtomicUsize,
    is_closed: AtomicBool,
    /// Connections of agents.
    seats: Arc<Semaphore>,
    /// Streams at once.
    streams: Arc<Semaphore>,
    /// Bytes that wait for API servers.
    pub(crate) bytes: Arc<Semaphore>,
    metrics: Metrics,
}

impl Pool {
    pub(crate) fn new(name: String, limits: Limits, metrics: Metrics) -> Self {
        metrics.set_agents(&name, 0);
        Self {
            name,
            agents: Mutex::default(),
            turn: AtomicUsize::default(),
            is_closed: AtomicBool::new(false),
            seats: Arc::new(Semaphore::new(limits.agents)),
            streams: Arc::new(Semaphore::new(limits.streams)),
            bytes: Arc::new(Semaphore::new(limits.tenant_bytes)),
            metrics,
        }
    }

    /// Room for one more connection of an agent.
    pub(crate) fn seat(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.seats).try_acquire_owned().ok()
    }

    /// Room for one more stream.
    pub(crate) fn stream(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.streams).try_acquire_owned().ok()
    }

    /// Takes an agent in; false if the tenant is gone.
    pub(crate) fn add(&self, agent: Arc<Agent>) -> bool {
        self.locked(|agents| {
            if self.is_closed.load(Ordering::Acquire) {
                return false;
            }
            agents.push(agent);
            self.metrics.set_agents(&self.name, agents.len());
            true
        })
    }

    /// Forgets an agent and ends its streams.
    pub(crate) fn remove(&self, agent: &Arc<Agent>) {
        self.locked(|agents| {
            agents.retain(|other| !Arc::ptr_eq(other, agent));
            if !self.is_closed.load(Ordering::Acquire) {
                self.metrics.set_agents(&self.name, agents.len());
            }
        });
        agent.end();
    }

    /// Ends all agents, for ever.
    pub(crate) fn close(&self) {
        let agents = self.locked(|agents| {
            self.is_closed.store(true, Ordering::Release);
            self.metrics.forget(&self.name);
            std::mem::take(agents)
        });
        for agent in &agents {
            agent.end();
        }
    }

    /// The best agent for a host, those of `tried` left out: one that names the host as its own, else
    /// one that is the way to all others, else any; of equals the next in turn.
    pub(crate) fn choose(&self, host: &str, tried: &[Arc<Agent>]) -> Option<Arc<Agent>> {
        self.locked(|agents| {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed) % agents.len().max(1);
            let (before, after) = agents.split_at(turn.min(agents.len()));
            let others = after.iter().chain(before);
            let others = others.filter(|agent| !tried.iter().any(|known| Arc::ptr_eq(known, agent)));
            let rank = |agent: &&Arc<Agent>| {
                let fits = if agent.identifiers.name(host) {
                    0
                } else if agent.identifiers.is_default_route {
                    1
                } else {
                    2
                };
                (agent.is_draining.load(Ordering::Acquire), !agent.has_room(), fits)
            };
            others.min_by_key(rank).cloned()
        })
    }

    // Held for a look-up, never across a wait.
    fn locked<T>(&self, change: impl FnOnce(&mut Vec<Arc<Agent>>) -> T) -> T {
        change(&mut self.agents.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::Pool;
    use crate::agent::Agent;
    use crate::identifiers::Identifiers;
    use crate::{Limits, Metrics};
    use std::sync::Arc;
    use std::sync::atomic::Ordering;
    use tokio::sync::Semaphore;

    fn pool() -> Pool {
        Pool::new("t1/demo".to_owned(), Limits::default(), Metrics::default())
    }

    fn agent(pool: &Pool, id: &str, identifiers: &str) -> Arc<Agent> {
        let bytes = Arc::new(Semaphore::new(1));
        let identifiers = Identifiers::parse(identifiers);
        let (agent, packets) =
            Agent::new(id.to_owned(), identifiers, bytes, Limits::default(), Metrics::default());
        // The channel must stay open for the agent to have room.
        std::mem::forget(packets);
        let agent = Arc::new(agent);
        assert!(pool.add(Arc::clone(&agent)));
        agent
    }

    #[test]
    fn the_agent_that_names_the_host_is_first_and_equals_take_turns() {
        let pool = pool();
        let all = [agent(&pool, "a", "host=one"), agent(&pool, "b", ""), agent(&pool, "c", "")];
        for _ in 0..3 {
            assert_eq!(pool.choose("one", &[]).unwrap().id, "a");
        }
        let seen: std::collections::BTreeSet<_> =
            (0..6).map(|_| pool.choose("elsewhere", &[]).unwrap().id.clone()).collect();
        assert_eq!(seen.len(), 3, "{seen:?}");
        assert!(pool.choose("one", &all).is_none(), "all have been tried");
    }

    #[test]
    fn an_agent_that_drains_is_the_last_choice() {
        let pool = pool();
        let (one, two) = (agent(&pool, "a", "host=one"), agent(&pool, "b", ""));
        one.is_draining.store(true, Ordering::Release);
        assert_eq!(pool.choose("one", &[]).unwrap().id, "b");
        pool.remove(&two);
        assert_eq!(pool.choose("one", &[]).unwrap().id, "a", "better than none");
    }

    #[test]
    fn a_closed_pool_takes_nobody_in() {
        let pool = pool();
        let one = agent(&pool, "a", "");
        pool.close();
        assert!(one.gone.is_cancelled());
        assert!(!pool.add(one));
        assert!(pool.choose("one", &[]).is_none());
    }
}
