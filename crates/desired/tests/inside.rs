//! Snapshots of what stands in tenants' clusters for a table of specs, and what must hold of all of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;

use api::Driver;
use desired::inside::{Inputs, Key, Kind, LiveDns, Part, REMOVABLE, Webhook, Wished, freeze, objects};
use serde_json::{Value, json};
use support::{control_plane, store};

const KUBECONFIG: &str = "
apiVersion: v1
kind: Config
clusters: [{name: blue, cluster: {server: 'https://10.0.0.7:6443', certificate-authority-data: YXV0aG9yaXR5}}]
contexts: [{name: a, context: {cluster: blue, user: b}}]
current-context: a
users: [{name: b, user: {client-certificate-data: Yw==, client-key-data: ZA==}}]
";

fn webhook() -> Webhook {
    Webhook {
        address: "flotilla-webhook.flotilla-system.svc:443".to_owned(),
        authority: "authority".to_owned(),
    }
}

fn build_on(spec: Value, dns: &LiveDns) -> Wished {
    let mut object = json!({});
    object["spec"] = spec;
    let (control_plane, mut store) = (control_plane(object), store(Driver::Etcd));
    store.endpoints = vec!["etcd-0.etcd.svc:2379".to_owned(), "etcd-1.etcd.svc:2379".to_owned()];
    let inputs = Inputs {
        endpoint: &support::endpoint(),
        kubeconfig: KUBECONFIG,
        store: &store,
        webhook: &webhook(),
        dns,
        rights: None,
        namespaces: &BTreeSet::new(),
    };
    objects(&control_plane, &inputs)
}

fn build(spec: Value) -> Wished {
    build_on(spec, &LiveDns::default())
}

fn everything() -> Value {
    json!({
        "writePermissions": { "blockCreation": true, "blockUpdate": true, "blockDeletion": true },
        "networkProfile": {
            "advertiseAddress": "192.0.2.7", "certSANs": ["blue.example.com"], "clusterDomain": "blue.local",
            "dnsServiceIPs": ["10.32.0.53"], "serviceCidrs": ["10.32.0.0/16"], "podCidrs": ["10.33.0.0/16"],
        },
        "kubernetes": { "kubelet": {
            "cgroupfs": "systemd",
            "configurationJSONPatches": [
                { "op": "replace", "path": "/maxPods", "value": 250 },
                { "op": "add", "path": "/featureGates", "value": { "MemoryQoS": true } },
                { "op": "remove", "path": "/podPidsLimit" },
            ],
        } },
        "addons": {
            "coreDNS": { "imageRepository": "registry.example.com/dns", "imageTag": "v1.2.3" },
            "kubeProxy": { "imageRepository": "registry.example.com", "imageTag": "v1.36.1" },
            "konnectivity": {
                "server": { "port": 9132 },
                "agent": {
                    "mode": "Deployment", "replicas": 3, "hostNetwork": true, "image": "registry.example.com/agent",
                    "version": "v0.30.1", "extraArgs": ["-v=2", "--sync-interval=5s"],
                    "tolerations": [{ "operator": "Exists" }],
                },
            },
        },
    })
}

fn defaults() -> Value {
    json!({ "addons": { "coreDNS": {}, "kubeProxy": {}, "konnectivity": {} } })
}

fn dual_stack() -> Value {
    json!({
        "networkProfile": {
            "serviceCidrs": ["10.96.0.0/16", "fd00:1::/108"], "podCidrs": ["10.244.0.0/16", "fd00:2::/56"],
        },
        "addons": { "coreDNS": {}, "kubeProxy": {} },
    })
}

fn find(wished: &Wished, kind: Kind, name: &str) -> Value {
    let found = wished.objects.iter().find(|object| object.key.kind == kind && object.key.name == name);
    found.unwrap().body.clone()
}

fn text(wished: &Wished, name: &str, key: &str) -> String {
    find(wished, Kind::ConfigMap, name)["data"][key].as_str().unwrap().to_owned()
}

fn bodies(wished: &Wished) -> Vec<&Value> {
    wished.objects.iter().map(|object| &object.body).collect()
}

#[test]
fn objects_of_the_spec_table_are_these() {
    for (name, spec) in [("defaults", defaults()), ("everything", everything()), ("dual_stack", dual_stack())]
    {
        let wished = build(spec);
        assert_eq!(wished.faults, [], "{name}");
        insta::assert_yaml_snapshot!(name, bodies(&wished));
    }
}

#[test]
fn a_frozen_tenant_has_this_webhook() {
    insta::assert_yaml_snapshot!("freeze", freeze(&webhook()).body);
}

#[test]
fn every_object_bears_the_label_by_which_it_is_found_again() {
    for object in build(everything()).objects {
        assert_eq!(
            object.body["metadata"]["labels"]["kamaji.clastix.io/project"], "kamaji",
            "{:?}",
            object.key
        );
    }
}

