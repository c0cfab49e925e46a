//! Asks the start gate for one control plane, with what the caches know of all the others.
//!
//! The caches run behind what was just applied, so admissions of the last minute are remembered here;
//! after a restart of the operator everything is found again in the Deployments.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::TenantControlPlane;
use desired::gate::{self, Candidate, Decision, PATIENCE, Position, State, Urgency};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Node;
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use tokio::sync::mpsc::UnboundedSender;

use crate::caches::Caches;
use crate::controllers::TenantRef;
use crate::settings::StartSlots;

/// Longest time between two looks of one whose owner waits.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// Longest time between two looks of one that serves meanwhile; there may be very many of them.
const LOOK_AGAIN_AT_UPKEEP: Duration = Duration::from_mins(1);

/// What the gate says to one control plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Its pods may exist.
    Admitted,
    /// It waits.
    Waits {
        /// Its place in the queue.
        position: Position,
        /// When to ask again, at the latest.
        ask_again: Duration,
    },
}

/// Namespace and name of a control plane.
type Key = (String, String);

/// The gate of this process. Only the leader asks it.
pub(crate) struct StartGate {
    slots: StartSlots,
    wake: UnboundedSender<TenantRef>,
    recent: Mutex<Recent>,
}

/// What the caches may not know yet.
#[derive(Default)]
struct Recent {
    waiting: HashMap<Key, Place>,
    admitted: HashMap<Key, Timestamp>,
}

/// What one waits for.
#[derive(Clone, Copy)]
struct Place {
    since: Timestamp,
    urgency: Urgency,
}

impl StartGate {
    /// A gate that wakes waiting control planes through `wake`.
    pub(crate) fn new(slots: StartSlots, wake: UnboundedSender<TenantRef>) -> Self {
        Self { slots, wake, recent: Mutex::default() }
    }

    /// Whether the pods of `tenant` may exist now or, if `replacement` says how urgent it is, may be replaced
    /// now.
    pub(crate) fn ask(
        &self,
        tenant: &TenantControlPlane,
        replacement: Option<Urgency>,
        caches: &Caches,
        now: Timestamp,
    ) -> Answer {
        let key = key(tenant);
        let mut recent = self.recent();
        let urgency = match (recent.state(&key, live(caches, &key).as_deref(), now), replacement) {
            (State::Waiting, _) => Urgency::Wish,
            (State::Started, Some(urgency)) => urgency,
            // What starts already has its slot.
            (State::Starting { .. }, _) | (State::Started, None) => {
                recent.waiting.remove(&key);
                return Answer::Admitted;
            }
        };
        recent.waiting.entry(key.clone()).or_insert(Place { since: now, urgency }).urgency = urgency;
        let decision = self.decide(&recent, caches, now);
        if decision.admitted.contains(&key) {
            recent.waiting.remove(&key);
            recent.admitted.insert(key, now);
            return Answer::Admitted;
        }
        let position = decision.waiting.get(&key).copied().unwrap_or(Position { ahead: 0, waiting: 1 });
        let longest = if urgency == Urgency::Wish { LOOK_AGAIN } else { LOOK_AGAIN_AT_UPKEEP };
        Answer::Waits { position, ask_again: until(decision.next, now, longest) }
    }

    /// Forgets a control plane that is gone, asleep, or could not be applied.
    pub(crate) fn forget(&self, tenant: &TenantControlPlane) {
        let key = key(tenant);
        let mut recent = self.recent();
        recent.waiting.remove(&key);
        recent.admitted.remove(&key);
    }

    /// Has those reconciled that a free slot waits for. Returns how many wait.
    pub(crate) fn wake_next(&self, caches: &Caches, now: Timestamp) -> usize {
        let recent = self.recent();
        if recent.waiting.is_empty() {
            return 0;
        }
        for (namespace, name) in self.decide(&recent, caches, now).admitted {
            // A closed channel means that the controller stops; nobody is left to wake.
            let _ = self.wake.send(ObjectRef::new(&name).within(&namespace));
        }
        recent.waiting.len()
    }

