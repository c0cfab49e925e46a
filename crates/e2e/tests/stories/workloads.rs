//! What users run on workers, and how they reach it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base::{Clock as _, SystemClock};
use e2e::{Cluster, eventually};
use machines::Machine;
use pki::{CertificateAuthority, CertificatePlan, ONE_YEAR};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_mins(2);
const IMAGE: &str = "registry.k8s.io/e2e-test-images/agnhost:2.63.0";

/// Applies objects as a user would.
fn apply(cluster: &Cluster, kubeconfig: &Path, name: &str, objects: &[Value]) -> Result<()> {
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
    let file = cluster.directory().join(format!("story-{name}.json"));
    std::fs::write(&file, list.to_string())?;
    cluster.kubectl(kubeconfig, &["apply", "-f", &file.to_string_lossy()])?.success().map(|_| ())
}

fn deployment(name: &str, replicas: u8, pod: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name, "namespace": "default" },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": { "app": name } },
            "template": { "metadata": { "labels": { "app": name } }, "spec": pod },
        },
    })
}

fn service(name: &str, port: u16, target: u16) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": name, "namespace": "default" },
        "spec": { "selector": { "app": name }, "ports": [{ "port": port, "targetPort": target }] },
    })
}

fn rolled_out(cluster: &Cluster, kubeconfig: &Path, name: &str) -> Result<()> {
    let arguments = ["rollout", "status", &format!("deployment/{name}"), "--timeout=120s"];
    cluster.kubectl(kubeconfig, &arguments)?.success().map(|_| ())
}

/// Three pods that answer with their names, spread over the nodes, and a Service before them.
pub(crate) fn web(cluster: &Cluster, kubeconfig: &Path) -> Result<()> {
    let lost = |key: &str| json!({ "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5 });
    let pod = json!({
        "containers": [{ "name": "web", "image": IMAGE, "args": ["netexec", "--http-port=8080"] }],
        "terminationGracePeriodSeconds": 1,
        "tolerations": [lost("node.kubernetes.io/unreachable"), lost("node.kubernetes.io/not-ready")],
        "topologySpreadConstraints": [{
            "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": { "matchLabels": { "app": "web" } },
        }],
    });
    apply(cluster, kubeconfig, "web", &[deployment("web", 3, &pod), service("web", 80, 8080)])?;
    rolled_out(cluster, kubeconfig, "web")
}

/// Names of the nodes on which pods of the web run.
pub(crate) fn places(cluster: &Cluster, kubeconfig: &Path) -> Result<Vec<String>> {
    let pods = cluster.kubectl(kubeconfig, &["get", "pods", "-l", "app=web", "-o", "json"])?.success()?;
    let pods: Value = serde_json::from_str(&pods)?;
    let running = pods["items"].as_array().into_iter().flatten().filter(|pod| {
        let conditions = pod["status"]["conditions"].as_array().cloned().unwrap_or_default();
        pod["metadata"]["deletionTimestamp"].is_null()
            && conditions.iter().any(|c| c["type"] == "Ready" && c["status"] == "True")
    });
    Ok(running.filter_map(|pod| pod["spec"]["nodeName"].as_str().map(str::to_owned)).collect())
}

/// Runs a shell command in a pod of the web.
fn in_a_pod(cluster: &Cluster, kubeconfig: &Path, command: &str) -> Result<String> {
    cluster.kubectl(kubeconfig, &["exec", "deployment/web", "--", "sh", "-c", command])?.success()
}

/// The Service leads to pods of both nodes.
pub(crate) async fn service_answers(cluster: &Cluster, kubeconfig: &Path) -> Result<()> {
    eventually("all pods answer behind the Service", PATIENCE, || async {
        let script =
            "for i in $(seq 40); do curl -s -m 3 http://web.default.svc.cluster.local/hostname; echo; done";
        let answers = in_a_pod(cluster, kubeconfig, script)?;
        let mut names: Vec<&str> = answers.split_whitespace().collect();
        names.sort_unstable();
        names.dedup();
        ensure!(names.len() == 3 && names.iter().all(|name| name.starts_with("web-")), "{names:?}");
        Ok(())
    })
    .await
}

pub(crate) async fn names_resolve(cluster: &Cluster, kubeconfig: &Path) -> Result<()> {
    let address =
        cluster.kubectl(kubeconfig, &["get", "service", "web", "-o", "jsonpath={.spec.clusterIP}"])?;
    let address = address.success()?;
    eventually("the name server knows the Service", PATIENCE, || async {
        let answer = in_a_pod(cluster, kubeconfig, "nslookup web.default.svc.cluster.local")?;
        ensure!(answer.contains(&address), "{answer}");
        Ok(())
    })
    .await
}

/// Logs, exec, attach and port-forward: all of them calls of the API server to a kubelet.
pub(crate) async fn pods_are_reached_by_kubectl(cluster: &Cluster, kubeconfig: &Path) -> Result<()> {
    let speaker = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "speaker", "namespace": "default" },
        "spec": { "terminationGracePeriodSeconds": 0, "containers": [{
            "name": "speaker", "image": IMAGE, "stdin": true,
            "command": ["sh", "-c", "echo born; while read line; do echo \"heard $line\"; done"],
        }] },
    });
    apply(cluster, kubeconfig, "speaker", &[speaker])?;
    let wait = ["wait", "--for=condition=Ready", "pod/speaker", "--timeout=60s"];
    cluster.kubectl(kubeconfig, &wait)?.success()?;
    let logs = cluster.kubectl(kubeconfig, &["logs", "speaker"])?.success()?;
    ensure!(logs.trim() == "born", "{logs}");
    let said = cluster.kubectl(kubeconfig, &["exec", "speaker", "--", "echo", "from within"])?.success()?;
    ensure!(said.trim() == "from within", "{said}");
    attached(cluster, kubeconfig)?;
    forwarded(cluster, kubeconfig).await?;
    cluster.kubectl(kubeconfig, &["delete", "pod", "speaker"])?.success().map(|_| ())
}

