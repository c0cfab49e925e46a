//! The Deployment that runs a control plane.

use std::collections::{BTreeMap, BTreeSet};

use api::Driver;
use api::names::{Component, annotations, labels};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment};
use k8s_openapi::api::core::v1::{PodSpec, PodTemplateSpec, TopologySpreadConstraint};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::data_store::DataStoreMaterial;
use crate::metadata::{common_labels, object_meta};
use crate::{Checksums, Endpoint, Validated, checksum, gate, hand_over, rollout};

mod components;
mod hub;
mod kine;
mod konnectivity;
mod preview;
mod probes;
mod volumes;

pub use preview::preview;

/// How long a pod that shall end may take: the API server goes on for [`components::DRAIN_SECONDS`], then
/// finishes what it has begun.
const GRACE_SECONDS: i64 = 60;

/// What the installation decides for all control planes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Image of kine.
    pub kine_image: String,
    /// `GOGC` of API server, controller manager and scheduler; Go's own default if unset.
    pub go_gc: Option<u32>,
}

/// Whether the pods may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The gate holds them back.
    Held,
    /// They may.
    Admitted,
}

/// A resource that is kept in another store.
#[derive(Clone, Debug)]
pub struct Override {
    /// The resource, as the API server's flag wants it.
    pub resource: String,
    /// The store.
    pub store: DataStoreMaterial,
}

/// What a Deployment is made of beside the spec.
#[derive(Clone, Copy, Debug)]
pub struct DeploymentInputs<'a> {
    /// Checksums of the credentials.
    pub checksums: &'a Checksums,
    /// The store.
    pub store: &'a DataStoreMaterial,
    /// Checksum of the Secret with the store's settings.
    pub store_config: &'a str,
    /// Checksum of the Secret with the store's certificate, empty if there is none.
    pub store_certificate: &'a str,
    /// Checksum of what the API server reads of that Secret only once: all but etcd's client certificate.
    pub store_authority: &'a str,
    /// Checksum of the names that the API server's certificate serves.
    pub served_names: &'a str,
    /// Authorities beside which others are trusted.
    pub bundles: &'a BTreeSet<Component>,
    /// Resources that are kept elsewhere.
    pub overrides: &'a [Override],
    /// What the installation decides.
    pub settings: &'a Settings,
    /// Whether the pods may start.
    pub start: Start,
    /// The Deployment as it is.
    pub live: Option<&'a Deployment>,
    /// The current moment.
    pub now: Timestamp,
}

/// The Deployment that runs the control plane.
///
/// Held back, it is paused and wants no pods: paused, a new Deployment makes no `ReplicaSet`; without
/// pods, one that was asleep is not scaled up. One that runs is never paused: while it waits for its turn
/// to replace pods, see [`crate::replaces_pods`], it is left as it is.
#[must_use]
pub fn deployment(
    control_plane: &Validated,
    endpoint: &Endpoint,
    inputs: &DeploymentInputs<'_>,
) -> Deployment {
    let was_let_through = inputs.live.is_some_and(gate::is_let_through);
    let is_held = !control_plane.is_sleeping() && !was_let_through && inputs.start == Start::Held;
    let started_at = match inputs.live.filter(|_| was_let_through) {
        _ if is_held || control_plane.is_sleeping() => None,
        Some(live) => gate::started_at(live),
        None => Some(inputs.now),
    };
    let template = template(control_plane, endpoint, inputs);
    let fingerprint = rollout::fingerprint(&template);
    let spec = DeploymentSpec {
        min_ready_seconds: hand_over::min_ready_seconds(inputs.live),
        paused: is_held.then_some(true),
        replicas: Some(if is_held { 0 } else { control_plane.replicas() }),
        selector: selector(control_plane),
        strategy: Some(strategy(control_plane.deployment().strategy.as_ref())),
        template,
        ..DeploymentSpec::default()
    };
    let mut deployment =
        Deployment { metadata: metadata(control_plane, started_at), spec: Some(spec), status: None };
    let annotations = deployment.metadata.annotations.get_or_insert_default();
    annotations.insert(annotations::TEMPLATE.to_owned(), fingerprint);
    let rolled_at = match inputs.live {
        Some(live) if rollout::replaces_pods(live, &deployment) => Some(inputs.now),
        Some(live) if was_let_through && !control_plane.is_sleeping() => gate::rolled_at(live),
        _ => None,
    };
    let annotations = deployment.metadata.annotations.get_or_insert_default();
    annotations.extend(rolled_at.map(|time| (annotations::ROLLED_AT.to_owned(), time.to_string())));
    deployment
}

fn metadata(control_plane: &Validated, started_at: Option<Timestamp>) -> ObjectMeta {
    let spec = control_plane.deployment();
    let mut metadata = object_meta(control_plane, Component::Deployment);
    let extra = spec.extra_args.as_ref().map(|extra| extra.api_server.as_slice()).unwrap_or_default();
    let own = metadata.annotations.get_or_insert_default();
    own.insert(annotations::API_SERVER_ARGS.to_owned(), checksum::of_flags(extra));
    own.extend(started_at.map(|time| (annotations::STARTED_AT.to_owned(), time.to_string())));
    if let Some(additional) = &spec.additional_metadata {
        own.extend(additional.annotations.clone());
        metadata.labels.get_or_insert_default().extend(additional.labels.clone());
    }
    metadata
}

