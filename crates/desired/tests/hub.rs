//! How control planes trust the hub: the flag, the file behind it, and when there is none of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use api::{Driver, RoleRule};
use desired::hub::{Certificate, Hub, Trust, config_map};
use desired::inside::{
    Inputs, Kind, LiveDns, ProjectRights, Rights, RoleRights, Webhook, Wished, is_right, objects,
};
use desired::{DeploymentInputs, Secrets, Start, Validated, deployment, replaces_pods};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::{Value, json};
use support::{control_plane, issue, now, settings, store};

const AUTHORITY: &str = "-----BEGIN CERTIFICATE-----\nhub\n-----END CERTIFICATE-----\n";

fn hub(certificate: Certificate) -> Hub {
    Hub {
        issuer: "https://hub.example.com/issuer".to_owned(),
        discovery: "https://flotilla-server.flotilla-system.svc/issuer/.well-known/openid-configuration"
            .to_owned(),
        certificate,
    }
}

fn signed() -> Hub {
    hub(Certificate::Signed(AUTHORITY.to_owned()))
}

fn trusting(spec: Value) -> Validated {
    let mut object = json!({});
    object["spec"] = spec;
    control_plane(object).with_hub(Some(signed()))
}

fn pods(control_plane: &Validated, live: Option<&Deployment>) -> Deployment {
    let (store, settings) = (store(Driver::Etcd), settings());
    let inputs = DeploymentInputs {
        checksums: &std::collections::BTreeMap::new(),
        store: &store,
        store_config: "",
        store_certificate: "",
        store_authority: "",
        served_names: "",
        bundles: &BTreeSet::new(),
        overrides: &[],
        settings: &settings,
        start: Start::Admitted,
        live,
        now: now(),
    };
    deployment(control_plane, &support::endpoint(), &inputs)
}

fn api_server(deployment: &Deployment) -> Value {
    let pod = deployment.spec.as_ref().unwrap().template.spec.as_ref().unwrap();
    let container = pod.containers.iter().find(|container| container.name == "kube-apiserver").unwrap();
    let is_hubs =
        |text: &Value| ["kubernetes/hub", "flotilla-hub"].iter().any(|own| text.to_string().contains(own));
    let own = |list: Value| -> Vec<Value> {
        list.as_array().into_iter().flatten().filter(|item| is_hubs(item)).cloned().collect()
    };
    json!({
        "args": own(json!(container.args)),
        "mounts": own(json!(container.volume_mounts)),
        "volumes": own(json!(pod.volumes)),
    })
}

fn data(map: &ConfigMap, key: &str) -> Option<String> {
    map.data.as_ref().unwrap().get(key).cloned()
}

fn extra(flags: &[&str]) -> Value {
    json!({ "controlPlane": { "deployment": { "extraArgs": { "apiServer": flags } } } })
}

#[test]
fn the_api_server_reads_a_file_that_trusts_the_hub_for_this_cluster_alone() {
    let control_plane = trusting(json!({}));
    insta::assert_yaml_snapshot!("api_server", api_server(&pods(&control_plane, None)));
    insta::assert_yaml_snapshot!("config_map", config_map(&control_plane, "tenant's authority").unwrap());
}

#[test]
fn without_a_hub_nothing_changes() {
    let plain = control_plane(json!({}));
    assert_eq!(config_map(&plain, "a"), None);
    assert_eq!(Trust::of(&plain), Trust::Unasked);
    let nothing = json!({ "args": [], "mounts": [], "volumes": [] });
    assert_eq!(api_server(&pods(&plain, None)), nothing);
}

#[test]
fn the_file_has_the_form_that_the_version_knows() {
    for (version, form) in
        [("v1.36.3", "v1"), ("v1.34.0", "v1"), ("v1.33.9", "v1beta1"), ("v1.30.0", "v1beta1")]
    {
        let map = config_map(&trusting(json!({ "kubernetes": { "version": version } })), "a").unwrap();
        let text = data(&map, "authentication.yaml").unwrap();
        assert!(
            text.starts_with(&format!("apiVersion: apiserver.config.k8s.io/{form}\n")),
            "{version}: {text}"
        );
    }
}

#[test]
fn what_cannot_be_had_beside_the_hub_is_said_and_nothing_is_mounted() {
    let nothing = json!({ "args": [], "mounts": [], "volumes": [] });
    for flags in [
        &["--oidc-issuer-url=https://secret.example.com"][..],
        &["--v=4", "--oidc_client_id=a"],
        &["--authentication-config=/etc/mine.yaml"],
        &["--feature-gates=A=true,StructuredAuthenticationConfiguration=false"],
        &["--feature-gates=AllBeta=false"],
        &["--service-account-issuer=https://hub.example.com/issuer"],
    ] {
        let control_plane = trusting(extra(flags));
        assert_eq!(api_server(&pods(&control_plane, None)), nothing, "{flags:?}");
        let map = config_map(&control_plane, "a").unwrap();
        assert_eq!(data(&map, "authentication.yaml"), None);
        assert_eq!(data(&map, "endpoint").unwrap(), "https://blue.tenants.svc:6443");
        let off = data(&map, "off").unwrap();
        let flag = flags.last().unwrap().split('=').next().unwrap();
        assert!(off.contains(flag) && !off.contains("secret.example.com"), "{off}");
    }
    for flags in
        [&["--service-account-issuer=https://other"][..], &["--feature-gates=A=false"], &["--v=oidc-a"]]
    {
        assert!(matches!(Trust::of(&trusting(extra(flags))), Trust::Given(_)), "{flags:?}");
    }
}