fn kubectl(cluster: &Cluster, kubeconfig: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(cluster.directory().join("bin/kubectl"));
    command.arg("--kubeconfig").arg(kubeconfig).args(arguments);
    command
}

/// The input stays open until the answer is there: kubectl ends with it.
fn attached(cluster: &Cluster, kubeconfig: &Path) -> Result<()> {
    let mut child = Command::new("timeout")
        .arg("30")
        .arg(cluster.directory().join("bin/kubectl"))
        .arg("--kubeconfig")
        .arg(kubeconfig)
        .args(["attach", "-i", "speaker"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut input = child.stdin.take().context("no input")?;
    let output = BufReader::new(child.stdout.take().context("no output")?);
    input.write_all(b"a word\n")?;
    let heard = output.lines().map_while(Result::ok).find(|line| line.contains("heard a word"));
    drop(input);
    child.wait()?;
    heard.map(drop).context("what was said to an attached container was not heard")
}

async fn forwarded(cluster: &Cluster, kubeconfig: &Path) -> Result<()> {
    let mut child = kubectl(cluster, kubeconfig, &["port-forward", "deployment/web", ":8080"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let outcome = async {
        let mut line = String::new();
        // Kept open: kubectl says more with each connection, and would end if nobody could hear it.
        let mut output = BufReader::new(child.stdout.take().context("no output")?);
        output.read_line(&mut line)?;
        let port = line.split(" -> ").next().and_then(|text| text.rsplit(':').next()).context("no port")?;
        let answer = Command::new("curl")
            .args(["--silent", "--fail", "--max-time", "10", &format!("http://127.0.0.1:{port}/hostname")])
            .output()?;
        let text = String::from_utf8_lossy(&answer.stdout).into_owned();
        ensure!(text.starts_with("web-"), "the forwarded port answered {text:?} ({line})");
        Ok(())
    }
    .await;
    child.kill()?;
    child.wait()?;
    outcome
}

/// A validating webhook in a pod: the API server reaches it by its Service, through the tunnel.
pub(crate) async fn a_webhook_in_a_pod_refuses(cluster: &Cluster, kubeconfig: &Path) -> Result<()> {
    let name = "gatekeeper.default.svc";
    let now = SystemClock.now();
    let authority = CertificateAuthority::generate("gatekeeper", ONE_YEAR, now)?;
    let pair = CertificatePlan::server(name, vec![name.to_owned()], Vec::new()).issue(&authority, now)?;
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "gatekeeper", "namespace": "default" },
        "stringData": { "tls.crt": pair.certificate, "tls.key": pair.private_key.expose_pem() },
    });
    let pod = json!({
        "containers": [{
            "name": "webhook", "image": IMAGE,
            "args": ["webhook", "--tls-cert-file=/certs/tls.crt", "--tls-private-key-file=/certs/tls.key", "--port=8443"],
            "volumeMounts": [{ "name": "certs", "mountPath": "/certs" }],
            "readinessProbe": { "httpGet": { "path": "/readyz", "port": 8443, "scheme": "HTTPS" }, "periodSeconds": 1 },
        }],
        "volumes": [{ "name": "certs", "secret": { "secretName": "gatekeeper" } }],
    });
    let deployment = deployment("gatekeeper", 1, &pod);
    apply(cluster, kubeconfig, "gatekeeper", &[secret, deployment, service("gatekeeper", 443, 8443)])?;
    rolled_out(cluster, kubeconfig, "gatekeeper")?;
    let webhook = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": { "name": "gatekeeper" },
        "webhooks": [{
            "name": "gatekeeper.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "failurePolicy": "Fail", "timeoutSeconds": 5,
            "clientConfig": {
                "service": { "name": "gatekeeper", "namespace": "default", "path": "/always-deny" },
                "caBundle": base64(&authority.pair().certificate),
            },
            "rules": [{ "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"] }],
            "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": "default" } },
        }],
    });
    apply(cluster, kubeconfig, "webhook", &[webhook])?;
    eventually("the webhook refuses", PATIENCE, || async {
        let told = cluster.kubectl(kubeconfig, &["create", "configmap", "unwished"])?;
        ensure!(
            told.code != 0 && told.err.contains("this webhook denies all requests"),
            "{}{}",
            told.out,
            told.err
        );
        Ok(())
    })
    .await?;
    cluster
        .kubectl(kubeconfig, &["delete", "validatingwebhookconfiguration", "gatekeeper"])?
        .success()
        .map(|_| ())
}

