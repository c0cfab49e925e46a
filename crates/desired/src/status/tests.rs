//! Claims about what the status says.

use api::condition::{Kind, find};
use api::{Driver, TenantControlPlane, TenantControlPlaneStatus, VersionState};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Secret, Service};
use serde_json::{Value, json};

use super::{DataStoreOutcome, Failure, Front, Inside, Observed, Replacement, TenantOutcome, status};
use crate::gate::{Position, Urgency};
use crate::inside::Part;
use crate::{Checksums, Endpoint, Issued, Renewal, Secrets, Unassigned, Validated, credentials, validate};

const NOW: &str = "2026-03-01T12:00:00.5Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn object(patch: &Value) -> TenantControlPlane {
    let mut value = json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
        "metadata": { "name": "blue", "namespace": "tenants", "uid": "uid", "generation": 4 },
        "spec": {
            "controlPlane": { "service": { "serviceType": "ClusterIP" }, "deployment": { "replicas": 1 } },
            "kubernetes": { "version": "v1.36.3", "kubelet": {} },
        },
    });
    json_patch_merge(&mut value, patch);
    serde_json::from_value(value).unwrap()
}

fn json_patch_merge(target: &mut Value, patch: &Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (key, value) in patch {
                json_patch_merge(target.entry(key).or_insert(Value::Null), value);
            }
        }
        (target, patch) => *target = patch.clone(),
    }
}

/// What a pass over a control plane that runs observes.
struct World {
    control_plane: Validated,
    service: Service,
    endpoint: Endpoint,
    issued: Issued,
    config: Secret,
    deployment: Deployment,
}

impl World {
    fn new(patch: &Value) -> Self {
        let control_plane = validate(&object(patch)).unwrap();
        let endpoint = Endpoint { address: "10.0.0.7".into(), port: 6443, service_ip: None };
        let renewal = Renewal { now: at(NOW), deadline: SignedDuration::from_hours(24) };
        let issued = credentials(&control_plane, &endpoint, &Secrets::new(), renewal, &Checksums::new())
            .unwrap()
            .issued()
            .clone();
        let config = serde_json::from_value(
            json!({ "metadata": { "name": "blue-datastore-config" }, "data": { "a": "YQ==" } }),
        )
        .unwrap();
        let service = crate::service(&control_plane, None, None);
        Self { control_plane, service, endpoint, issued, config, deployment: deployment(1, 1) }
    }

    fn observed(&self) -> Observed<'_> {
        Observed {
            service: Some(&self.service),
            endpoint: Some(Ok(&self.endpoint)),
            data_store: DataStoreOutcome::Ready {
                name: "default",
                driver: Driver::Etcd,
                config: &self.config,
                certificate: None,
            },
            issued: Some(&self.issued),
            deployment: Some(&self.deployment),
            front: Some(&Front::Unwished),
            tenant: TenantOutcome::Done(Inside {
                join_checksum: Some("sum".to_owned()),
                ..Inside::default()
            }),
            ..Observed::default()
        }
    }

    fn status(
        &self,
        previous: Option<&TenantControlPlaneStatus>,
        observed: &Observed<'_>,
    ) -> TenantControlPlaneStatus {
        self.status_at(previous, observed, NOW)
    }

    fn status_at(
        &self,
        previous: Option<&TenantControlPlaneStatus>,
        observed: &Observed<'_>,
        now: &str,
    ) -> TenantControlPlaneStatus {
        status(previous, Ok(&self.control_plane), Some(4), observed, at(now))
    }
}

fn deployment(replicas: i32, ready: i32) -> Deployment {
    serde_json::from_value(json!({
        "metadata": { "name": "blue", "generation": 2, "annotations": { "flotilla.dev/started-at": "2026-03-01T11:59:50Z" } },
        "spec": { "replicas": replicas, "selector": {}, "template": {} },
        "status": {
            "observedGeneration": 2, "replicas": replicas, "updatedReplicas": replicas,
            "readyReplicas": ready, "availableReplicas": ready, "unavailableReplicas": replicas - ready,
        },
    }))
    .unwrap()
}