#[test]
fn what_addons_and_limits_bring_can_be_removed_and_what_workers_need_cannot() {
    let removable: BTreeSet<Key> = REMOVABLE.into_iter().collect();
    assert_eq!(removable.len(), REMOVABLE.len());
    let mut seen = BTreeSet::new();
    for spec in [defaults(), everything()] {
        for object in build(spec).objects {
            assert_eq!(removable.contains(&object.key), object.part != Part::Join, "{:?}", object.key);
            seen.insert(object.key);
        }
    }
    seen.insert(freeze(&webhook()).key);
    assert!(removable.is_subset(&seen), "{:?}", removable.difference(&seen));
}

#[test]
fn no_object_is_wished_twice() {
    let wished = build(everything());
    let keys: BTreeSet<Key> = wished.objects.iter().map(|object| object.key.clone()).collect();
    assert_eq!(keys.len(), wished.objects.len());
}

#[test]
fn built_again_from_what_stands_the_objects_are_the_same() {
    for spec in [defaults(), everything(), dual_stack()] {
        let first = build(spec.clone());
        let mut live = LiveDns::default();
        for object in &first.objects {
            live.observe(&object.key, Some(&object.body));
        }
        assert_eq!(build_on(spec, &live).objects, first.objects);
    }
}

/// What a user or an earlier operator left in the name server's objects.
fn live(corefile: &str, replicas: i64, image: &str, address: &str) -> LiveDns {
    let mut live = LiveDns::default();
    let observed = [
        (Kind::ConfigMap, "coredns", json!({ "data": { "Corefile": corefile } })),
        (
            Kind::Deployment,
            "coredns",
            json!({ "spec": { "replicas": replicas, "template": { "spec": { "containers": [{ "image": image }] } } } }),
        ),
        (Kind::Service, "kube-dns", json!({ "spec": { "clusterIPs": [address] } })),
    ];
    for (kind, name, object) in observed {
        let key = build(defaults())
            .objects
            .iter()
            .map(|object| object.key.clone())
            .find(|key| key.kind == kind && key.name == name);
        live.observe(&key.unwrap(), Some(&object));
    }
    live
}

#[test]
fn corefile_and_replicas_of_the_user_stay() {
    let wished = build_on(defaults(), &live(". { whoami }", 5, "x", "10.96.0.10"));
    assert_eq!(text(&wished, "coredns", "Corefile"), ". { whoami }");
    assert_eq!(find(&wished, Kind::Deployment, "coredns")["spec"]["replicas"], 5);
    assert_eq!(wished.faults, []);
}

fn dns_image(spec: Value, live: &LiveDns) -> Value {
    let deployment = find(&build_on(spec, live), Kind::Deployment, "coredns");
    deployment["spec"]["template"]["spec"]["containers"][0]["image"].clone()
}

#[test]
fn the_name_servers_version_follows_the_tenants_and_is_never_set_back() {
    let nothing = LiveDns::default();
    for (kubernetes, tag) in [("v1.30.2", "v1.11.3"), ("v1.35.4", "v1.13.1"), ("v1.36.3", "v1.14.2")] {
        let spec = json!({ "kubernetes": { "version": kubernetes }, "addons": { "coreDNS": {} } });
        assert_eq!(dns_image(spec.clone(), &nothing), format!("registry.k8s.io/coredns/coredns:{tag}"));
        let newer = live("", 2, "registry.k8s.io/coredns/coredns:v1.99.0", "10.96.0.10");
        assert_eq!(dns_image(spec.clone(), &newer), "registry.k8s.io/coredns/coredns:v1.99.0");
        let older = live("", 2, "registry.k8s.io/coredns/coredns:v1.8.0", "10.96.0.10");
        assert_eq!(dns_image(spec, &older), format!("registry.k8s.io/coredns/coredns:{tag}"));
    }
}

#[test]
fn a_tag_alone_is_honoured() {
    let spec = json!({ "addons": { "coreDNS": { "imageTag": "v1.9.0" } } });
    assert_eq!(dns_image(spec, &LiveDns::default()), "registry.k8s.io/coredns/coredns:v1.9.0");
}

#[test]
fn kubelets_ask_the_address_that_the_name_server_has() {
    let spec = json!({
        "networkProfile": { "serviceCidr": "10.5.0.0/16", "dnsServiceIPs": ["10.5.0.99"] },
        "addons": { "coreDNS": {} },
    });
    let wished = build(spec);
    assert_eq!(find(&wished, Kind::Service, "kube-dns")["spec"]["clusterIP"], "10.5.0.99");
    let configuration = text(&wished, "kubelet-config", "kubelet");
    assert!(configuration.contains("10.5.0.99") && !configuration.contains("10.5.0.10"), "{configuration}");
}

#[test]
fn an_address_that_cannot_be_changed_is_named() {
    let wished = build_on(defaults(), &live("", 2, "", "10.96.0.99"));
    assert_eq!(find(&wished, Kind::Service, "kube-dns")["spec"]["clusterIPs"], json!(["10.96.0.99"]));
    let (part, message) = &wished.faults[0];
    assert_eq!(*part, Part::CoreDns);
    assert!(message.contains("10.96.0.99") && message.contains("10.96.0.10"), "{message}");
}

