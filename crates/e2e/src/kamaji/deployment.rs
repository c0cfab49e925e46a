//! The Deployment as Kamaji lays it out.

use serde_json::{Value, json};

use super::Facts;
use super::objects::{Made, metadata};

const PKI: &str = "/etc/kubernetes/pki";
/// The Secrets whose checksums stand in the pod template's labels.
const CHECKSUMS: [(&str, &str); 8] = [
    ("api-server-certificate", "api-server-certificate"),
    ("api-server-kubelet-client-certificate", "api-server-kubelet-client-certificate"),
    ("ca", "ca"),
    ("controller-manager-kubeconfig", "controller-manager-kubeconfig"),
    ("front-proxy-ca-certificate", "front-proxy-ca-certificate"),
    ("front-proxy-client-certificate", "front-proxy-client-certificate"),
    ("service-account", "sa-certificate"),
    ("scheduler-kubeconfig", "scheduler-kubeconfig"),
];

/// The Deployment, once the Secrets are made.
pub(crate) fn deployment(facts: &Facts, secrets: &[Made]) -> Made {
    let sum = |suffix: &str| -> String {
        let name = format!("{}-{suffix}", facts.name);
        secrets.iter().find(|secret| secret.name() == name).map(Made::checksum).unwrap_or_default()
    };
    let mut labels = json!({
        "kamaji.clastix.io/name": facts.name,
        "kamaji.clastix.io/component": "deployment",
        "component.kamaji.clastix.io/datastore": facts.store,
    });
    for (label, suffix) in CHECKSUMS {
        labels[format!("component.kamaji.clastix.io/{label}")] = json!(sum(suffix));
    }
    let annotations = json!({
        "storage.kamaji.clastix.io/config": sum("datastore-config"),
        "storage.kamaji.clastix.io/certificate": sum("datastore-certificate"),
    });
    let mut metadata = metadata(facts, "deployment");
    metadata["labels"]["team"] = json!("payments");
    let object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
        "spec": {
            "replicas": facts.replicas,
            "selector": {"matchLabels": {"kamaji.clastix.io/name": facts.name}},
            "strategy": {
                "type": "RollingUpdate", "rollingUpdate": {"maxSurge": "100%", "maxUnavailable": 0},
            },
            "template": {
                "metadata": {"labels": labels, "annotations": annotations},
                "spec": {
                    "containers": [api_server(facts), scheduler(facts), controller_manager(facts)],
                    "volumes": volumes(facts),
                    "serviceAccountName": "default",
                },
            },
        },
    });
    Made { plural: "deployments", object }
}

fn api_server(facts: &Facts) -> Value {
    let port = facts.port;
    let mut arguments = vec![
        "--allow-privileged=true".to_owned(),
        "--authorization-mode=Node,RBAC".to_owned(),
        "--enable-bootstrap-token-auth=true".to_owned(),
        "--requestheader-extra-headers-prefix=X-Remote-Extra-".to_owned(),
        "--requestheader-group-headers=X-Remote-Group".to_owned(),
        "--requestheader-username-headers=X-Remote-User".to_owned(),
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
        format!("--advertise-address={}", facts.address),
        format!("--client-ca-file={PKI}/ca.crt"),
        format!("--enable-admission-plugins={}", ADMISSION.join(",")),
        "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
        format!("--kubelet-client-certificate={PKI}/apiserver-kubelet-client.crt"),
        format!("--kubelet-client-key={PKI}/apiserver-kubelet-client.key"),
        "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname".to_owned(),
        format!("--proxy-client-cert-file={PKI}/front-proxy-client.crt"),
        format!("--proxy-client-key-file={PKI}/front-proxy-client.key"),
        "--requestheader-allowed-names=front-proxy-client".to_owned(),
        format!("--requestheader-client-ca-file={PKI}/front-proxy-ca.crt"),
        format!("--secure-port={port}"),
        format!("--service-account-key-file={PKI}/sa.pub"),
        format!("--service-account-signing-key-file={PKI}/sa.key"),
        format!("--tls-cert-file={PKI}/apiserver.crt"),
        format!("--tls-private-key-file={PKI}/apiserver.key"),
        "--etcd-compaction-interval=0".to_owned(),
        format!("--etcd-prefix=/{}", facts.uid),
        format!("--etcd-servers=https://{}", facts.store_endpoint),
        format!("--etcd-cafile={PKI}/etcd/ca.crt"),
        format!("--etcd-certfile={PKI}/etcd/server.crt"),
        format!("--etcd-keyfile={PKI}/etcd/server.key"),
    ];
    arguments.sort();
    let mut mounts = vec![json!({"name": "settings", "mountPath": "/settings"})];
    mounts.extend(authority_mounts());
    let probe = |path: &str| probe(path, port.into());
    container(
        facts,
        "kube-apiserver",
        &json!({
            "args": arguments, "imagePullPolicy": facts.pull_policy, "volumeMounts": mounts,
            "livenessProbe": probe("/livez"), "readinessProbe": probe("/readyz"), "startupProbe": probe("/livez"),
        }),
    )
}

fn scheduler(facts: &Facts) -> Value {
    let probe = probe("/healthz", 10259);
    container(
        facts,
        "kube-scheduler",
        &json!({
            "args": [
                "--authentication-kubeconfig=/etc/kubernetes/scheduler.conf",
                "--authorization-kubeconfig=/etc/kubernetes/scheduler.conf",
                "--bind-address=0.0.0.0",
                "--kubeconfig=/etc/kubernetes/scheduler.conf",
                "--leader-elect=true",
            ],
            "volumeMounts": [mount("scheduler-kubeconfig", "/etc/kubernetes")],
            "livenessProbe": probe, "readinessProbe": probe, "startupProbe": probe,
        }),
    )
}

