//! The name server's Deployment.

use serde_json::{Value, json};

use super::{ACCOUNT, CONFIG, SELECTOR};

pub(super) fn spec(image: &str, replicas: i64) -> Value {
    let (label, value) = SELECTOR;
    json!({ "spec": {
        "replicas": replicas,
        "selector": { "matchLabels": { label: value } },
        "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 1 } },
        "template": {
            "metadata": { "labels": { label: value } },
            "spec": {
                "affinity": apart(),
                "containers": [container(image)],
                "dnsPolicy": "Default",
                "nodeSelector": { "kubernetes.io/os": "linux" },
                "priorityClassName": "system-cluster-critical",
                "serviceAccountName": ACCOUNT.name,
                "tolerations": [
                    { "key": "CriticalAddonsOnly", "operator": "Exists" },
                    { "key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule" },
                ],
                "volumes": [{
                    "name": "config-volume",
                    "configMap": { "name": CONFIG.name, "items": [{ "key": "Corefile", "path": "Corefile" }] },
                }],
            },
        },
    }})
}

/// Rather on different nodes.
fn apart() -> Value {
    let (label, value) = SELECTOR;
    json!({ "podAntiAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [{
        "weight": 100,
        "podAffinityTerm": {
            "labelSelector": { "matchExpressions": [{ "key": label, "operator": "In", "values": [value] }] },
            "topologyKey": "kubernetes.io/hostname",
        },
    }]}})
}

fn container(image: &str) -> Value {
    let port = |name: &str, port: u16, protocol: &str| json!({ "containerPort": port, "name": name, "protocol": protocol });
    json!({
        "name": "coredns",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "livenessProbe": {
            "failureThreshold": 5,
            "httpGet": { "path": "/health", "port": "liveness-probe", "scheme": "HTTP" },
            "initialDelaySeconds": 60,
            "successThreshold": 1,
            "timeoutSeconds": 5,
        },
        "ports": [
            port("dns", 53, "UDP"),
            port("dns-tcp", 53, "TCP"),
            port("metrics", 9153, "TCP"),
            port("liveness-probe", 8080, "TCP"),
            port("readiness-probe", 8181, "TCP"),
        ],
        "readinessProbe": { "httpGet": { "path": "/ready", "port": "readiness-probe", "scheme": "HTTP" } },
        "resources": { "limits": { "memory": "170Mi" }, "requests": { "cpu": "100m", "memory": "70Mi" } },
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "capabilities": { "add": ["NET_BIND_SERVICE"], "drop": ["ALL"] },
            "readOnlyRootFilesystem": true,
        },
        "volumeMounts": [{ "mountPath": "/etc/coredns", "name": "config-volume", "readOnly": true }],
    })
}
