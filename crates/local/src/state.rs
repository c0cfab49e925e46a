//! What runs: written by the supervisor into `state.json`, read by everybody else.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::host::{files, processes};
use crate::{Error, Layout};

/// A snapshot of the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// The supervisor's process.
    pub supervisor: Option<ProcessIdentity>,
    /// The steps of the start, in the order in which they began.
    pub steps: Vec<Step>,
    /// Whether the cluster is usable.
    pub usable: bool,
    /// Every process of the cluster.
    pub components: Vec<ComponentState>,
}

/// A process that is not mistaken for a later one with the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessIdentity {
    /// Its number.
    pub pid: u32,
    /// When it started, in ticks since the machine did.
    pub start_ticks: u64,
}

/// One step of the start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// What is done.
    pub name: String,
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<String>,
}

/// What a component does at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Waits for what it needs.
    Waiting,
    /// Runs.
    Running,
    /// Has ended and will be started again after the back-off.
    BackOff,
    /// Was ended on purpose.
    Stopped,
}

/// One process of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ComponentState {
    /// Its name, such as `kubelet`.
    pub component: String,
    /// The node it belongs to.
    pub node: u8,
    /// What it does.
    pub phase: Phase,
    /// Since when.
    pub since: Timestamp,
    /// Its process while it runs.
    pub process: Option<ProcessIdentity>,
    /// How often it was started again.
    pub restarts: u32,
    /// How it ended last.
    pub last_exit: Option<String>,
}

impl State {
    /// Reads the snapshot of a cluster, an empty one if there is none.
    pub fn read(layout: &Layout) -> Result<Self, Error> {
        let text = files::read_if_exists(&layout.state())?;
        // Unreadable is like absent: the sweep does not depend on it.
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// Whether the supervisor that wrote the snapshot still runs.
    #[must_use]
    pub fn is_supervised(&self) -> bool {
        self.supervisor.is_some_and(processes::is_alive)
    }

    /// The first step that failed.
    #[must_use]
    pub fn failure(&self) -> Option<&Step> {
        self.steps.iter().find(|step| step.error.is_some())
    }
}