fn controller_manager(facts: &Facts) -> Value {
    let probe = probe("/healthz", 10257);
    let mut mounts = vec![mount("controller-manager-kubeconfig", "/etc/kubernetes")];
    mounts.extend(authority_mounts());
    let mut arguments = vec![
        "--allocate-node-cidrs=true".to_owned(),
        "--authentication-kubeconfig=/etc/kubernetes/controller-manager.conf".to_owned(),
        "--authorization-kubeconfig=/etc/kubernetes/controller-manager.conf".to_owned(),
        "--bind-address=0.0.0.0".to_owned(),
        format!("--client-ca-file={PKI}/ca.crt"),
        format!("--cluster-name={}", facts.name),
        format!("--cluster-signing-cert-file={PKI}/ca.crt"),
        format!("--cluster-signing-key-file={PKI}/ca.key"),
        "--controllers=*,bootstrapsigner,tokencleaner".to_owned(),
        "--kubeconfig=/etc/kubernetes/controller-manager.conf".to_owned(),
        "--leader-elect=true".to_owned(),
        "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
        "--cluster-cidr=10.244.0.0/16".to_owned(),
        format!("--requestheader-client-ca-file={PKI}/front-proxy-ca.crt"),
        format!("--root-ca-file={PKI}/ca.crt"),
        format!("--service-account-private-key-file={PKI}/sa.key"),
        "--use-service-account-credentials=true".to_owned(),
    ];
    arguments.sort();
    container(
        facts,
        "kube-controller-manager",
        &json!({
            "args": arguments, "volumeMounts": mounts,
            "livenessProbe": probe, "readinessProbe": probe, "startupProbe": probe,
        }),
    )
}

const ADMISSION: [&str; 17] = [
    "CertificateApproval",
    "CertificateSigning",
    "CertificateSubjectRestriction",
    "DefaultIngressClass",
    "DefaultStorageClass",
    "DefaultTolerationSeconds",
    "LimitRanger",
    "MutatingAdmissionWebhook",
    "NamespaceLifecycle",
    "PersistentVolumeClaimResize",
    "Priority",
    "ResourceQuota",
    "RuntimeClass",
    "ServiceAccount",
    "StorageObjectInUseProtection",
    "TaintNodesByCondition",
    "ValidatingAdmissionWebhook",
];

fn container(facts: &Facts, name: &str, rest: &Value) -> Value {
    let mut container = json!({
        "name": name,
        "image": format!("registry.k8s.io/{name}:{}", facts.version),
        "command": [name],
        "resources": {},
    });
    for (key, value) in rest.as_object().into_iter().flatten() {
        container[key] = value.clone();
    }
    container
}

fn probe(path: &str, port: i32) -> Value {
    json!({
        "httpGet": {"path": path, "port": port, "scheme": "HTTPS"},
        "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3,
    })
}

fn mount(volume: &str, path: &str) -> Value {
    json!({"name": volume, "mountPath": path, "readOnly": true})
}

fn authority_mounts() -> [Value; 4] {
    [
        mount("etc-kubernetes-pki", PKI),
        mount("etc-ca-certificates", "/etc/ca-certificates"),
        mount("usr-share-ca-certificates", "/usr/share/ca-certificates"),
        mount("usr-local-share-ca-certificates", "/usr/local/share/ca-certificates"),
    ]
}

fn volumes(facts: &Facts) -> Value {
    let secret = |volume: &str, suffix: &str| {
        let name = format!("{}-{suffix}", facts.name);
        json!({"name": volume, "secret": {"secretName": name, "defaultMode": 420}})
    };
    let source = |suffix: &str, files: &[(&str, &str)]| {
        let items: Vec<Value> = files.iter().map(|(key, path)| json!({"key": key, "path": path})).collect();
        json!({"secret": {"name": format!("{}-{suffix}", facts.name), "items": items}})
    };
    let pair = |suffix: &str, first: &str, second: &str| source(suffix, &[(first, first), (second, second)]);
    json!([
        {"name": "settings", "configMap": {"name": "settings", "defaultMode": 420}},
        {"name": "etc-kubernetes-pki", "projected": {"defaultMode": 420, "sources": [
            pair("api-server-certificate", "apiserver.crt", "apiserver.key"),
            pair("ca", "ca.crt", "ca.key"),
            pair(
                "api-server-kubelet-client-certificate",
                "apiserver-kubelet-client.crt",
                "apiserver-kubelet-client.key",
            ),
            pair("front-proxy-ca-certificate", "front-proxy-ca.crt", "front-proxy-ca.key"),
            pair("front-proxy-client-certificate", "front-proxy-client.crt", "front-proxy-client.key"),
            pair("sa-certificate", "sa.pub", "sa.key"),
            source("datastore-certificate", &[
                ("ca.crt", "etcd/ca.crt"), ("server.crt", "etcd/server.crt"), ("server.key", "etcd/server.key"),
            ]),
        ]}},
        secret("etc-ca-certificates", "ca"),
        secret("usr-share-ca-certificates", "ca"),
        secret("usr-local-share-ca-certificates", "ca"),
        secret("scheduler-kubeconfig", "scheduler-kubeconfig"),
        secret("controller-manager-kubeconfig", "controller-manager-kubeconfig"),
    ])
}