fn ready(status: &TenantControlPlaneStatus) -> (String, String) {
    let ready = find(&status.conditions, Kind::Ready).unwrap();
    (ready.status.clone(), ready.reason.clone())
}

fn state(status: &TenantControlPlaneStatus) -> Option<VersionState> {
    status.kubernetes_resources.version.status
}

#[test]
fn a_control_plane_that_runs_is_ready_and_all_fields_are_filled() {
    let world = World::new(&json!({}));
    let status = world.status(None, &world.observed());
    assert_eq!(ready(&status), ("True".into(), "Ready".into()));
    assert_eq!(state(&status), Some(VersionState::Ready));
    assert_eq!(status.observed_generation, Some(4));
    assert_eq!(status.kubernetes_resources.version.version.as_deref(), Some("v1.36.3"));
    assert_eq!(status.control_plane_endpoint.as_deref(), Some("10.0.0.7:6443"));
    assert_eq!(status.kubeconfig.admin.secret_name.as_deref(), Some("blue-admin-kubeconfig"));
    assert_eq!(status.certificates.ca.last_update.as_ref().unwrap().0, at("2026-03-01T12:00:00Z"));
    assert_eq!(status.storage.data_store_name.as_deref(), Some("default"));
    assert_eq!(status.storage.setup.checksum, status.storage.config.checksum);
    let deployment = status.kubernetes_resources.deployment.unwrap();
    assert_eq!(deployment.selector, "kamaji.clastix.io/name=blue");
}

#[test]
fn the_same_observation_makes_the_same_status_at_any_time() {
    let world = World::new(&json!({}));
    let first = world.status(None, &world.observed());
    let second = world.status_at(Some(&first), &world.observed(), "2027-01-01T00:00:00Z");
    assert_eq!(first, second);
    let written = serde_json::to_value(&first).unwrap();
    let read: TenantControlPlaneStatus = serde_json::from_value(written).unwrap();
    assert_eq!(read, first, "nothing is lost on the way through the API server");
}

#[test]
fn times_move_only_with_what_they_belong_to() {
    let mut world = World::new(&json!({}));
    let first = world.status(None, &world.observed());
    world.issued.checksums.insert(api::names::Component::ApiServer, "other".to_owned());
    let second = world.status_at(Some(&first), &world.observed(), "2026-05-05T05:05:05Z");
    assert_eq!(second.certificates.api_server.last_update.as_ref().unwrap().0, at("2026-05-05T05:05:05Z"));
    assert_eq!(second.certificates.ca, first.certificates.ca);
}

#[test]
fn the_state_follows_kamajis_rules() {
    let plain = json!({});
    let limited = json!({ "spec": { "writePermissions": { "blockCreation": true } } });
    let asleep = json!({ "spec": { "controlPlane": { "deployment": { "replicas": 0 } } } });
    let cases = vec![
        ("asleep", &asleep, Some("v1.36.3"), deployment(0, 0), VersionState::Sleeping),
        ("no pod ready", &plain, None, deployment(1, 0), VersionState::NotReady),
        ("limited", &limited, Some("v1.36.3"), deployment(1, 1), VersionState::WriteLimited),
        ("rolled out", &plain, Some("v1.35.0"), deployment(1, 1), VersionState::Ready),
        ("new version", &plain, Some("v1.35.0"), rolling(1), VersionState::Upgrading),
        ("first rollout", &plain, None, rolling(1), VersionState::Provisioning),
        ("plain rollout", &plain, Some("v1.36.3"), rolling(1), VersionState::Unknown),
    ];
    for (name, patch, running, deployment, expected) in cases {
        let world = World { deployment, ..World::new(patch) };
        let mut previous = TenantControlPlaneStatus::default();
        previous.kubernetes_resources.version.version = running.map(str::to_owned);
        assert_eq!(state(&world.status(Some(&previous), &world.observed())), Some(expected), "{name}");
    }
}

/// A Deployment whose newest template the controller has not seen yet.
fn rolling(ready: i32) -> Deployment {
    let mut live = deployment(1, ready);
    live.metadata.generation = Some(3);
    live
}

