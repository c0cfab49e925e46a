//! Claims about what is refused, and in which words.

use serde_json::json;

use super::{faults, update_faults, upgrade_fault};
use crate::TenantControlPlane;

fn object(patch: serde_json::Value) -> TenantControlPlane {
    let mut value = json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1",
        "kind": "TenantControlPlane",
        "metadata": { "name": "tenant", "namespace": "default" },
        "spec": {
            "controlPlane": { "service": { "serviceType": "ClusterIP" } },
            "kubernetes": { "version": "v1.36.3", "kubelet": {} },
        },
    });
    merge(&mut value, patch);
    serde_json::from_value(value).unwrap()
}

fn merge(target: &mut serde_json::Value, patch: serde_json::Value) {
    match (target, patch) {
        (serde_json::Value::Object(target), serde_json::Value::Object(patch)) => {
            for (key, value) in patch {
                merge(target.entry(key).or_insert(serde_json::Value::Null), value);
            }
        }
        (target, patch) => *target = patch,
    }
}

fn network(profile: &serde_json::Value) -> serde_json::Value {
    json!({ "spec": { "networkProfile": profile } })
}

fn deployment(deployment: &serde_json::Value) -> serde_json::Value {
    json!({ "spec": { "controlPlane": { "deployment": deployment } } })
}

