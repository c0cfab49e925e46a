//! The tenant's Kubernetes: version, kubelet configuration, admission.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The tenant's Kubernetes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubernetesSpec {
    /// Version to run, such as `v1.36.3`. May rise by patches or by one minor version at a time.
    pub version: String,
    /// How the kubelets of the tenant's workers are configured and reached.
    pub kubelet: KubeletSpec,
    /// Admission plugins of the tenant's API server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend(
        "items" = {"type": "string", "enum": ADMISSION_CONTROLLERS},
        "default" = DEFAULT_ADMISSION_CONTROLLERS
    ))]
    pub admission_controllers: Vec<String>,
}

impl KubernetesSpec {
    /// Admission plugins of the tenant's API server, the defaults if the spec names none.
    #[must_use]
    pub fn effective_admission_controllers(&self) -> Vec<String> {
        if self.admission_controllers.is_empty() {
            return DEFAULT_ADMISSION_CONTROLLERS.iter().map(|&name| name.to_owned()).collect();
        }
        self.admission_controllers.clone()
    }
}

/// How the kubelets of the tenant's workers are configured and reached.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubeletSpec {
    /// JSON patches (RFC 6902) applied to the kubelet configuration that joining workers read, such as
    /// `{"op": "replace", "path": "/cgroupDriver", "value": "systemd"}`.
    #[serde(rename = "configurationJSONPatches", default, skip_serializing_if = "Vec::is_empty")]
    pub configuration_json_patches: Vec<JsonPatch>,
    /// Kinds of node addresses by which the API server reaches kubelets, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1), extend("default" = ["InternalIP", "ExternalIP", "Hostname"], "x-kubernetes-list-type" = "set"))]
    pub preferred_address_types: Vec<PreferredAddressType>,
    /// Driver of control groups. Deprecated: use `configurationJSONPatches`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroupfs: Option<CgroupDriver>,
}

impl KubeletSpec {
    /// Kinds of node addresses, the defaults if the spec names none.
    #[must_use]
    pub fn effective_address_types(&self) -> Vec<PreferredAddressType> {
        if self.preferred_address_types.is_empty() {
            use PreferredAddressType::{ExternalIp, Hostname, InternalIp};
            return vec![InternalIp, ExternalIp, Hostname];
        }
        self.preferred_address_types.clone()
    }
}

/// One operation of a JSON patch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JsonPatch {
    /// Operation.
    pub op: JsonPatchOperation,
    /// Where it applies, as JSON pointer.
    pub path: String,
    /// Where `move` and `copy` take the value from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Value of `add`, `replace` and `test`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::any_value")]
    pub value: Option<serde_json::Value>,
}

/// Operation of a JSON patch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "RFC 6902 gives each name its meaning")]
pub enum JsonPatchOperation {
    #[default]
    Add,
    Remove,
    Replace,
    Move,
    Copy,
    Test,
}

/// Kind of a node address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "Kubernetes gives each name its meaning")]
pub enum PreferredAddressType {
    Hostname,
    #[serde(rename = "InternalIP")]
    InternalIp,
    #[serde(rename = "ExternalIP")]
    ExternalIp,
    #[serde(rename = "InternalDNS")]
    InternalDns,
    #[serde(rename = "ExternalDNS")]
    ExternalDns,
}

impl fmt::Display for PreferredAddressType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Hostname => "Hostname",
            Self::InternalIp => "InternalIP",
            Self::ExternalIp => "ExternalIP",
            Self::InternalDns => "InternalDNS",
            Self::ExternalDns => "ExternalDNS",
        })
    }
}

/// Driver of control groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the kubelet gives each name its meaning")]
pub enum CgroupDriver {
    Systemd,
    Cgroupfs,
}

/// Admission plugins that are on unless the spec names others.
const DEFAULT_ADMISSION_CONTROLLERS: &[&str] = &[
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

const ADMISSION_CONTROLLERS: &[&str] = &[
    "AlwaysAdmit",
    "AlwaysDeny",
    "AlwaysPullImages",
    "CertificateApproval",
    "CertificateSigning",
    "CertificateSubjectRestriction",
    "DefaultIngressClass",
    "DefaultStorageClass",
    "DefaultTolerationSeconds",
    "DenyEscalatingExec",
    "DenyExecOnPrivileged",
    "DenyServiceExternalIPs",
    "EventRateLimit",
    "ExtendedResourceToleration",
    "ImagePolicyWebhook",
    "LimitPodHardAntiAffinityTopology",
    "LimitRanger",
    "MutatingAdmissionWebhook",
    "NamespaceAutoProvision",
    "NamespaceExists",
    "NamespaceLifecycle",
    "NodeRestriction",
    "OwnerReferencesPermissionEnforcement",
    "PersistentVolumeClaimResize",
    "PersistentVolumeLabel",
    "PodNodeSelector",
    "PodSecurity",
    "PodSecurityPolicy",
    "PodTolerationRestriction",
    "Priority",
    "ResourceQuota",
    "RuntimeClass",
    "SecurityContextDeny",
    "ServiceAccount",
    "StorageObjectInUseProtection",
    "TaintNodesByCondition",
    "ValidatingAdmissionWebhook",
];