fn base64(text: &str) -> String {
    let bytes = k8s_openapi::ByteString(text.as_bytes().to_vec());
    serde_json::to_value(bytes).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// metrics-server in a pod, as an aggregated API behind the tunnel.
pub(crate) async fn usage_is_told_through_an_aggregated_api(
    cluster: &Cluster,
    kubeconfig: &Path,
) -> Result<()> {
    apply(cluster, kubeconfig, "metrics", &metrics_server())?;
    for arguments in [&["top", "nodes"][..], &["top", "pods", "-A"]] {
        eventually(&format!("kubectl {arguments:?} tells"), PATIENCE, || async {
            let told = cluster.kubectl(kubeconfig, arguments)?.success()?;
            ensure!(told.contains(if arguments[1] == "nodes" { "attic" } else { "web-" }), "{told}");
            Ok(())
        })
        .await?;
    }
    Ok(())
}

fn metrics_server() -> Vec<Value> {
    let meta = |name: &str| json!({ "name": name, "namespace": "kube-system" });
    let account = json!([{ "kind": "ServiceAccount", "name": "metrics-server", "namespace": "kube-system" }]);
    let binding = |name: &str, role: &str| {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": { "name": name },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role },
            "subjects": account,
        })
    };
    vec![
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta("metrics-server") }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": { "name": "metrics-server" },
            "rules": [
                { "apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"] },
                { "apiGroups": [""], "resources": ["pods", "nodes"], "verbs": ["get", "list", "watch"] },
            ],
        }),
        binding("metrics-server", "metrics-server"),
        binding("metrics-server:system:auth-delegator", "system:auth-delegator"),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": meta("metrics-server-auth-reader"),
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io", "kind": "Role",
                "name": "extension-apiserver-authentication-reader",
            },
            "subjects": account,
        }),
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": meta("metrics-server"),
            "spec": { "selector": { "k8s-app": "metrics-server" }, "ports": [{ "port": 443, "targetPort": 10250 }] },
        }),
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta("metrics-server"),
            "spec": {
                "selector": { "matchLabels": { "k8s-app": "metrics-server" } },
                "template": {
                    "metadata": { "labels": { "k8s-app": "metrics-server" } },
                    "spec": {
                        "serviceAccountName": "metrics-server",
                        "containers": [{
                            "name": "metrics-server",
                            "image": "registry.k8s.io/metrics-server/metrics-server:v0.9.0",
                            "args": [
                                "--cert-dir=/tmp", "--secure-port=10250", "--metric-resolution=11s", "--kubelet-request-timeout=5s",
                                "--kubelet-preferred-address-types=InternalIP",
                                "--kubelet-certificate-authority=/var/run/secrets/kubernetes.io/serviceaccount/ca.crt",
                            ],
                        }],
                    },
                },
            },
        }),
        json!({
            "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
            "metadata": { "name": "v1beta1.metrics.k8s.io" },
            "spec": {
                "group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100,
                "service": { "name": "metrics-server", "namespace": "kube-system" }, "insecureSkipTLSVerify": true,
            },
        }),
    ]
}

/// Containers that run on a machine.
pub(crate) fn containers(machine: &Machine) -> Result<Vec<String>> {
    let text = machine.run(&["ctr", "--namespace", "k8s.io", "tasks", "list"])?.success()?;
    let running = text.lines().filter(|line| line.contains("RUNNING"));
    Ok(running.filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect())
}