fn selector(control_plane: &Validated) -> LabelSelector {
    let labels = [(labels::NAME.to_owned(), control_plane.name().to_owned())];
    LabelSelector { match_labels: Some(labels.into()), ..LabelSelector::default() }
}

fn strategy(wished: Option<&DeploymentStrategy>) -> DeploymentStrategy {
    let kind =
        wished.and_then(|strategy| strategy.type_.clone()).unwrap_or_else(|| "RollingUpdate".to_owned());
    let rolling_update = (kind != "Recreate").then(|| {
        wished.and_then(|strategy| strategy.rolling_update.clone()).unwrap_or_else(|| {
            RollingUpdateDeployment {
                max_surge: Some(IntOrString::String("100%".to_owned())),
                max_unavailable: Some(IntOrString::Int(0)),
            }
        })
    });
    DeploymentStrategy { type_: Some(kind), rolling_update }
}

fn template(
    control_plane: &Validated,
    endpoint: &Endpoint,
    inputs: &DeploymentInputs<'_>,
) -> PodTemplateSpec {
    let wished = control_plane.deployment();
    let additional = wished.pod_additional_metadata.clone().unwrap_or_default();
    let mut labels = template_labels(control_plane, inputs);
    labels.extend(additional.labels);
    labels.insert(labels::MANAGED.to_owned(), labels::MANAGED_VALUE.to_owned());
    // The Deployment's selector: without it the API server refuses the object.
    labels.insert(labels::NAME.to_owned(), control_plane.name().to_owned());
    let mut annotations = additional.annotations;
    annotations.insert(annotations::STORAGE_CONFIG.to_owned(), inputs.store_config.to_owned());
    annotations.insert(annotations::STORAGE_CERTIFICATE.to_owned(), rollout::store_certificate(inputs));
    annotations.insert(annotations::STORAGE_AUTHORITY.to_owned(), inputs.store_authority.to_owned());
    annotations.insert(annotations::SERVED_NAMES.to_owned(), inputs.served_names.to_owned());
    let metadata =
        ObjectMeta { labels: Some(labels), annotations: Some(annotations), ..ObjectMeta::default() };
    PodTemplateSpec { metadata: Some(metadata), spec: Some(pod(control_plane, endpoint, inputs)) }
}

fn template_labels(control_plane: &Validated, inputs: &DeploymentInputs<'_>) -> BTreeMap<String, String> {
    let mut labels = common_labels(control_plane, Component::Deployment);
    labels.remove(labels::PROJECT);
    labels.extend(rollout::checksum_labels(inputs));
    labels.insert(format!("{}datastore", labels::CHECKSUM_PREFIX), label_value(&inputs.store.name));
    labels
}

/// Names of objects may be longer than values of labels.
pub(crate) fn label_value(name: &str) -> String {
    let cut: String = name.chars().take(63).collect();
    cut.trim_end_matches(|last: char| !last.is_ascii_alphanumeric()).to_owned()
}

fn pod(control_plane: &Validated, endpoint: &Endpoint, inputs: &DeploymentInputs<'_>) -> PodSpec {
    let wished = control_plane.deployment();
    let has_kine = inputs.store.driver != Driver::Etcd;
    let mut containers = wished.additional_containers.clone();
    let mut init_containers = wished.additional_init_containers.clone();
    containers.extend(components::containers(control_plane, endpoint, inputs));
    if has_kine {
        kine::add(control_plane, inputs, &mut containers, &mut init_containers);
    }
    containers.extend(konnectivity::container(control_plane));
    let service_account = wished.service_account_name.clone().filter(|name| !name.is_empty());
    PodSpec {
        containers,
        init_containers: some_unless_empty(init_containers),
        volumes: Some(volumes::volumes(control_plane, inputs)),
        node_selector: Some(wished.node_selector.clone()).filter(|labels| !labels.is_empty()),
        tolerations: some_unless_empty(wished.tolerations.clone()),
        affinity: wished.affinity.clone(),
        topology_spread_constraints: some_unless_empty(spread(control_plane)),
        runtime_class_name: wished.runtime_class_name.clone().filter(|name| !name.is_empty()),
        service_account_name: Some(service_account.unwrap_or_else(|| "default".to_owned())),
        automount_service_account_token: wished.automount_service_account_token,
        security_context: wished.pod_security_context.clone(),
        termination_grace_period_seconds: Some(GRACE_SECONDS),
        ..PodSpec::default()
    }
}

fn spread(control_plane: &Validated) -> Vec<TopologySpreadConstraint> {
    let own = selector(control_plane);
    let constraints = control_plane.deployment().topology_spread_constraints.iter();
    constraints
        .map(|constraint| TopologySpreadConstraint {
            label_selector: constraint.label_selector.clone().or_else(|| Some(own.clone())),
            ..constraint.clone()
        })
        .collect()
}

fn some_unless_empty<T>(items: Vec<T>) -> Option<Vec<T>> {
    Some(items).filter(|items| !items.is_empty())
}
