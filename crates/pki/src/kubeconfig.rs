//! Kubeconfig files with an embedded client certificate.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::Pair;

/// Whom a kubeconfig authenticates as.
#[derive(Debug, Clone)]
pub struct ClientIdentity<'a> {
    /// User entry and, with the cluster's name, context name.
    pub user: &'a str,
    /// Client certificate and key.
    pub pair: &'a Pair,
}

/// Makes kubeconfigs for one cluster.
#[derive(Debug, Clone)]
pub struct Kubeconfig<'a> {
    /// Name of the cluster entry.
    pub cluster: &'a str,
    /// Address of the API server, `https://host:port`.
    pub server: &'a str,
    /// Certificate of the authority that signed the server's certificate, PEM.
    pub certificate_authority: &'a str,
}

impl Kubeconfig<'_> {
    /// The file's text. It is JSON, which every reader of kubeconfigs takes as YAML; one context
    /// `<user>@<cluster>`, which is the current one.
    #[must_use]
    pub fn render(&self, identity: &ClientIdentity<'_>) -> String {
        let context = format!("{}@{}", identity.user, self.cluster);
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{
                "name": self.cluster,
                "cluster": {
                    "certificate-authority-data": base64(self.certificate_authority),
                    "server": self.server,
                },
            }],
            "contexts": [{
                "name": context,
                "context": { "cluster": self.cluster, "user": identity.user },
            }],
            "current-context": context,
            "users": [{
                "name": identity.user,
                "user": {
                    "client-certificate-data": base64(&identity.pair.certificate),
                    "client-key-data": base64(identity.pair.private_key.expose_pem()),
                },
            }],
        });
        format!("{config:#}\n")
    }
}

fn base64(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}
