//! One cluster in the inventory, made from what the management cluster says of it.

use std::collections::BTreeMap;

use api::{
    Cluster, ClusterResources, MigrationPhase, MigrationStatus, SleepSchedule, TenantControlPlane,
    VersionState,
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{Resource, ResourceExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::works::{RESTORE_FAILED, RESTORING, TRANSFERRING, Works};
use crate::caches::{hosted_id, imported_id};

/// Where a cluster runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Its control plane is a pod of the management cluster.
    #[default]
    Hosted,
    /// Elsewhere; an agent connects it.
    Imported,
}

/// A cluster in the inventory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClusterRow {
    /// By which the hub knows it: `namespace.name` of a hosted one.
    pub(crate) id: String,
    /// Its name for people.
    pub(crate) name: String,
    /// Where it runs.
    pub(crate) kind: Kind,
    /// The tenant that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<String>,
    /// In one word: `Ready`, `Sleeping`, `Upgrading`, `Restoring`, `Transferring`, `Lost`, …
    pub(crate) state: String,
    /// Version of Kubernetes that runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    /// Address of its API server for workers and people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) endpoint: Option<String>,
    /// Pods of the control plane, of a hosted one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replicas: Option<i32>,
    /// When a hosted one sleeps and wakes by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sleep_schedule: Option<SleepSchedule>,
    /// When it is put to sleep next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_sleep: Option<Timestamp>,
    /// When it is woken next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_wake: Option<Timestamp>,
    /// Why the last time of its schedule could not be followed; it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) schedule_refused: Option<String>,
    /// The data store of a hosted one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data_store: Option<String>,
    /// Its move to another data store, under way or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) migration: Option<Migration>,
    /// Nodes, where they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nodes: Option<Nodes>,
    /// What the pods of its control plane ask for, of a hosted one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) requested: Option<Resources>,
    /// What its nodes have, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) capacity: Option<Resources>,
    /// What its nodes have for pods, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allocatable: Option<Resources>,
    /// What is used of it, where it is measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) usage: Option<Resources>,
    /// What is said of it.
    pub(crate) conditions: Vec<RowCondition>,
    /// When its nodes were last heard of: from its agent, or from the API server of a hosted one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_seen: Option<Timestamp>,
    /// Labels of its object.
    pub(crate) labels: BTreeMap<String, String>,
    /// When it was made or imported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<Timestamp>,
}

impl ClusterRow {
    /// Whether the pods of a hosted one's control plane run, as far as the operator lets them.
    pub(crate) fn is_awake(&self) -> bool {
        let asleep = [VersionState::Sleeping.as_str(), RESTORING, RESTORE_FAILED, TRANSFERRING];
        self.kind == Kind::Hosted && !asleep.contains(&self.state.as_str())
    }

    /// Whether it says the same as another but for when it was heard of.
    pub(super) fn says_as(&self, other: &Self) -> bool {
        let then = self.last_seen;
        *self == Self { last_seen: then, ..other.clone() }
    }

    /// Takes what a hosted cluster said of its nodes.
    pub(super) fn take(&mut self, reading: &Reading) {
        self.nodes = Some(reading.nodes);
        self.capacity = Some(reading.capacity);
        self.allocatable = Some(reading.allocatable);
        self.usage = reading.usage;
        self.last_seen = Some(reading.time);
    }

    /// What it said before stays, since the management cluster says nothing of its nodes.
    pub(super) fn keep(&mut self, known: &Self) {
        if self.kind == Kind::Hosted {
            self.nodes = known.nodes;
            self.capacity = known.capacity;
            self.allocatable = known.allocatable;
            self.usage = known.usage;
            self.last_seen = known.last_seen;
        }
    }
}

/// A move to another data store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Migration {
    /// The store that is left.
    pub(crate) from: String,
    /// The store that is moved to.
    pub(crate) to: String,
    /// How far it is.
    pub(crate) phase: MigrationPhase,
    /// When it began.
    pub(crate) started: Timestamp,
}

/// What a hosted cluster says of its nodes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reading {
    pub(crate) nodes: Nodes,
    /// All that nodes have.
    pub(crate) capacity: Resources,
    /// What of it is for pods.
    pub(crate) allocatable: Resources,
    /// What of it is used, where it is measured.
    pub(crate) usage: Option<Resources>,
    /// When it was said.
    pub(crate) time: Timestamp,
}

/// How many nodes there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Nodes {
    /// All.
    pub(crate) total: i64,
    /// Those that are ready.
    pub(crate) ready: i64,
}

/// Amounts of what nodes have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Resources {
    /// CPU, in thousandths of a core.
    pub(crate) cpu_milli: u64,
    /// Memory, in bytes.
    pub(crate) memory_bytes: u64,
    /// Pods.
    pub(crate) pods: i64,
}

impl Resources {
    /// Both together.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            cpu_milli: self.cpu_milli.saturating_add(other.cpu_milli),
            memory_bytes: self.memory_bytes.saturating_add(other.memory_bytes),
            pods: self.pods.saturating_add(other.pods),
        }
    }
}

