//! Objects of a tenant's cluster as JSON: they are of many kinds and made from upstream's manifests.

use std::borrow::Cow;

use api::names::labels;
use k8s_openapi::api::rbac::v1::Subject;
use serde_json::{Value, json};

/// Kind of an object in a tenant's cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are those of the kinds")]
pub enum Kind {
    ConfigMap,
    ServiceAccount,
    Service,
    Role,
    RoleBinding,
    ClusterRole,
    ClusterRoleBinding,
    Deployment,
    DaemonSet,
    ValidatingWebhookConfiguration,
    ResourceQuota,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 11] = [
        Self::ConfigMap,
        Self::ServiceAccount,
        Self::Service,
        Self::Role,
        Self::RoleBinding,
        Self::ClusterRole,
        Self::ClusterRoleBinding,
        Self::Deployment,
        Self::DaemonSet,
        Self::ValidatingWebhookConfiguration,
        Self::ResourceQuota,
    ];

    /// Group and version.
    #[must_use]
    pub const fn api_version(self) -> &'static str {
        match self {
            Self::ConfigMap | Self::ServiceAccount | Self::Service | Self::ResourceQuota => "v1",
            Self::Role | Self::RoleBinding | Self::ClusterRole | Self::ClusterRoleBinding => {
                "rbac.authorization.k8s.io/v1"
            }
            Self::Deployment | Self::DaemonSet => "apps/v1",
            Self::ValidatingWebhookConfiguration => "admissionregistration.k8s.io/v1",
        }
    }

    /// Name of the kind.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::ServiceAccount => "ServiceAccount",
            Self::Service => "Service",
            Self::Role => "Role",
            Self::RoleBinding => "RoleBinding",
            Self::ClusterRole => "ClusterRole",
            Self::ClusterRoleBinding => "ClusterRoleBinding",
            Self::Deployment => "Deployment",
            Self::DaemonSet => "DaemonSet",
            Self::ValidatingWebhookConfiguration => "ValidatingWebhookConfiguration",
            Self::ResourceQuota => "ResourceQuota",
        }
    }

    /// Name of the collection in URLs.
    #[must_use]
    pub const fn plural(self) -> &'static str {
        match self {
            Self::ConfigMap => "configmaps",
            Self::ServiceAccount => "serviceaccounts",
            Self::Service => "services",
            Self::Role => "roles",
            Self::RoleBinding => "rolebindings",
            Self::ClusterRole => "clusterroles",
            Self::ClusterRoleBinding => "clusterrolebindings",
            Self::Deployment => "deployments",
            Self::DaemonSet => "daemonsets",
            Self::ValidatingWebhookConfiguration => "validatingwebhookconfigurations",
            Self::ResourceQuota => "resourcequotas",
        }
    }
}

impl Kind {
    /// Path of the collection in a namespace; of all namespaces if that is empty.
    #[must_use]
    pub fn collection(self, namespace: &str) -> String {
        let version = self.api_version();
        let root = if version.contains('/') { "apis" } else { "api" };
        let plural = self.plural();
        if namespace.is_empty() {
            format!("/{root}/{version}/{plural}")
        } else {
            format!("/{root}/{version}/namespaces/{namespace}/{plural}")
        }
    }
}

/// What identifies an object in a tenant's cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace; empty for objects of the whole cluster.
    pub namespace: Cow<'static, str>,
    /// Its name.
    pub name: Cow<'static, str>,
}

impl Key {
    /// That of an object by its names; no namespace for one of the whole cluster.
    #[must_use]
    pub fn new(kind: Kind, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind, namespace: Cow::Owned(namespace.into()), name: Cow::Owned(name.into()) }
    }

    pub(super) const fn cluster(kind: Kind, name: &'static str) -> Self {
        Self::fixed(kind, "", name)
    }

    pub(super) const fn system(kind: Kind, name: &'static str) -> Self {
        Self::fixed(kind, "kube-system", name)
    }

    pub(super) const fn public(kind: Kind, name: &'static str) -> Self {
        Self::fixed(kind, "kube-public", name)
    }

    const fn fixed(kind: Kind, namespace: &'static str, name: &'static str) -> Self {
        Self { kind, namespace: Cow::Borrowed(namespace), name: Cow::Borrowed(name) }
    }
}

