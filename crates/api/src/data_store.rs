//! `DataStore`: where tenants' state is kept.

use std::fmt;

use k8s_openapi::ByteString;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A store of tenants' state.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "kamaji.clastix.io",
    version = "v1alpha1",
    kind = "DataStore",
    plural = "datastores",
    status = "DataStoreStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "A store of tenants' state: etcd, or PostgreSQL, MySQL or NATS behind kine.",
    printcolumn(
        name = "Driver",
        type_ = "string",
        json_path = ".spec.driver",
        description = "Kind of the store"
    ),
    printcolumn(
        name = "Ready",
        type_ = "boolean",
        json_path = ".status.ready",
        description = "Whether the store is ready for use"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "Age"
    )
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "(self.driver == \"etcd\") ? (self.tlsConfig != null && (has(self.tlsConfig.certificateAuthority.privateKey.secretReference) || has(self.tlsConfig.certificateAuthority.privateKey.content))) : true", "message": "certificateAuthority privateKey must have secretReference or content when driver is etcd"},
    {"rule": "(self.driver == \"etcd\") ? (self.tlsConfig != null && (has(self.tlsConfig.clientCertificate.certificate.secretReference) || has(self.tlsConfig.clientCertificate.certificate.content))) : true", "message": "clientCertificate must have secretReference or content when driver is etcd"},
    {"rule": "(self.driver == \"etcd\") ? (self.tlsConfig != null && (has(self.tlsConfig.clientCertificate.privateKey.secretReference) || has(self.tlsConfig.clientCertificate.privateKey.content))) : true", "message": "clientCertificate privateKey must have secretReference or content when driver is etcd"},
    {"rule": "(self.driver != \"etcd\" && has(self.tlsConfig) && has(self.tlsConfig.clientCertificate)) ? (((has(self.tlsConfig.clientCertificate.certificate.secretReference) || has(self.tlsConfig.clientCertificate.certificate.content)))) : true", "message": "When driver is not etcd and tlsConfig exists, clientCertificate must be null or contain valid content"},
    {"rule": "(self.driver != \"etcd\" && has(self.basicAuth)) ? ((has(self.basicAuth.username.secretReference) || has(self.basicAuth.username.content))) : true", "message": "When driver is not etcd and basicAuth exists, username must have secretReference or content"},
    {"rule": "(self.driver != \"etcd\" && has(self.basicAuth)) ? ((has(self.basicAuth.password.secretReference) || has(self.basicAuth.password.content))) : true", "message": "When driver is not etcd and basicAuth exists, password must have secretReference or content"},
    {"rule": "(self.driver != \"etcd\") ? (has(self.tlsConfig) || has(self.basicAuth)) : true", "message": "When driver is not etcd, either tlsConfig or basicAuth must be provided"},
    {"rule": "oldSelf == null || self.driver == oldSelf.driver", "message": "driver is immutable and cannot be changed after creation"}
]))]
pub struct DataStoreSpec {
    /// Kind of the store. Immutable.
    #[schemars(extend("x-kubernetes-validations" = [{"rule": "self == oldSelf", "message": "Datastore driver is immutable"}]))]
    pub driver: Driver,
    /// Addresses of the store, `host:port`, without a scheme.
    #[schemars(length(min = 1))]
    pub endpoints: Vec<String>,
    /// User name and password of the store's administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
    /// Certificates for the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_config: Option<TlsConfig>,
}

/// Kind of a store.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[expect(missing_docs, reason = "a description of a variant would change the shape of the schema")]
pub enum Driver {
    #[default]
    #[serde(rename = "etcd")]
    Etcd,
    #[serde(rename = "MySQL")]
    MySql,
    #[serde(rename = "PostgreSQL")]
    PostgreSql,
    #[serde(rename = "NATS")]
    Nats,
}

impl Driver {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::MySql => "MySQL",
            Self::PostgreSql => "PostgreSQL",
            Self::Nats => "NATS",
        }
    }
}

impl fmt::Display for Driver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// User name and password of the store's administrator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BasicAuth {
    /// User name.
    pub username: ContentRef,
    /// Password.
    pub password: ContentRef,
}

/// Certificates for the connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TlsConfig {
    /// Authority that signed the store's certificate. Its key is needed for etcd, to sign the tenants'
    /// client certificates.
    pub certificate_authority: CertificateAuthorityRef,
    /// Client certificate of the store's administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<ClientCertificateRef>,
}

/// A certificate authority.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CertificateAuthorityRef {
    /// Certificate, PEM.
    pub certificate: ContentRef,
    /// Private key, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_key: Option<ContentRef>,
}

/// A client certificate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientCertificateRef {
    /// Certificate, PEM.
    pub certificate: ContentRef,
    /// Private key, PEM.
    pub private_key: ContentRef,
}

/// Content, here or in a Secret.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContentRef {
    /// The content itself, base64. Wins over `secretReference`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "byte"))]
    pub content: Option<ByteString>,
    /// A key of a Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_reference: Option<SecretKeyRef>,
}

impl fmt::Debug for ContentRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ContentRef")
            .field("content", &self.content.as_ref().map(|_| ".."))
            .field("secret_reference", &self.secret_reference)
            .finish()
    }
}

/// A key of a Secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct SecretKeyRef {
    /// Name of the Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Namespace of the Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Key in the Secret's data.
    #[schemars(length(min = 1))]
    pub key_path: String,
}

/// The observed state of a store.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DataStoreStatus {
    /// Generation of the spec that was last looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Control planes that keep their state here, `namespace/name`, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub used_by: Vec<String>,
    /// What holds of the store now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Whether the store is ready for use.
    pub ready: bool,
}
