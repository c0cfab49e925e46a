//! Snapshots of the objects for a table of specs, and what must hold of all of them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;

use api::Driver;
use api::names::Component;
use desired::{Checksums, DeploymentInputs, Override, Start, Unassigned, deployment, endpoint, service};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use serde_json::{Value, json};
use support::{at, control_plane, now, settings, store};

/// Fixed checksums, since keys are new in each run.
fn checksums() -> Checksums {
    [
        Component::Ca,
        Component::FrontProxyCa,
        Component::ServiceAccount,
        Component::ApiServer,
        Component::ApiServerKubeletClient,
        Component::FrontProxyClient,
        Component::ControllerManagerKubeconfig,
        Component::SchedulerKubeconfig,
    ]
    .into_iter()
    .map(|component| (component, format!("md5-of-{}", component.label())))
    .collect()
}

fn build(spec: Value, driver: Driver, start: Start, live: Option<&Deployment>, now: Timestamp) -> Deployment {
    let control_plane = control_plane(spec);
    let (store, checksums, settings) = (store(driver), checksums(), settings());
    let has_overrides = !control_plane.spec().data_store_overrides.is_empty();
    let overrides = [Override { resource: "/events".to_owned(), store: store.clone() }];
    deployment(
        &control_plane,
        &support::endpoint(),
        &DeploymentInputs {
            checksums: &checksums,
            store: &store,
            store_config: "md5-of-config",
            store_certificate: "md5-of-certificate",
            store_authority: "md5-of-authority",
            served_names: "md5-of-names",
            bundles: &BTreeSet::new(),
            overrides: if has_overrides { &overrides } else { &[] },
            settings: &settings,
            start,
            live,
            now,
        },
    )
}

fn everything() -> Value {
    json!({ "spec": {
        "dataStoreSchema": "schema", "dataStoreUsername": "user",
        "dataStoreOverrides": [{ "resource": "/events", "dataStore": "events" }],
        "controlPlane": {
            "deployment": {
                "registrySettings": { "registry": "registry.example.com", "apiServerImage": "api", "tagSuffix": "-fips" },
                "replicas": 3,
                "nodeSelector": { "disk": "ssd" },
                "runtimeClassName": "kata",
                "strategy": { "type": "Recreate" },
                "tolerations": [{ "key": "tenants", "operator": "Exists" }],
                "affinity": { "nodeAffinity": {} },
                "topologySpreadConstraints": [{ "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule" }],
                "resources": { "apiServer": { "limits": { "memory": "1Gi" } }, "scheduler": { "requests": { "cpu": "1m" } } },
                "extraArgs": {
                    "apiServer": ["--v=4", "--audit-log-path=-", "--secure-port=1", "--allow-privileged=false", "--v=5"],
                    "controllerManager": ["--leader-elect=false", "--v=2"],
                    "scheduler": ["--leader-elect=false", "--v=2"],
                },
                "additionalMetadata": { "labels": { "team": "a" }, "annotations": { "note": "deployment" } },
                "podAdditionalMetadata": { "labels": { "team": "a", "kamaji.clastix.io/name": "other" }, "annotations": { "note": "pod" } },
                "additionalInitContainers": [{ "name": "init", "image": "i" }],
                "additionalContainers": [{ "name": "sidecar", "image": "s" }],
                "additionalVolumes": [{ "name": "extra", "emptyDir": {} }],
                "additionalVolumeMounts": { "apiServer": [{ "name": "extra", "mountPath": "/extra" }] },
                "probes": { "startup": { "periodSeconds": 2 }, "apiServer": { "startup": { "failureThreshold": 5 } } },
                "serviceAccountName": "tenants",
                "automountServiceAccountToken": false,
                "containerSecurityContexts": { "apiServer": { "runAsUser": 1 } },
                "podSecurityContext": { "runAsNonRoot": true },
            },
            "service": {
                "serviceType": "LoadBalancer",
                "additionalMetadata": { "labels": { "team": "a" }, "annotations": { "lb": "x" } },
                "additionalPorts": [{ "name": "https", "port": 8443, "targetPort": "https", "appProtocol": "https" }],
                "allocateLoadBalancerNodePorts": false,
            },
        },
        "networkProfile": {
            "port": 6443, "advertiseAddress": "198.51.100.1", "loadBalancerClass": "internal",
            "loadBalancerSourceRanges": ["192.0.2.0/24"],
        },
        "kubernetes": { "admissionControllers": ["NodeRestriction"], "kubelet": { "preferredAddressTypes": ["Hostname"] } },
    } })
}

fn dual_stack() -> Value {
    json!({ "spec": { "networkProfile": {
        "address": "2001:db8::7",
        "serviceCidrs": ["fd00:96::/112", "10.96.0.0/16"],
        "podCidrs": ["fd00:244::/56", "10.244.0.0/16"],
    } } })
}

fn with_konnectivity() -> Value {
    json!({ "spec": {
        "controlPlane": { "deployment": {
            "extraArgs": { "apiServer": ["--egress-selector-config-file=/mine", "--v=4"] },
        } },
        "addons": { "konnectivity": { "server": {
            "port": 8132,
            "extraArgs": ["--mode=http-connect", "--keepalive-time=30s"],
            "resources": { "limits": { "memory": "64Mi" } },
            "securityContext": { "runAsNonRoot": true },
        } } },
    } })
}