#[test]
fn until_somebody_vouches_for_the_hub_nobody_is_believed_and_no_pod_is_replaced_when_it_comes() {
    let awaiting = control_plane(json!({})).with_hub(Some(hub(Certificate::Awaited)));
    let (awaiting_map, map) =
        (config_map(&awaiting, "a").unwrap(), config_map(&trusting(json!({})), "a").unwrap());
    let text = data(&awaiting_map, "authentication.yaml").unwrap();
    assert!(text.contains("jwt: []"), "{text}");
    assert_ne!(awaiting_map, map);
    let before = pods(&awaiting, None);
    let after = pods(&trusting(json!({})), Some(&before));
    assert_eq!(after.spec.as_ref().unwrap().template, before.spec.as_ref().unwrap().template);
    assert!(!replaces_pods(&before, &after));
}

#[test]
fn the_discovery_url_is_left_out_where_the_api_server_would_refuse_it() {
    for discovery in ["", "https://hub.example.com/issuer", "https://hub.example.com/issuer/"] {
        let hub = Hub { discovery: discovery.to_owned(), ..hub(Certificate::Public) };
        let map = config_map(&control_plane(json!({})).with_hub(Some(hub)), "a").unwrap();
        let text = data(&map, "authentication.yaml").unwrap();
        assert!(!text.contains("discoveryURL") && !text.contains("certificateAuthority"), "{text}");
    }
}

#[test]
fn the_hub_reads_the_authority_that_clients_trust() {
    let control_plane = trusting(json!({}));
    let credentials = issue(&control_plane, &Secrets::new(), now());
    let authority = credentials.authority();
    assert!(authority.starts_with("-----BEGIN CERTIFICATE-----"), "{authority}");
    assert!(!authority.contains("PRIVATE"));
    assert_eq!(data(&config_map(&control_plane, authority).unwrap(), "ca.crt").unwrap(), authority);
}

fn rule(verbs: &[&str], groups: &[&str], resources: &[&str], names: &[&str]) -> RoleRule {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    RoleRule {
        verbs: words(verbs),
        api_groups: words(groups),
        resources: words(resources),
        resource_names: words(names),
    }
}

fn inside(rights: Option<&Rights>, standing: &[&str]) -> Wished {
    let kubeconfig = "
clusters: [{name: blue, cluster: {server: 'https://10.0.0.7:6443', certificate-authority-data: YXV0aG9yaXR5}}]
contexts: [{name: a, context: {cluster: blue, user: b}}]
current-context: a
users: [{name: b, user: {client-certificate-data: Yw==, client-key-data: ZA==}}]
";
    let standing: BTreeSet<String> = standing.iter().map(|name| (*name).to_owned()).collect();
    let inputs = Inputs {
        endpoint: &support::endpoint(),
        kubeconfig,
        store: &store(Driver::Etcd),
        webhook: &Webhook::default(),
        dns: &LiveDns::default(),
        rights,
        namespaces: &standing,
    };
    objects(&control_plane(json!({})), &inputs)
}

fn rights() -> Rights {
    let role = |name: &str, rules: &[RoleRule]| {
        Arc::new(RoleRights { name: name.to_owned(), rules: rules.to_vec() })
    };
    let all = &["*"][..];
    Rights {
        roles: vec![
            role("owner", &[rule(all, all, all, &[])]),
            role(
                "one-pod",
                &[
                    rule(&["get"], &[""], &["pods"], &["a"]),
                    // These allow nothing, and would have the whole role refused.
                    rule(&[], &[""], &["pods"], &[]),
                    rule(&["get"], &[], &["pods"], &[]),
                ],
            ),
            // Nobody can have it.
            role("system-inventory", &[rule(all, all, all, &[])]),
        ],
        projects: vec![ProjectRights {
            name: "shop".to_owned(),
            namespaces: ["web".to_owned(), "late".to_owned()].into(),
            quota: [("pods".to_owned(), "10".to_owned())].into(),
        }],
    }
}

#[test]
fn roles_and_projects_become_these_objects() {
    let rights = rights();
    let wished = inside(Some(&rights), &["web", "kube-system"]);
    assert_eq!(wished.faults, []);
    let bodies: Vec<&Value> =
        wished.objects.iter().filter(|object| is_right(&object.key)).map(|object| &object.body).collect();
    insta::assert_yaml_snapshot!("rights", bodies);
}

#[test]
fn what_is_made_for_the_hub_is_known_by_its_name_and_nothing_else_is() {
    let rights = rights();
    let (without, with) = (inside(None, &["web"]), inside(Some(&rights), &["web"]));
    assert!(!without.objects.iter().any(|object| is_right(&object.key)));
    let (own, others): (Vec<_>, Vec<_>) = with.objects.iter().partition(|object| is_right(&object.key));
    assert_eq!(others.len(), without.objects.len());
    assert!(own.iter().all(|object| object.body["metadata"]["labels"]["flotilla.dev/hub"] == "true"));
    assert!(
        own.iter().all(|object| object.body["metadata"]["labels"]["kamaji.clastix.io/project"] == "kamaji")
    );
    assert_eq!(own.iter().filter(|object| object.key.kind == Kind::RoleBinding).count(), 2);
}