#[test]
fn a_rotating_authority_is_told_until_the_pods_that_it_signs_for_are_there() {
    let mut world = World::new(&json!({}));
    let first = world.status(None, &world.observed());
    world.issued.rotates_authority = true;
    let second = world.status(Some(&first), &world.observed());
    assert_eq!(state(&second), Some(VersionState::CertificateAuthorityRotating));
    world.issued.rotates_authority = false;
    world.deployment = rolling(1);
    let third = world.status(Some(&second), &world.observed());
    assert_eq!(state(&third), Some(VersionState::CertificateAuthorityRotating));
    world.deployment = deployment(1, 1);
    let last = world.status(Some(&third), &world.observed());
    assert_eq!(state(&last), Some(VersionState::Ready));
    world.deployment = rolling(1);
    assert_eq!(state(&world.status(Some(&last), &world.observed())), Some(VersionState::Unknown));
}

#[test]
fn pods_that_wait_to_be_replaced_serve_and_are_said_to_run_what_they_run() {
    let world = World::new(&json!({}));
    let mut previous = world.status(None, &world.observed());
    for (running, urgency, expected) in [
        ("v1.36.3", Urgency::Upkeep, VersionState::Ready),
        ("v1.35.4", Urgency::Wish, VersionState::Upgrading),
    ] {
        previous.kubernetes_resources.version.version = Some(running.to_owned());
        previous.observed_generation = Some(0);
        let position = Position { ahead: 2, waiting: 7 };
        let waiting = Observed { replacement: Some(Replacement { urgency, position }), ..world.observed() };
        let status = world.status(Some(&previous), &waiting);
        assert_eq!(state(&status), Some(expected), "{running}");
        assert_eq!(status.kubernetes_resources.version.version.as_deref(), Some(running));
        assert_eq!(status.observed_generation, Some(0), "not brought about yet");
        let available = find(&status.conditions, Kind::ControlPlaneAvailable).unwrap();
        assert_eq!((&*available.status, &*available.reason), ("True", "WaitingToRollOut"), "{running}");
    }
}

