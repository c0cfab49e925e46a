//! What is applied to a cluster that is to be imported: the agent, and the few rights that it needs.

use serde_json::{Value, json};

/// Namespace of the agent.
pub const NAMESPACE: &str = "flotilla-agent";
/// Secret with the import token and the hub's authority.
pub const IMPORT_SECRET: &str = "flotilla-agent-import";
/// Secret that the agent keeps its own token in. It is made empty, so that the agent need not be allowed to make any.
pub const IDENTITY_SECRET: &str = "flotilla-agent-identity";
/// `ClusterRole` with the groups of projects that the agent may act as. The manifest makes it without rules, which are
/// the hub's to write, so that the manifest can be applied again and takes nothing away.
pub const PROJECT_GROUPS_ROLE: &str = "flotilla-agent-projects";
const NAME: &str = "flotilla-agent";
const HEALTH_PORT: u16 = 8081;
/// Nobody's.
const USER: u32 = 65532;

/// What is particular to one import.
#[derive(Clone)]
pub struct Installation<'a> {
    /// URL of the hub.
    pub hub: &'a str,
    /// Certificates of the authorities that the hub's is signed by, PEM.
    pub authority: &'a str,
    /// The import token.
    pub import_token: &'a str,
    /// Image of the agent.
    pub image: &'a str,
    /// The only groups that the agent may act as, beside those of [`PROJECT_GROUPS_ROLE`].
    pub groups: &'a [String],
    /// `ClusterRoles` and bindings of these groups; whole objects, which come as they are.
    pub bindings: &'a [Value],
    /// Value of `HTTPS_PROXY`, if the hub is reached by a proxy.
    pub https_proxy: Option<&'a str>,
    /// Value of `NO_PROXY`.
    pub no_proxy: Option<&'a str>,
}

/// All objects, in the order in which they are to be applied.
#[must_use]
pub fn manifest(installation: &Installation<'_>) -> Vec<Value> {
    let mut objects = vec![
        namespace(),
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": named(NAME) }),
        cluster_role(installation.groups),
        bound("ClusterRole", NAME, None),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": { "name": PROJECT_GROUPS_ROLE, "labels": labels() },
        }),
        bound("ClusterRole", PROJECT_GROUPS_ROLE, None),
        role(),
        bound("Role", NAME, Some(NAMESPACE)),
    ];
    objects.extend(installation.bindings.iter().cloned());
    objects.extend([import_secret(installation), identity_secret(), deployment(installation)]);
    objects
}

fn labels() -> Value {
    json!({ "app.kubernetes.io/name": NAME, "app.kubernetes.io/managed-by": "flotilla" })
}

fn named(name: &str) -> Value {
    json!({ "name": name, "namespace": NAMESPACE, "labels": labels() })
}

fn namespace() -> Value {
    let mut labels = labels();
    labels["pod-security.kubernetes.io/enforce"] = "restricted".into();
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NAMESPACE, "labels": labels } })
}

/// Kubernetes cannot bound the names of users, so that these are the agent's own care; groups it can.
fn cluster_role(groups: &[String]) -> Value {
    let mut rules = vec![
        json!({ "apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"] }),
        json!({ "apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"] }),
        json!({ "apiGroups": [""], "resources": ["namespaces"], "resourceNames": ["kube-system"], "verbs": ["get"] }),
        json!({ "apiGroups": ["metrics.k8s.io"], "resources": ["nodes"], "verbs": ["get", "list"] }),
        json!({ "nonResourceURLs": ["/version"], "verbs": ["get"] }),
    ];
    // A rule without names would allow all of them.
    if !groups.is_empty() {
        rules.push(
            json!({ "apiGroups": [""], "resources": ["groups"], "resourceNames": groups, "verbs": ["impersonate"] }),
        );
    }
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": { "name": NAME, "labels": labels() }, "rules": rules,
    })
}

fn role() -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": named(NAME),
        "rules": [{
            "apiGroups": [""], "resources": ["secrets"], "resourceNames": [IDENTITY_SECRET],
            "verbs": ["get", "patch"],
        }],
    })
}

fn bound(kind: &str, role: &str, namespace: Option<&str>) -> Value {
    let metadata =
        if namespace.is_some() { named(role) } else { json!({ "name": role, "labels": labels() }) };
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": format!("{kind}Binding"), "metadata": metadata,
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role },
        "subjects": [{ "kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE }],
    })
}

fn import_secret(installation: &Installation<'_>) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": named(IMPORT_SECRET), "type": "Opaque",
        "stringData": { "token": installation.import_token, "ca.crt": installation.authority },
    })
}

fn identity_secret() -> Value {
    json!({ "apiVersion": "v1", "kind": "Secret", "metadata": named(IDENTITY_SECRET), "type": "Opaque" })
}

fn deployment(installation: &Installation<'_>) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": named(NAME),
        "spec": {
            "replicas": 1,
            "selector": { "matchLabels": { "app.kubernetes.io/name": NAME } },
            "template": { "metadata": { "labels": labels() }, "spec": pod(installation) },
        },
    })
}