#[test]
fn deployments_look_as_they_did() {
    let cases = [
        ("defaults", json!({}), Driver::Etcd),
        ("everything", everything(), Driver::Etcd),
        ("dual_stack", dual_stack(), Driver::Etcd),
        ("postgresql", json!({}), Driver::PostgreSql),
        ("mysql", json!({}), Driver::MySql),
        ("nats", json!({}), Driver::Nats),
        ("konnectivity", with_konnectivity(), Driver::PostgreSql),
    ];
    for (name, spec, driver) in cases {
        insta::assert_yaml_snapshot!(
            format!("deployment_{name}"),
            build(spec, driver, Start::Admitted, None, now())
        );
    }
}

#[test]
fn services_look_as_they_did() {
    let node_port = json!({ "spec": {
        "controlPlane": { "service": { "serviceType": "NodePort" } },
        "networkProfile": { "port": 31443, "address": "192.0.2.4", "allowAddressAsExternalIP": true },
    } });
    for (name, spec) in [("defaults", json!({})), ("everything", everything()), ("node_port", node_port)] {
        insta::assert_yaml_snapshot!(format!("service_{name}"), service(&control_plane(spec), None, None));
    }
}

#[test]
fn built_again_over_its_own_output_a_deployment_is_the_same() {
    for driver in [Driver::Etcd, Driver::MySql, Driver::PostgreSql, Driver::Nats] {
        let first = build(everything(), driver, Start::Admitted, None, now());
        let second = build(everything(), driver, Start::Held, Some(&first), at("2027-01-01T00:00:00Z"));
        // The certificates of the store are new, but nothing of them is in the Deployment.
        assert_eq!(second, first, "{driver}");
    }
}

#[test]
fn a_held_deployment_is_paused_and_wants_no_pods_until_it_is_admitted() {
    let held = build(json!({}), Driver::Etcd, Start::Held, None, now());
    let spec = held.spec.clone().unwrap();
    assert_eq!((spec.paused, spec.replicas), (Some(true), Some(0)));
    assert!(!has_started_at(&held));

    let admitted = build(json!({}), Driver::Etcd, Start::Admitted, Some(&held), now());
    let spec = admitted.spec.clone().unwrap();
    assert_eq!((spec.paused, spec.replicas), (None, Some(2)));
    assert!(has_started_at(&admitted));

    let asleep = json!({ "spec": { "controlPlane": { "deployment": { "replicas": 0 } } } });
    let asleep = build(asleep, Driver::Etcd, Start::Held, Some(&admitted), now());
    let spec = asleep.spec.clone().unwrap();
    assert_eq!((spec.paused, spec.replicas, has_started_at(&asleep)), (None, Some(0), false));

    let woken = build(json!({}), Driver::Etcd, Start::Held, Some(&asleep), now());
    assert_eq!(woken.spec.unwrap().replicas, Some(0), "waking waits for the gate too");
}

fn has_started_at(deployment: &Deployment) -> bool {
    deployment.metadata.annotations.as_ref().unwrap().contains_key("flotilla.dev/started-at")
}

#[test]
fn a_container_of_the_user_named_kine_is_ours_with_another_image() {
    let spec = json!({ "spec": { "controlPlane": { "deployment": { "additionalContainers": [{ "name": "kine", "image": "mine" }] } } } });
    let pod = build(spec, Driver::MySql, Start::Admitted, None, now()).spec.unwrap().template.spec.unwrap();
    let kine: Vec<_> = pod.containers.iter().filter(|container| container.name == "kine").collect();
    assert_eq!(kine.len(), 1);
    assert_eq!(kine[0].image.as_deref(), Some("mine"));
    assert_eq!(kine[0].command, Some(vec!["/bin/kine".to_owned()]));
}

#[test]
fn the_address_comes_from_the_spec_or_else_from_the_service() {
    let applied = |cluster_ip: &str, ingress: Value| -> Service {
        serde_json::from_value(json!({
            "spec": { "clusterIP": cluster_ip },
            "status": { "loadBalancer": { "ingress": ingress } },
        }))
        .unwrap()
    };
    let spec = |kind: &str, address: Option<&str>| {
        control_plane(json!({ "spec": {
            "controlPlane": { "service": { "serviceType": kind } },
            "networkProfile": { "address": address, "serviceCidrs": ["10.96.0.0/16", "fd00:96::/112"] },
        } }))
    };
    let cases = [
        ("ClusterIP", None, applied("10.0.0.9", json!([])), Ok("10.0.0.9:6443")),
        ("ClusterIP", Some("2001:db8::1"), applied("10.0.0.9", json!([])), Ok("[2001:db8::1]:6443")),
        ("ClusterIP", None, applied("None", json!([])), Err(Unassigned::ClusterIpMissing)),
        ("LoadBalancer", None, applied("10.0.0.9", json!([])), Err(Unassigned::LoadBalancerPending)),
        ("LoadBalancer", None, applied("10.0.0.9", json!([{ "ip": "192.0.2.1" }])), Ok("192.0.2.1:6443")),
        (
            "LoadBalancer",
            None,
            applied("10.0.0.9", json!([{ "hostname": "lb.example.com" }])),
            Ok("lb.example.com:6443"),
        ),
        ("NodePort", None, applied("10.0.0.9", json!([])), Err(Unassigned::NodePortWithoutAddress)),
        ("NodePort", Some("192.0.2.2"), applied("10.0.0.9", json!([])), Ok("192.0.2.2:6443")),
    ];
    for (kind, address, service, expected) in cases {
        let found = endpoint(&spec(kind, address), &service).map(|endpoint| endpoint.to_string());
        assert_eq!(found, expected.map(str::to_owned), "{kind} {address:?}");
    }
}
