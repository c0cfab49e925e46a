//! The start gate: how many control planes may start at once.
//!
//! A cold API server costs seconds of CPU. Started all at once, many of them take each other's time
//! until probes give up; started a few at a time, in the order in which they came, all are up as soon
//! as the CPUs allow. Pods that are replaced are starts too: a change that concerns all control planes
//! goes through them a few at a time.

use std::collections::{BTreeMap, BTreeSet};

use api::names::annotations;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::Deployment;

use crate::rollout::is_rolled_out;

/// How long a start may occupy its slot.
pub const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

/// How far a control plane is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its pods wait for the gate.
    Waiting,
    /// Its pods were let through and are not there yet.
    Starting {
        /// When they were let through.
        since: Timestamp,
    },
    /// It has run, or nobody knows since when it starts.
    Started,
}

/// Whose turn comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Its owner waits for it.
    Wish,
    /// It serves as well without: the operator wants its pods to be different.
    Upkeep,
}

/// A control plane that wants to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate<K> {
    /// Which one.
    pub key: K,
    /// Whether its owner waits for it.
    pub urgency: Urgency,
    /// Since when it wants to: creation, or the moment it was woken or changed.
    pub waiting_since: Timestamp,
    /// How far it is.
    pub state: State,
}

/// A place in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// How many wait before it.
    pub ahead: usize,
    /// How many wait in all.
    pub waiting: usize,
}

/// What the gate decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision<K> {
    /// Those that may start now.
    pub admitted: BTreeSet<K>,
    /// The places of those that go on waiting.
    pub waiting: BTreeMap<K, Position>,
    /// When a slot becomes free though nothing else happens.
    pub next: Option<Timestamp>,
}

/// Lets as many through as there are free slots: wishes before upkeep, and among them first come first
/// served; who came at the same moment is let through in the order of the keys. A start that lasts longer than `patience` no longer
/// occupies its slot, so that one that never gets ready holds up nobody.
#[must_use]
pub fn admit<K: Ord + Clone>(
    slots: usize,
    candidates: &[Candidate<K>],
    now: Timestamp,
    patience: SignedDuration,
) -> Decision<K> {
    let ends: Vec<Timestamp> = candidates
        .iter()
        .filter_map(|candidate| match candidate.state {
            State::Starting { since } => since.checked_add(patience).ok().filter(|end| *end > now),
            _ => None,
        })
        .collect();
    let mut queue: Vec<&Candidate<K>> =
        candidates.iter().filter(|candidate| candidate.state == State::Waiting).collect();
    queue.sort_by_key(|candidate| (candidate.urgency, candidate.waiting_since, &candidate.key));

    let free = slots.saturating_sub(ends.len()).min(queue.len());
    let (first, rest) = queue.split_at(free);
    let places = rest
        .iter()
        .enumerate()
        .map(|(ahead, candidate)| (candidate.key.clone(), Position { ahead, waiting: rest.len() }));
    Decision {
        admitted: first.iter().map(|candidate| candidate.key.clone()).collect(),
        waiting: places.collect(),
        next: ends.into_iter().min().filter(|_| !rest.is_empty()),
    }
}

/// How far a control plane is, judged by its Deployment. One that shall sleep is none of the gate's.
#[must_use]
pub fn state(live: Option<&Deployment>) -> State {
    let Some(live) = live.filter(|live| is_let_through(live)) else { return State::Waiting };
    let ready = live.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or_default();
    match (started_at(live), rolled_at(live)) {
        (Some(since), _) if ready == 0 => {
            State::Starting { since: since.max(rolled_at(live).unwrap_or(since)) }
        }
        (_, Some(since)) if !is_rolled_out(live) => State::Starting { since },
        _ => State::Started,
    }
}

/// When the gate last let the Deployment's pods through, at the start or to be replaced.
#[must_use]
pub fn let_through_at(live: &Deployment) -> Option<Timestamp> {
    started_at(live).max(rolled_at(live))
}

/// Whether the Deployment's pods may exist.
pub(crate) fn is_let_through(live: &Deployment) -> bool {
    live.spec.as_ref().is_some_and(|spec| !spec.paused.unwrap_or_default() && spec.replicas.unwrap_or(1) > 0)
}

/// When the gate let the Deployment's pods through.
pub(crate) fn started_at(live: &Deployment) -> Option<Timestamp> {
    time_in(live, annotations::STARTED_AT)
}

/// When the gate let the Deployment's running pods be replaced.
pub(crate) fn rolled_at(live: &Deployment) -> Option<Timestamp> {
    time_in(live, annotations::ROLLED_AT)
}

fn time_in(live: &Deployment, annotation: &str) -> Option<Timestamp> {
    live.metadata.annotations.as_ref()?.get(annotation)?.parse().ok()
}

#[cfg(test)]
mod tests;