    fn decide(&self, recent: &Recent, caches: &Caches, now: Timestamp) -> Decision<Key> {
        let candidates: Vec<Candidate<Key>> = caches
            .tenants
            .state()
            .iter()
            .filter(|tenant| tenant.metadata.deletion_timestamp.is_none())
            .filter_map(|tenant| recent.candidate(key(tenant), tenant, caches, now))
            .collect();
        gate::admit(self.slots(caches), &candidates, now, PATIENCE)
    }

    fn slots(&self, caches: &Caches) -> usize {
        match self.slots {
            StartSlots::Fixed(slots) => slots.get(),
            StartSlots::Auto => processors(caches.nodes.state().iter().map(AsRef::as_ref)),
        }
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recent {
    /// A candidate, if the control plane has come as far as the gate.
    fn candidate(
        &self,
        key: Key,
        tenant: &TenantControlPlane,
        caches: &Caches,
        now: Timestamp,
    ) -> Option<Candidate<Key>> {
        let live = live(caches, &key);
        let waiting = self.waiting.get(&key).copied();
        if live.is_none() && waiting.is_none() && !self.admitted.contains_key(&key) {
            return None;
        }
        let state = match self.state(&key, live.as_deref(), now) {
            State::Started if waiting.is_some() => State::Waiting,
            state => state,
        };
        if state == State::Waiting && waiting.is_none() && !is_held(live.as_deref()) {
            return None; // asleep
        }
        let created = tenant.metadata.creation_timestamp.as_ref().map_or(now, |time| time.0);
        let place = waiting.unwrap_or(Place { since: created, urgency: Urgency::Wish });
        Some(Candidate { key, urgency: place.urgency, waiting_since: place.since, state })
    }

    fn state(&self, key: &Key, live: Option<&Deployment>, now: Timestamp) -> State {
        match (gate::state(live), self.admitted.get(key)) {
            // The cache does not know yet of what was let through.
            (State::Waiting | State::Started, Some(since))
                if live.and_then(gate::let_through_at) < Some(*since)
                    && now.duration_since(*since) < PATIENCE =>
            {
                State::Starting { since: *since }
            }
            (state, _) => state,
        }
    }
}

fn key(tenant: &TenantControlPlane) -> Key {
    (tenant.namespace().unwrap_or_default(), tenant.name_any())
}

fn live(caches: &Caches, key: &Key) -> Option<std::sync::Arc<Deployment>> {
    Caches::find(&caches.deployments, &key.0, &key.1)
}

fn is_held(live: Option<&Deployment>) -> bool {
    live.and_then(|live| live.spec.as_ref()).is_some_and(|spec| spec.paused.unwrap_or_default())
}

fn until(next: Option<Timestamp>, now: Timestamp, longest: Duration) -> Duration {
    let wait = next.map_or(SignedDuration::MAX, |next| next.duration_since(now));
    Duration::try_from(wait).unwrap_or_default().min(longest)
}

/// Whole CPUs of the nodes that take pods; at least one.
fn processors<'a>(nodes: impl Iterator<Item = &'a Node>) -> usize {
    let millis: u64 = nodes
        .filter(|node| !node.spec.as_ref().is_some_and(|spec| spec.unschedulable.unwrap_or_default()))
        .filter_map(|node| node.status.as_ref()?.allocatable.as_ref()?.get("cpu"))
        .filter_map(|cpu| base::quantity::thousandths(&cpu.0))
        .sum();
    usize::try_from(millis / 1000).unwrap_or(usize::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::processors;
    use k8s_openapi::api::core::v1::Node;
    use serde_json::json;

    #[test]
    fn slots_follow_the_nodes_that_take_pods() {
        let node = |cpu: &str, unschedulable: bool| -> Node {
            serde_json::from_value(json!({
                "metadata": {}, "spec": {"unschedulable": unschedulable},
                "status": {"allocatable": {"cpu": cpu}},
            }))
            .unwrap()
        };
        let nodes = [node("2", false), node("1930m", false), node("64", true)];
        assert_eq!(processors(nodes.iter()), 3);
        assert_eq!(processors([].iter()), 1);
    }
}