#[test]
fn the_smallest_spec_has_no_fault() {
    assert_eq!(faults(&object(json!({}))), []);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of faults")]
fn each_fault_names_field_value_and_what_is_allowed() {
    let cases = [
        ("name too long", json!({ "metadata": { "name": "a".repeat(64) } }), "metadata.name", "1 to 63"),
        ("name begins with a digit", json!({ "metadata": { "name": "1a" } }), "metadata.name", "letter"),
        (
            "version too old",
            json!({ "spec": { "kubernetes": { "version": "v1.29.0" } } }),
            "spec.kubernetes.version",
            "1.30 to 1.36",
        ),
        (
            "version too new",
            json!({ "spec": { "kubernetes": { "version": "1.37.0" } } }),
            "spec.kubernetes.version",
            "1.30 to 1.36",
        ),
        (
            "the tunnel on the API server's port",
            json!({ "spec": { "addons": { "konnectivity": { "server": { "port": 6443 } } } } }),
            "spec.addons.konnectivity.server.port",
            "another one",
        ),
        (
            "an additional port on the tunnel's",
            json!({ "spec": {
                "addons": { "konnectivity": { "server": { "port": 8132 } } },
                "controlPlane": { "service": {
                    "additionalPorts": [{ "name": "extra", "port": 8132, "targetPort": 8132 }],
                } },
            } }),
            "spec.controlPlane.service.additionalPorts[0].port",
            "unique",
        ),
        (
            "no version",
            json!({ "spec": { "kubernetes": { "version": "latest" } } }),
            "spec.kubernetes.version",
            "v1.36.0",
        ),
        (
            "host name as address",
            network(&json!({ "address": "api.example.com" })),
            "spec.networkProfile.address",
            "IP address",
        ),
        (
            "bad alternative name",
            network(&json!({ "certSANs": ["ok.example", "no_good"] })),
            "spec.networkProfile.certSANs[1]",
            "DNS name",
        ),
        (
            "bad range",
            network(&json!({ "serviceCidr": "10.96.0.0" })),
            "spec.networkProfile.serviceCidr",
            "10.96.0.0/16",
        ),
        (
            "two IPv4 ranges",
            network(&json!({ "podCidrs": ["10.0.0.0/16", "10.1.0.0/16"] })),
            "spec.networkProfile.podCidrs[1]",
            "IPv6",
        ),
        (
            "DNS outside",
            network(&json!({ "dnsServiceIPs": ["10.97.0.10"] })),
            "spec.networkProfile.dnsServiceIPs[0]",
            "10.96.0.0/16",
        ),
        ("port", network(&json!({ "port": 70000 })), "spec.networkProfile.port", "65535"),
        (
            "class without load balancer",
            network(&json!({ "loadBalancerClass": "x" })),
            "spec.networkProfile.loadBalancerClass",
            "LoadBalancer",
        ),
        (
            "replicas",
            deployment(&json!({ "replicas": -1 })),
            "spec.controlPlane.deployment.replicas",
            "negative",
        ),
        (
            "no flag",
            deployment(&json!({ "extraArgs": { "scheduler": ["v=4"] } })),
            "spec.controlPlane.deployment.extraArgs.scheduler[0]",
            "--flag=value",
        ),
        (
            "our container",
            deployment(&json!({ "additionalContainers": [{ "name": "kube-apiserver" }] })),
            "spec.controlPlane.deployment.additionalContainers[0].name",
            "unique",
        ),
        (
            "our mount",
            deployment(
                &json!({ "additionalVolumeMounts": { "scheduler": [{ "name": "a", "mountPath": "/etc/kubernetes/" }] } }),
            ),
            "spec.controlPlane.deployment.additionalVolumeMounts.scheduler[0].mountPath",
            "another path",
        ),
    ];
    for (name, patch, path, words) in cases {
        let found = faults(&object(patch));
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert_eq!(found[0].path, path, "{name}");
        assert!(found[0].to_string().contains(words), "{name}: {}", found[0]);
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let found = faults(&object(network(&json!({ "address": "x y", "port": 0, "certSANs": ["_"] }))));
    assert_eq!(found.len(), 3, "{found:?}");
}

#[test]
fn a_container_named_kine_may_replace_ours() {
    assert_eq!(
        faults(&object(deployment(&json!({ "additionalContainers": [{ "name": "kine", "image": "x" }] })))),
        []
    );
}

#[test]
fn dual_stack_ranges_keep_their_order() {
    let object = object(network(
        &json!({ "serviceCidrs": ["fd00:96::/112", "10.96.0.0/16"], "dnsServiceIPs": ["fd00:96::10", "10.96.0.10"] }),
    ));
    assert_eq!(faults(&object), []);
    assert_eq!(object.spec.network_profile.unwrap().effective_service_cidrs()[0], "fd00:96::/112");
}

#[test]
fn versions_rise_by_one_minor_at_a_time_and_never_fall() {
    let cases = [
        ("v1.35.4", "v1.35.1", true),
        ("v1.35.4", "v1.36.0", true),
        ("1.35.4", "v1.35.4", true),
        ("v1.36.0", "v1.35.9", false),
        ("v1.34.0", "v1.36.0", false),
    ];
    for (from, to, allowed) in cases {
        assert_eq!(upgrade_fault(from, to).is_none(), allowed, "{from} to {to}");
    }
    let version = |version: &str| object(json!({ "spec": { "kubernetes": { "version": version } } }));
    let found = update_faults(&version("v1.33.0"), &version("v1.35.0"));
    assert!(found[0].message.contains("1.34"), "{}", found[0]);
}

#[test]
fn a_resource_of_an_override_is_what_the_api_servers_flag_can_hold() {
    let found = |resource: &str| {
        let overrides = json!([{"resource": resource, "dataStore": "other"}]);
        faults(&object(json!({"spec": {"dataStoreOverrides": overrides}})))
    };
    for resource in ["/events", "apps/deployments", "rbac.authorization.k8s.io/roles"] {
        assert_eq!(found(resource), [], "{resource}");
    }
    for resource in ["events", "", "/", "a/b/c", "/events#https://elsewhere", "/a,/b"] {
        let faults = found(resource);
        assert_eq!(faults.len(), 1, "{resource}");
        assert!(faults[0].to_string().contains("spec.dataStoreOverrides[0].resource"), "{}", faults[0]);
        assert!(faults[0].message.contains("group/resource"), "{}", faults[0]);
    }
}

#[test]
fn no_tenant_becomes_the_stores_administrator_or_reaches_into_anothers_place() {
    let found = |field: &str, value: &str| faults(&object(json!({"spec": {field: value}})));
    for field in ["dataStoreSchema", "dataStoreUsername"] {
        for value in ["root", "a/b", "/"] {
            let faults = found(field, value);
            assert_eq!(faults.len(), 1, "{field}: {value}");
            assert_eq!(faults[0].path, format!("spec.{field}"));
        }
        assert_eq!(found(field, "roots"), []);
    }
}