fn pod(installation: &Installation<'_>) -> Value {
    json!({
        "serviceAccountName": NAME,
        "terminationGracePeriodSeconds": 30,
        "nodeSelector": { "kubernetes.io/os": "linux" },
        "securityContext": {
            "runAsNonRoot": true, "runAsUser": USER, "runAsGroup": USER, "fsGroup": USER,
            "seccompProfile": { "type": "RuntimeDefault" },
        },
        "containers": [container(installation)],
        "volumes": [{ "name": "import", "secret": { "secretName": IMPORT_SECRET, "defaultMode": 0o440 } }],
    })
}

fn container(installation: &Installation<'_>) -> Value {
    let mut environment = vec![
        json!({ "name": "FLOTILLA_HUB", "value": installation.hub }),
        json!({ "name": "FLOTILLA_CA_FILE", "value": "/etc/flotilla/ca.crt" }),
        json!({ "name": "FLOTILLA_TOKEN_FILE", "value": "/etc/flotilla/token" }),
        json!({ "name": "FLOTILLA_NAMESPACE", "valueFrom": { "fieldRef": { "fieldPath": "metadata.namespace" } } }),
    ];
    let proxies = [("HTTPS_PROXY", installation.https_proxy), ("NO_PROXY", installation.no_proxy)];
    environment.extend(
        proxies.into_iter().filter_map(|(name, value)| Some(json!({ "name": name, "value": value? }))),
    );
    let probe = |path: &str| json!({ "httpGet": { "path": path, "port": "health" }, "periodSeconds": 10 });
    json!({
        "name": "agent",
        "image": installation.image,
        "env": environment,
        "ports": [{ "name": "health", "containerPort": HEALTH_PORT }],
        "livenessProbe": probe("/healthz"),
        "readinessProbe": probe("/readyz"),
        "resources": { "requests": { "cpu": "10m", "memory": "32Mi" }, "limits": { "memory": "128Mi" } },
        "securityContext": {
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": { "drop": ["ALL"] },
        },
        "volumeMounts": [{ "name": "import", "mountPath": "/etc/flotilla", "readOnly": true }],
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Installation, PROJECT_GROUPS_ROLE, manifest};

    fn made(groups: &[String], bindings: &[Value]) -> Vec<Value> {
        manifest(&Installation {
            hub: "https://hub.example.com",
            authority: "-----BEGIN CERTIFICATE-----",
            import_token: "flotilla_import_a_b",
            image: "flotilla-agent:1",
            groups,
            bindings,
            https_proxy: Some("http://proxy:3128"),
            no_proxy: None,
        })
    }

    fn rules(objects: &[Value]) -> Vec<&Value> {
        let roles = objects
            .iter()
            .filter(|object| object["kind"].as_str().is_some_and(|kind| kind.ends_with("Role")));
        roles.filter_map(|role| role["rules"].as_array()).flatten().collect()
    }

    #[test]
    fn the_agent_may_act_as_the_listed_groups_only() {
        let groups = ["flotilla:cluster:read-only".to_owned(), "flotilla:cluster:admin".to_owned()];
        let objects = made(&groups, &[]);
        let of_groups: Vec<&Value> =
            rules(&objects).into_iter().filter(|rule| rule["resources"] == json!(["groups"])).collect();
        assert_eq!(of_groups.len(), 1);
        assert_eq!(of_groups[0]["resourceNames"], json!(groups));
        // Without names, none at all rather than every one.
        assert!(rules(&made(&[], &[])).iter().all(|rule| rule["resources"] != json!(["groups"])));
    }

    #[test]
    fn the_agent_may_nothing_that_it_does_not_need() {
        let objects = made(&[], &[]);
        for rule in rules(&objects) {
            assert!(!rule.to_string().contains('*'), "{rule}");
            if rule["resources"] == json!(["secrets"]) {
                assert_eq!(rule["resourceNames"], json!(["flotilla-agent-identity"]));
            }
            for verb in ["create", "delete", "update", "bind", "escalate"] {
                assert!(!rule["verbs"].as_array().unwrap().contains(&json!(verb)), "{rule}");
            }
        }
    }

    #[test]
    fn a_manifest_that_is_applied_again_takes_no_group_of_a_project_away() {
        let objects = made(&[], &[]);
        let role = objects.iter().find(|object| object["metadata"]["name"] == PROJECT_GROUPS_ROLE).unwrap();
        assert!(role.get("rules").is_none(), "{role}");
    }

    #[test]
    fn the_pod_fits_into_a_restricted_namespace_and_holds_no_secret_in_its_environment() {
        let objects = made(&[], &[json!({ "kind": "ClusterRoleBinding", "metadata": { "name": "x" } })]);
        let deployment = objects.last().unwrap();
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
        assert_eq!(deployment["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"], true);
        assert!(!deployment.to_string().contains("flotilla_import"));
        assert!(container["env"].to_string().contains("http://proxy:3128"));
        assert!(objects.iter().any(|object| object["metadata"]["name"] == "x"));
        assert_eq!(objects[0]["kind"], "Namespace");
    }
}