/// A condition of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RowCondition {
    /// Such as `Ready`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// `True`, `False` or `Unknown`.
    pub(crate) status: String,
    /// Why, for programs.
    pub(crate) reason: String,
    /// Why, and what to do, for people.
    pub(crate) message: String,
}

/// The row of a control plane of the management cluster.
pub(crate) fn hosted(
    control_plane: &TenantControlPlane,
    tenant: Option<&str>,
    works: Works<'_>,
) -> ClusterRow {
    let status = control_plane.status.as_ref();
    let version = status.map(|status| &status.kubernetes_resources.version);
    let state = version.and_then(|version| version.status).unwrap_or(VersionState::Unknown);
    let (state, worked) = works.told(control_plane, state.as_str());
    let storage = status.map(|status| &status.storage);
    let said = status.map(|status| conditions(&status.conditions)).unwrap_or_default();
    let demand = desired::demand(control_plane);
    let sleep_schedule = control_plane.spec.sleep_schedule.clone();
    let followed = status.and_then(|status| status.sleep_schedule.as_ref());
    let followed = followed.filter(|followed| Some(&followed.schedule) == sleep_schedule.as_ref());
    ClusterRow {
        id: hosted_id(control_plane).to_string(),
        name: control_plane.name_any(),
        kind: Kind::Hosted,
        tenant: tenant.map(str::to_owned),
        state: state.to_owned(),
        version: version.and_then(|version| version.version.clone()),
        endpoint: status.and_then(|status| status.control_plane_endpoint.clone()),
        replicas: control_plane
            .spec
            .control_plane
            .deployment
            .as_ref()
            .and_then(|deployment| deployment.replicas),
        next_sleep: followed.and_then(|followed| Some(followed.next_sleep.as_ref()?.0)),
        next_wake: followed.and_then(|followed| Some(followed.next_wake.as_ref()?.0)),
        schedule_refused: followed.and_then(|followed| Some(followed.refused.as_ref()?.message.clone())),
        sleep_schedule,
        data_store: storage
            .and_then(|storage| storage.data_store_name.clone())
            .or_else(|| control_plane.spec.data_store.clone()),
        migration: storage.and_then(|storage| storage.migration.as_ref()).map(moving),
        requested: Some(Resources {
            cpu_milli: demand.cpu_millis,
            memory_bytes: demand.memory_bytes,
            pods: i64::try_from(demand.replicas).unwrap_or(i64::MAX),
        }),
        conditions: worked.into_iter().chain(said).collect(),
        labels: control_plane.labels().clone(),
        created: control_plane.meta().creation_timestamp.as_ref().map(|time| time.0),
        ..ClusterRow::default()
    }
}

fn moving(found: &MigrationStatus) -> Migration {
    let MigrationStatus { from, to, phase, started_at, .. } = found;
    Migration { from: from.clone(), to: to.clone(), phase: *phase, started: started_at.0 }
}

/// The row of a cluster that was imported.
pub(crate) fn imported(cluster: &Cluster) -> ClusterRow {
    let status = cluster.status.clone().unwrap_or_default();
    let says = |kind: &str| {
        let condition = status.conditions.iter().find(|condition| condition.type_ == kind);
        condition.map(|condition| condition.status == "True")
    };
    let state = match (&status.cluster_uid, says("Connected") == Some(true), says("Reachable")) {
        (None, _, _) => "Waiting",
        (Some(_), false, _) => "Lost",
        // Its agent is there and has not looked at it yet.
        (Some(_), true, None) => "Connecting",
        (Some(_), true, Some(false)) => "Unreachable",
        (Some(_), true, Some(true)) => "Ready",
    };
    let is_known = status.last_seen.is_some();
    ClusterRow {
        id: imported_id(cluster).to_string(),
        name: cluster.spec.display_name.clone().unwrap_or_else(|| cluster.name_any()),
        kind: Kind::Imported,
        tenant: cluster.spec.tenant.clone(),
        state: state.to_owned(),
        version: status.kubernetes_version.clone(),
        nodes: is_known.then_some(Nodes { total: status.nodes.total, ready: status.nodes.ready }),
        capacity: is_known.then(|| amounts(&status.capacity)),
        allocatable: is_known.then(|| amounts(&status.allocatable)),
        usage: status.usage.as_ref().map(amounts),
        conditions: conditions(&status.conditions),
        last_seen: status.last_seen.as_ref().map(|time| time.0),
        labels: cluster.labels().clone(),
        created: cluster.meta().creation_timestamp.as_ref().map(|time| time.0),
        ..ClusterRow::default()
    }
}

/// Conditions as they are told.
pub(crate) fn conditions(conditions: &[Condition]) -> Vec<RowCondition> {
    let told = |condition: &Condition| RowCondition {
        kind: condition.type_.clone(),
        status: condition.status.clone(),
        reason: condition.reason.clone(),
        message: condition.message.clone(),
    };
    conditions.iter().map(told).collect()
}

fn amounts(resources: &ClusterResources) -> Resources {
    Resources {
        cpu_milli: base::quantity::thousandths(&resources.cpu.0).unwrap_or_default(),
        memory_bytes: base::quantity::units(&resources.memory.0).unwrap_or_default(),
        pods: resources.pods,
    }
}
