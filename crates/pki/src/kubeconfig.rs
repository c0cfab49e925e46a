//! Kubeconfig files with an embedded client certificate.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;

use crate::{Error, Pair, PrivateKey};

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

/// What an existing kubeconfig says of its current context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeconfigContents {
    /// Name of the cluster entry.
    pub cluster: String,
    /// Address of the API server.
    pub server: String,
    /// Certificate of the authority that signed the server's certificate, PEM.
    pub certificate_authority: String,
    /// Name of the user entry.
    pub user: String,
    /// Client certificate and key.
    pub pair: Pair,
}

impl Kubeconfig<'_> {
    /// The file's text. It is JSON, which every reader of kubeconfigs takes as YAML; one context
    /// `<user>@<cluster>`, which is the current one.
    #[must_use]
    pub fn render(&self, identity: &ClientIdentity<'_>) -> String {
        self.render_in(&format!("{}@{}", identity.user, self.cluster), identity)
    }

    /// The file's text with another name for its only context.
    #[must_use]
    pub fn render_in(&self, context: &str, identity: &ClientIdentity<'_>) -> String {
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{
                "name": self.cluster,
                "cluster": {
                    "certificate-authority-data": STANDARD.encode(self.certificate_authority),
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
                    "client-certificate-data": STANDARD.encode(&identity.pair.certificate),
                    "client-key-data": STANDARD.encode(identity.pair.private_key.expose_pem()),
                },
            }],
        });
        format!("{config:#}\n")
    }
}

impl KubeconfigContents {
    /// Reads a kubeconfig, YAML or JSON, ours or another program's.
    ///
    /// # Errors
    /// [`Error::ReadKubeconfig`] if the text is no kubeconfig, or its current context does not embed
    /// authority, client certificate and key.
    pub fn read(text: &str) -> Result<Self, Error> {
        let unreadable = |reason: &str| Error::ReadKubeconfig { reason: reason.to_owned() };
        let file: File = serde_saphyr::from_str(text).map_err(|error| unreadable(&error.to_string()))?;
        let context = file
            .contexts
            .into_iter()
            .find(|context| context.name == file.current_context)
            .ok_or_else(|| unreadable("it has no current context"))?
            .context;
        let cluster = file
            .clusters
            .into_iter()
            .find(|cluster| cluster.name == context.cluster)
            .ok_or_else(|| unreadable("its current context names no cluster"))?;
        let user = file
            .users
            .into_iter()
            .find(|user| user.name == context.user)
            .ok_or_else(|| unreadable("its current context names no user"))?;
        let decode = |text: &str| {
            let bytes = STANDARD.decode(text).map_err(|_| unreadable("it holds data that is not base64"))?;
            String::from_utf8(bytes).map_err(|_| unreadable("it holds a certificate that is not PEM"))
        };
        Ok(Self {
            server: cluster.cluster.server,
            certificate_authority: decode(&cluster.cluster.certificate_authority_data)?,
            cluster: cluster.name,
            pair: Pair {
                certificate: decode(&user.user.client_certificate_data)?,
                private_key: PrivateKey::from_pem(decode(&user.user.client_key_data)?),
            },
            user: user.name,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    clusters: Vec<NamedCluster>,
    contexts: Vec<NamedContext>,
    current_context: String,
    users: Vec<NamedUser>,
}

#[derive(Deserialize)]
struct NamedCluster {
    name: String,
    cluster: Cluster,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Cluster {
    server: String,
    certificate_authority_data: String,
}

#[derive(Deserialize)]
struct NamedContext {
    name: String,
    context: Context,
}

#[derive(Deserialize)]
struct Context {
    cluster: String,
    user: String,
}

#[derive(Deserialize)]
struct NamedUser {
    name: String,
    user: User,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct User {
    client_certificate_data: String,
    client_key_data: String,
}