#[test]
fn a_patch_that_does_not_apply_is_named_and_harms_nothing_else() {
    let patches = json!([
        { "op": "add", "path": "/maxPods", "value": 1 },
        { "op": "remove", "path": "/noSuchField" },
    ]);
    let spec = json!({ "kubernetes": { "kubelet": { "configurationJSONPatches": patches } } });
    let wished = build(spec);
    let (part, message) = &wished.faults[0];
    assert_eq!(*part, Part::Join);
    assert!(message.contains("configurationJSONPatches[1]") && message.contains("/noSuchField"), "{message}");
    assert!(wished.objects.iter().all(|object| object.key.name != "kubelet-config"));
    assert!(wished.objects.iter().any(|object| object.key.name == "kubeadm-config"));
}

#[test]
fn replace_sets_a_field_that_is_not_written_out() {
    let patches = json!([{ "op": "replace", "path": "/cgroupDriver", "value": "systemd" }]);
    let wished = build(json!({ "kubernetes": { "kubelet": { "configurationJSONPatches": patches } } }));
    assert_eq!(wished.faults, []);
    assert!(text(&wished, "kubelet-config", "kubelet").contains("cgroupDriver: systemd\n"));
}

#[test]
fn an_older_kubelet_is_told_nothing_that_it_does_not_know() {
    let of = |version: &str| {
        text(&build(json!({ "kubernetes": { "version": version } })), "kubelet-config", "kubelet")
    };
    for field in
        ["memoryReservationPolicy", "crashLoopBackOff", "mergeDefaultEvictionSettings", "failCgroupV1"]
    {
        assert!(of("v1.36.3").contains(field), "{field}");
        assert!(!of("v1.30.0").contains(field), "{field}");
    }
    assert!(of("v1.34.4").contains("failCgroupV1: false"));
}

fn operations(permissions: Value) -> Vec<Value> {
    let mut spec = json!({});
    spec["writePermissions"] = permissions;
    let wished = build(spec);
    let body = find(&wished, Kind::ValidatingWebhookConfiguration, "kamaji-write-permissions");
    let hooks = body["webhooks"].as_array().unwrap().clone();
    hooks.iter().map(|hook| json!([hook["name"], hook["rules"][0]["operations"]])).collect()
}

#[test]
fn leases_of_nodes_stay_renewable_whatever_is_blocked() {
    let (leases, all) =
        ("leases.write-permissions.kamaji.clastix.io", "catchall.write-permissions.kamaji.clastix.io");
    assert_eq!(operations(json!({ "blockUpdate": true })), [json!([all, ["UPDATE"]])]);
    assert_eq!(
        operations(json!({ "blockCreation": true, "blockUpdate": true })),
        [json!([leases, ["CREATE"]]), json!([all, ["CREATE", "UPDATE"]])]
    );
    assert_eq!(
        operations(json!({ "blockDeletion": true })),
        [json!([leases, ["DELETE"]]), json!([all, ["DELETE"]])]
    );
}

#[test]
fn without_limits_there_is_no_webhook() {
    let wished = build(json!({ "writePermissions": { "blockCreation": false } }));
    let kinds: BTreeSet<Kind> = wished.objects.iter().map(|object| object.key.kind).collect();
    assert!(!kinds.contains(&Kind::ValidatingWebhookConfiguration));
}

#[test]
fn agents_go_to_the_gateways_name_and_the_users_flags_win() {
    let spec = json!({
        "controlPlane": { "gateway": { "hostname": "blue.example.com" } },
        "addons": { "konnectivity": { "agent": { "extraArgs": ["-v=2"] } } },
    });
    let wished = build(spec);
    let body = find(&wished, Kind::DaemonSet, "konnectivity-agent");
    let arguments = body["spec"]["template"]["spec"]["containers"][0]["args"].to_string();
    assert!(arguments.contains("--proxy-server-host=blue.example.com"), "{arguments}");
    assert!(arguments.contains("--proxy-server-port=8132"), "{arguments}");
    assert!(arguments.contains("-v=2") && !arguments.contains("-v=8"), "{arguments}");
}

#[test]
fn the_checksum_of_what_workers_need_follows_its_content() {
    let of = |kubeconfig: &str| {
        let (control_plane, store) = (control_plane(json!({})), store(Driver::Etcd));
        let (webhook, dns) = (webhook(), LiveDns::default());
        let endpoint = support::endpoint();
        let inputs = Inputs {
            endpoint: &endpoint,
            kubeconfig,
            store: &store,
            webhook: &webhook,
            dns: &dns,
            rights: None,
            namespaces: &BTreeSet::new(),
        };
        objects(&control_plane, &inputs).join_checksum.unwrap()
    };
    assert_eq!(of(KUBECONFIG), of(KUBECONFIG));
    assert_ne!(of(KUBECONFIG), of(&KUBECONFIG.replace("10.0.0.7", "10.0.0.8")));
}