/// What an object belongs to: what fails in one part does not stop the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// What workers and administrators need.
    Join,
    /// Limits of writing.
    Limits,
    /// Cluster DNS.
    CoreDns,
    /// Service routing.
    KubeProxy,
    /// The tunnel's agents.
    Konnectivity,
    /// Rights of those who sign in by the hub.
    Hub,
}

impl Part {
    /// Name of the addon in the spec; `None` for what every control plane has.
    #[must_use]
    pub const fn addon(self) -> Option<&'static str> {
        match self {
            Self::Join | Self::Limits | Self::Hub => None,
            Self::CoreDns => Some("coreDNS"),
            Self::KubeProxy => Some("kubeProxy"),
            Self::Konnectivity => Some("konnectivity"),
        }
    }
}

/// An object that shall stand in a tenant's cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// What it belongs to.
    pub part: Part,
    /// What identifies it.
    pub key: Key,
    /// The object.
    pub body: Value,
}

impl Object {
    /// An object with our label; `fields` is everything but type and metadata.
    pub(super) fn new(part: Part, key: Key, fields: Value) -> Self {
        let mut body = json!({
            "apiVersion": key.kind.api_version(),
            "kind": key.kind.name(),
            "metadata": { "name": key.name, "labels": { labels::PROJECT: labels::PROJECT_VALUE } },
        });
        if !key.namespace.is_empty() {
            body["metadata"]["namespace"] = Value::from(&*key.namespace);
        }
        if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields) {
            body.extend(fields);
        }
        Self { part, key, body }
    }

    /// Adds labels.
    pub(super) fn labelled<'a>(mut self, more: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        for (key, value) in more {
            self.body["metadata"]["labels"][key] = value.into();
        }
        self
    }

    /// Adds annotations.
    pub(super) fn annotated<'a>(mut self, more: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        for (key, value) in more {
            self.body["metadata"]["annotations"][key] = value.into();
        }
        self
    }

    /// A role that lets one `ConfigMap` be read.
    pub(super) fn reader(part: Part, key: Key, config_map: &str) -> Self {
        let rule = json!({
            "apiGroups": [""], "resources": ["configmaps"], "resourceNames": [config_map], "verbs": ["get"],
        });
        Self::new(part, key, json!({ "rules": [rule] }))
    }

    /// A binding of a role of the same reach: of the cluster for a `ClusterRoleBinding`.
    pub(super) fn binding(part: Part, key: Key, role: &str, subjects: &[Subject]) -> Self {
        let kind = if key.kind == Kind::RoleBinding { "Role" } else { "ClusterRole" };
        let role = json!({ "apiGroup": RBAC, "kind": kind, "name": role });
        Self::new(part, key, json!({ "roleRef": role, "subjects": subjects }))
    }
}

pub(super) const RBAC: &str = "rbac.authorization.k8s.io";

/// A group as the subject of a binding.
pub(super) fn group(name: &str) -> Subject {
    Subject {
        api_group: Some(RBAC.to_owned()),
        kind: "Group".to_owned(),
        name: name.to_owned(),
        namespace: None,
    }
}

/// A user as the subject of a binding.
pub(super) fn user(name: &str) -> Subject {
    Subject { kind: "User".to_owned(), ..group(name) }
}

/// A service account of kube-system as the subject of a binding.
pub(super) fn account(name: &str) -> Subject {
    Subject {
        api_group: None,
        kind: "ServiceAccount".to_owned(),
        name: name.to_owned(),
        namespace: Some("kube-system".to_owned()),
    }
}