#[test]
fn what_hinders_is_named_with_the_next_step() {
    let world = World { deployment: deployment(1, 0), ..World::new(&json!({})) };
    let starting = world.observed();
    let cases: [(&str, Observed<'_>, &str, &str); 6] = [
        (
            "no address",
            Observed { endpoint: Some(Err(Unassigned::NodePortWithoutAddress)), ..starting.clone() },
            "AddressMissing",
            "spec.networkProfile.address",
        ),
        (
            "no store",
            Observed { data_store: DataStoreOutcome::NotFound { name: "x".into() }, ..starting.clone() },
            "DataStoreNotFound",
            "create it",
        ),
        (
            "none named",
            Observed { data_store: DataStoreOutcome::Unnamed, ..starting.clone() },
            "DataStoreMissing",
            "set spec.dataStore",
        ),
        (
            "queue",
            Observed { queue: Some(Position { ahead: 2, waiting: 5 }), ..starting.clone() },
            "WaitingForStart",
            "2 of 5",
        ),
        ("starting", starting.clone(), "Starting", "starting"),
        (
            "failed step",
            Observed {
                failure: Some(Failure { kind: Kind::ControlPlaneAvailable, message: "quota".into() }),
                ..starting.clone()
            },
            "ApplyFailed",
            "quota",
        ),
    ];
    for (name, observed, reason, words) in cases {
        let status = world.status(None, &observed);
        assert_eq!(ready(&status), ("False".into(), reason.into()), "{name}");
        let message = &find(&status.conditions, Kind::Ready).unwrap().message;
        assert!(message.contains(words), "{name}: {message}");
    }
    let later = world.status_at(None, &starting, "2026-03-01T12:10:00Z");
    assert_eq!(ready(&later).1, "Unavailable", "a start does not go on for ever");
}

#[test]
fn an_invalid_spec_is_told_and_everything_else_stays() {
    let world = World::new(&json!({}));
    let first = world.status(None, &world.observed());
    let faults = validate(&object(&json!({ "spec": { "kubernetes": { "version": "v9" } } }))).unwrap_err();
    let second = status(Some(&first), Err(&faults), Some(5), &Observed::default(), at(NOW));
    assert_eq!(ready(&second), ("False".into(), "InvalidSpec".into()));
    assert_eq!(second.observed_generation, Some(4));
    assert_eq!(second.storage, first.storage);
    let healed = world.status(Some(&second), &world.observed());
    assert_eq!(ready(&healed), ("True".into(), "Ready".into()));
}

#[test]
fn nothing_observed_on_a_new_object_is_said_so() {
    let world = World::new(&json!({}));
    let status = world.status(None, &Observed::default());
    assert_eq!(ready(&status), ("False".into(), "Pending".into()));
    assert_eq!(state(&status), Some(VersionState::Provisioning));
    assert_eq!(status.observed_generation, None);
}

#[test]
fn a_sleeping_control_plane_is_brought_about_and_not_ready() {
    let asleep = json!({ "spec": { "controlPlane": { "deployment": { "replicas": 0 } } } });
    let world = World { deployment: deployment(0, 0), ..World::new(&asleep) };
    let running = World::new(&json!({}));
    let previous = running.status(None, &running.observed());
    let status =
        world.status(Some(&previous), &Observed { tenant: TenantOutcome::Pending, ..world.observed() });
    assert_eq!(ready(&status), ("False".into(), "Sleeping".into()));
    assert_eq!(status.observed_generation, Some(4));
}

#[test]
fn an_addon_that_fails_is_named_without_hiding_that_the_control_plane_serves() {
    let world = World::new(&json!({ "spec": { "addons": { "coreDNS": {}, "konnectivity": {} } } }));
    let addons = |status: &TenantControlPlaneStatus| {
        let addons = find(&status.conditions, Kind::AddonsReady).unwrap();
        (addons.status.clone(), addons.reason.clone(), addons.message.clone())
    };
    let status = world.status(None, &world.observed());
    let (holds, reason, message) = addons(&status);
    assert_eq!((holds.as_str(), reason.as_str()), ("True", "Applied"));
    assert!(message.contains("coreDNS, konnectivity"), "{message}");
    assert!(status.addons.core_dns.enabled && !status.addons.kube_proxy.enabled);
    assert_eq!(status.addons.konnectivity.agent.name.as_deref(), Some("konnectivity-agent"));

    let inside = Inside { faults: vec![(Part::CoreDns, "no room".to_owned())], ..Inside::default() };
    let failing =
        world.status(Some(&status), &Observed { tenant: TenantOutcome::Done(inside), ..world.observed() });
    assert_eq!(ready(&failing).0, "True");
    assert_eq!(addons(&failing), ("False".into(), "ApplyFailed".into(), "coreDNS: no room".into()));
}

#[test]
fn what_workers_need_and_is_not_there_keeps_the_control_plane_from_being_ready() {
    let world = World::new(&json!({}));
    let inside = Inside { faults: vec![(Part::Join, "refused".to_owned())], ..Inside::default() };
    let status = world.status(None, &Observed { tenant: TenantOutcome::Done(inside), ..world.observed() });
    assert_eq!(ready(&status), ("False".into(), "ApplyFailed".into()));
}

#[test]
fn an_addon_that_is_taken_away_leaves_the_status() {
    let with = World::new(&json!({ "spec": { "addons": { "coreDNS": {}, "konnectivity": {} } } }));
    let before = with.status(None, &with.observed());
    let without = World::new(&json!({}));
    let after = without.status(Some(&before), &without.observed());
    assert!(before.addons.core_dns.enabled && !after.addons.core_dns.enabled);
    assert_eq!(after.addons.konnectivity.agent, api::KonnectivityAgentStatus::default());
    assert_eq!(without.status(Some(&after), &without.observed()).addons, after.addons);
}

#[test]
fn ready_tells_what_failed_and_not_what_waits_for_it() {
    let control_plane = validate(&object(&json!({}))).unwrap();
    let store = DataStoreOutcome::Unreachable { name: "main".to_owned(), message: "refused".to_owned() };
    let observed = Observed { data_store: store, ..Observed::default() };
    let stands = status(None, Ok(&control_plane), Some(4), &observed, at(NOW));
    let ready = find(&stands.conditions, Kind::Ready).unwrap();
    assert_eq!(ready.reason, "DataStoreUnreachable");
    assert!(ready.message.contains("`main`"), "{}", ready.message);
}
