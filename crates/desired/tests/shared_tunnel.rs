//! Claims about control planes that use the tunnel which all tenants share.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;

use api::Driver;
use api::names::Component;
use desired::inside::{Inputs, LiveDns, Webhook, objects};
use desired::shared_tunnel::{SharedTunnel, endpoints, platform, told_of};
use desired::{DeploymentInputs, Secrets, Start, Validated, deployment, egress_selector, service};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, Secret};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use pki::inspect;
use serde_json::{Value, json};
use support::{by_name, control_plane, issue, now, renewal, settings, store, text};

fn shared() -> Value {
    json!({ "spec": { "addons": { "konnectivity": { "server": { "port": 8132, "shared": true } } } } })
}

fn installation() -> (Secret, Secret, SharedTunnel) {
    platform("flotilla-system", "flotilla-system-tunnel", (None, None), renewal(now())).unwrap()
}

fn tenant(tunnel: &SharedTunnel) -> Validated {
    control_plane(shared()).with_shared_tunnel(Some(tunnel.clone()))
}

fn pods_of(control_plane: &Validated) -> Deployment {
    let (store, settings) = (store(Driver::Etcd), settings());
    let credentials = issue(control_plane, &Secrets::new(), now());
    let inputs = DeploymentInputs {
        checksums: &credentials.issued().checksums,
        store: &store,
        store_config: "",
        store_certificate: "",
        store_authority: "",
        served_names: "",
        bundles: &BTreeSet::new(),
        overrides: &[],
        settings: &settings,
        start: Start::Admitted,
        live: None,
        now: now(),
    };
    deployment(control_plane, &support::endpoint(), &inputs)
}

fn agent_arguments(control_plane: &Validated) -> Vec<String> {
    let kubeconfig = "
apiVersion: v1
kind: Config
clusters: [{name: blue, cluster: {server: 'https://10.0.0.7:6443', certificate-authority-data: YXV0aG9yaXR5}}]
contexts: [{name: a, context: {cluster: blue, user: b}}]
current-context: a
users: [{name: b, user: {client-certificate-data: Yw==, client-key-data: ZA==}}]
";
    let (webhook, dns, store) = (Webhook::default(), LiveDns::default(), store(Driver::Etcd));
    let inputs = Inputs {
        endpoint: &support::endpoint(),
        kubeconfig,
        store: &store,
        webhook: &webhook,
        dns: &dns,
        rights: None,
        namespaces: &std::collections::BTreeSet::new(),
    };
    let wished = objects(control_plane, &inputs);
    let found = wished.objects.iter().find(|object| {
        object.key.name == "konnectivity-agent" && object.body["spec"]["template"].is_object()
    });
    let arguments = &found.unwrap().body["spec"]["template"]["spec"]["containers"][0]["args"];
    serde_json::from_value(arguments.clone()).unwrap()
}

#[test]
fn the_pod_has_no_server_and_shows_the_tunnel_who_it_is() {
    let (_, _, tunnel) = installation();
    let pod = pods_of(&tenant(&tunnel)).spec.unwrap().template.spec.unwrap();
    let names: Vec<&str> = pod.containers.iter().map(|container| container.name.as_str()).collect();
    assert_eq!(names, ["kube-apiserver", "kube-scheduler", "kube-controller-manager"]);
    let flag = "--egress-selector-config-file=/etc/kubernetes/konnectivity/configurations/egress-selector-configuration.yaml";
    assert!(pod.containers[0].args.as_ref().unwrap().iter().any(|arg| arg == flag));
    let mounts: Vec<&str> =
        pod.containers[0].volume_mounts.iter().flatten().map(|mount| mount.mount_path.as_str()).collect();
    for path in ["/etc/kubernetes/konnectivity/configurations", "/etc/kubernetes/konnectivity/tunnel"] {
        assert!(mounts.contains(&path), "{mounts:?}");
    }
    assert!(!mounts.contains(&"/run/konnectivity"));
    let volumes = pod.volumes.unwrap();
    let client = volumes.iter().find(|volume| volume.name == "flotilla-tunnel-client").unwrap();
    assert_eq!(client.secret.as_ref().unwrap().secret_name.as_deref(), Some("blue-tunnel-client"));
    insta::assert_snapshot!(
        egress_selector(&tenant(&tunnel)).unwrap().data.unwrap()["egress-selector-configuration.yaml"]
    );
}

#[test]
fn a_new_client_certificate_replaces_the_pods() {
    let (_, _, tunnel) = installation();
    let (_, _, other) = installation();
    let label = |tunnel: &SharedTunnel| {
        let labels = pods_of(&tenant(tunnel)).spec.unwrap().template.metadata.unwrap().labels.unwrap();
        labels["component.kamaji.clastix.io/tunnel-client"].clone()
    };
    assert_ne!(label(&tunnel), label(&other));
}

