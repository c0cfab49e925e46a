//! Webhooks in the tenant's cluster that refuse writes: while its state moves to another store, and
//! where the spec forbids them. Leases of nodes stay renewable in both.

use api::WritePermissions;
use serde_json::{Value, json};

use super::OPERATOR_USER;
use super::object::{Key, Kind, Object, Part};

/// Path at which the operator refuses writes during a move.
pub const FREEZE_PATH: &str = "/migrate";
/// Path at which the operator refuses writes that the spec forbids.
pub const WRITE_PERMISSION_PATH: &str = "/write-permission";

pub(super) const FREEZE: Key = Key::cluster(Kind::ValidatingWebhookConfiguration, "kamaji-freeze");
pub(super) const WRITE_PERMISSIONS: Key =
    Key::cluster(Kind::ValidatingWebhookConfiguration, "kamaji-write-permissions");

/// Namespace of the nodes' leases.
const LEASES: &str = "kube-node-lease";

/// What answers the tenant's API server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Webhook {
    /// `host:port` of the operator's Service.
    pub address: String,
    /// Authority of its certificate, PEM.
    pub authority: String,
}

/// Refuses every write, ours too.
#[must_use]
pub fn freeze(webhook: &Webhook) -> Object {
    let hooks =
        Hooks { domain: "migrate.kamaji.clastix.io", path: FREEZE_PATH, webhook, spares_operator: false };
    Object::new(
        Part::Limits,
        FREEZE,
        json!({ "webhooks": [hooks.leases(&["CREATE", "DELETE"]), hooks.catch_all(&["*"])] }),
    )
}

/// Refuses the operations that the spec forbids.
pub(super) fn write_permissions(permissions: &WritePermissions, webhook: &Webhook) -> Object {
    let operations: Vec<&str> = [
        (permissions.block_creation, "CREATE"),
        (permissions.block_update, "UPDATE"),
        (permissions.block_deletion, "DELETE"),
    ]
    .into_iter()
    .filter_map(|(is_blocked, operation)| is_blocked.then_some(operation))
    .collect();
    let of_leases: Vec<&str> =
        operations.iter().copied().filter(|operation| *operation != "UPDATE").collect();
    let hooks = Hooks {
        domain: "write-permissions.kamaji.clastix.io",
        path: WRITE_PERMISSION_PATH,
        webhook,
        spares_operator: true,
    };
    let leases = (!of_leases.is_empty()).then(|| hooks.leases(&of_leases));
    let all: Vec<Value> = leases.into_iter().chain([hooks.catch_all(&operations)]).collect();
    Object::new(Part::Limits, WRITE_PERMISSIONS, json!({ "webhooks": all }))
}

struct Hooks<'a> {
    domain: &'a str,
    path: &'a str,
    webhook: &'a Webhook,
    spares_operator: bool,
}

impl Hooks<'_> {
    fn leases(&self, operations: &[&str]) -> Value {
        self.hook("leases", operations, "Namespaced", "In", &[LEASES])
    }

    fn catch_all(&self, operations: &[&str]) -> Value {
        self.hook("catchall", operations, "*", "NotIn", &["kube-system", LEASES])
    }

    fn hook(
        &self,
        name: &str,
        operations: &[&str],
        scope: &str,
        operator: &str,
        namespaces: &[&str],
    ) -> Value {
        json!({
            "name": format!("{name}.{}", self.domain),
            "admissionReviewVersions": ["v1"],
            "clientConfig": {
                "caBundle": k8s_openapi::ByteString(self.webhook.authority.as_bytes().to_vec()),
                "url": format!("https://{}{}", self.webhook.address, self.path),
            },
            "failurePolicy": "Fail",
            "matchConditions": self.conditions(),
            "matchPolicy": "Equivalent",
            "namespaceSelector": { "matchExpressions": [
                { "key": "kubernetes.io/metadata.name", "operator": operator, "values": namespaces },
            ] },
            "rules": [{
                "apiGroups": ["*"], "apiVersions": ["*"], "operations": operations, "resources": ["*"], "scope": scope,
            }],
            "sideEffects": "NoneOnDryRun",
        })
    }

    /// Reviews of tokens and rights are created but change nothing, and kubelets live by them.
    fn conditions(&self) -> Vec<Value> {
        let reviews = json!({
            "name": "writes",
            "expression": "!(request.resource.group in ['authentication.k8s.io', 'authorization.k8s.io'])",
        });
        let others = json!({
            "name": "others",
            "expression": format!("request.userInfo.username != '{OPERATOR_USER}'"),
        });
        if self.spares_operator { vec![reviews, others] } else { vec![reviews] }
    }
}