#[test]
fn certificates_name_the_tenant_and_no_authoritys_key_leaves() {
    let (_, _, tunnel) = installation();
    let control_plane = tenant(&tunnel);
    let issued = issue(&control_plane, &Secrets::new(), now());
    let secrets = by_name(issued.secrets());
    assert!(!secrets.contains_key("blue-konnectivity-certificate"));
    let client = inspect(&text(&secrets["blue-tunnel-client"], "tls.crt")).unwrap();
    assert_eq!(client.common_name, "uid-blue");
    assert!(client.organizations.iter().eq(["flotilla:tunnel-client"]));
    assert!(client.is_signed_by(&tunnel.authority.certificate));

    let told = issued.tunnel().unwrap();
    assert_eq!(told_of(told), Some(("uid-blue", "tenants", "blue")));
    assert_eq!(told.metadata.namespace.as_deref(), Some("flotilla-system-tunnel"));
    let keys: Vec<&str> = told.data.as_ref().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["issuer", "sa.pub", "tls.crt", "tls.key"]);
    assert_eq!(text(told, "sa.pub"), text(&secrets["blue-sa-certificate"], "sa.pub"));
    assert!(!text(told, "sa.pub").contains("PRIVATE"));
    let server = inspect(&text(told, "tls.crt")).unwrap();
    assert!(server.is_signed_by(&text(&secrets["blue-ca"], "ca.crt")));
    assert!(server.dns_names.iter().eq(["flotilla-uid-blue"]));
    assert!(server.ip_addresses.iter().map(ToString::to_string).eq(["10.0.0.7"]));
    let authority = text(&secrets["blue-ca"], "ca.key");
    assert_ne!(text(told, "tls.key"), authority);
}

#[test]
fn everything_is_kept_when_it_is_made_again() {
    let (authority, own, tunnel) = installation();
    let existing = (Some(&authority), Some(&own));
    let again = platform("flotilla-system", "flotilla-system-tunnel", existing, renewal(now())).unwrap();
    assert_eq!((authority, own, tunnel.clone()), again);
    let control_plane = tenant(&tunnel);
    let first = issue(&control_plane, &Secrets::new(), now());
    let mut existing = by_name(first.secrets());
    existing.extend(by_name(std::slice::from_ref(first.tunnel().unwrap())));
    let second = issue(&control_plane, &existing, now());
    assert_eq!(first.secrets(), second.secrets());
    assert_eq!(first.tunnel(), second.tunnel());
}

#[test]
fn agents_name_their_tenant_only_where_the_tunnel_is_shared() {
    let (_, _, tunnel) = installation();
    assert!(agent_arguments(&tenant(&tunnel)).contains(&"--alpn-proto=flotilla-uid-blue".to_owned()));
    let own =
        control_plane(json!({ "spec": { "addons": { "konnectivity": { "server": { "port": 8132 } } } } }));
    assert!(!agent_arguments(&own.with_shared_tunnel(Some(tunnel))).iter().any(|arg| arg.contains("alpn")));
}

#[test]
fn the_tunnel_stands_behind_the_tenants_own_address() {
    let (_, _, tunnel) = installation();
    let control_plane = tenant(&tunnel);
    let ports = service(&control_plane, None, None).spec.unwrap().ports.unwrap();
    assert_eq!((ports[1].name.as_deref(), ports[1].port), (Some("konnectivity-server"), 8132));
    // No container has a port of this name.
    assert_eq!(ports[1].target_port, Some(IntOrString::String("shared-tunnel".to_owned())));
    let pod = |name: &str, address: &str, ready: &str| -> Pod {
        serde_json::from_value(json!({
            "metadata": { "name": name },
            "status": { "podIP": address, "conditions": [{ "type": "Ready", "status": ready }] },
        }))
        .unwrap()
    };
    let mut ending = pod("c", "10.1.0.3", "True");
    ending.metadata.deletion_timestamp = Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(now()));
    let pods = [pod("b", "10.1.0.2", "False"), pod("a", "10.1.0.1", "True"), ending, pod("d", "", "False")];
    let slice = endpoints(&control_plane, &pods).unwrap();
    let labels = slice.metadata.labels.as_ref().unwrap();
    assert_eq!(labels["kubernetes.io/service-name"], "blue");
    assert_eq!(labels["endpointslice.kubernetes.io/managed-by"], "flotilla.dev");
    let places: Vec<(&str, Option<bool>)> = slice
        .endpoints
        .iter()
        .flatten()
        .map(|place| (place.addresses[0].as_str(), place.conditions.as_ref().and_then(|found| found.ready)))
        .collect();
    assert_eq!(places, [("10.1.0.1", Some(true)), ("10.1.0.2", Some(false))]);
    assert_eq!(slice.ports.unwrap()[0].name.as_deref(), Some("konnectivity-server"));
}

#[test]
fn without_a_tunnel_in_the_installation_the_api_server_goes_without() {
    let control_plane = control_plane(shared());
    let pod = pods_of(&control_plane).spec.unwrap().template.spec.unwrap();
    assert_eq!(pod.containers.len(), 3);
    assert!(!pod.containers[0].args.as_ref().unwrap().iter().any(|arg| arg.contains("egress")));
    assert!(egress_selector(&control_plane).is_none());
    assert!(endpoints(&control_plane, []).is_none());
    assert!(issue(&control_plane, &Secrets::new(), now()).tunnel().is_none());
}

#[test]
fn a_tunnel_of_the_installation_changes_nothing_for_those_who_do_not_ask() {
    let (_, _, tunnel) = installation();
    for spec in
        [json!({}), json!({ "spec": { "addons": { "konnectivity": { "server": { "port": 8132 } } } } })]
    {
        let without = control_plane(spec);
        let with = without.clone().with_shared_tunnel(Some(tunnel.clone()));
        assert_eq!(service(&without, None, None), service(&with, None, None));
        assert_eq!(egress_selector(&without), egress_selector(&with));
        assert!(endpoints(&with, []).is_none());
        let names = |control_plane: &Validated| {
            let secrets = by_name(issue(control_plane, &Secrets::new(), now()).secrets());
            secrets.into_keys().collect::<Vec<_>>()
        };
        assert_eq!(names(&without), names(&with));
        assert!(!names(&with).contains(&Component::TunnelClient.object_name("blue")));
    }
}
