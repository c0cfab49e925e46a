//! As whom the agent is known to the hub: registered once with the import token, then kept in a Secret.

use std::collections::BTreeMap;
use std::path::PathBuf;

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{Api, Patch, PatchParams};
use serde_json::{Value, json};
use uplink::{CallError, Hub, IDENTITY_SECRET, Registered, Registration};
use zeroize::Zeroizing;

use crate::Settings;
use crate::cluster::Cluster;

/// Why the agent is not known to the hub.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// The import token cannot be read.
    #[error("failed to read the import token from {}", path.display())]
    Token {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The API server was not reached, or refuses.
    #[error("failed to {what}; see whether the agent's manifest is applied whole")]
    Cluster {
        /// What was tried.
        what: &'static str,
        /// Its reason.
        #[source]
        source: Box<kube::Error>,
    },
    /// The namespace `kube-system` has no uid.
    #[error("the cluster has no uid")]
    NoUid,
    /// The hub was not reached, or refuses.
    #[error("failed to register with the hub")]
    Hub(#[from] CallError),
}

/// As whom the agent is known.
pub struct Identity {
    /// Id of the cluster.
    pub cluster: String,
    /// The agent's token.
    pub token: Zeroizing<String>,
    /// URL of the issuer of identities.
    pub issuer: String,
    /// Its public keys, as they were last kept.
    pub keys: Value,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Identity").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

/// Reads the identity that is kept, or registers and keeps it. Another import token than before registers anew.
pub(crate) async fn register(
    settings: &Settings,
    hub: &Hub,
    cluster: &Cluster,
) -> Result<Identity, RegistrationError> {
    let read = tokio::fs::read_to_string(&settings.token_file).await;
    let failed = |source| RegistrationError::Token { path: settings.token_file.clone(), source };
    let import_token = Zeroizing::new(read.map_err(failed)?);
    let mark = mark(&settings.hub, import_token.trim());
    let secrets: Api<Secret> = Api::namespaced(cluster.client.clone(), &settings.namespace);
    let kept = secrets.get(IDENTITY_SECRET).await.map_err(in_cluster("read the agent's Secret"))?;
    if let Some(identity) = kept_identity(&kept.data.unwrap_or_default(), &mark) {
        return Ok(identity);
    }
    let registration = Registration {
        cluster_uid: uid(cluster).await?,
        kubernetes_version: version(cluster).await?,
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let registered = hub.register(import_token.trim(), &registration).await?;
    let patch = Patch::Merge(secret(&registered, &mark));
    let patched = secrets.patch(IDENTITY_SECRET, &PatchParams::default(), &patch).await;
    patched.map_err(in_cluster("keep the agent's token in its Secret"))?;
    tracing::info!(cluster = registered.cluster, "registered with the hub");
    let Registered { cluster, token, issuer, keys } = registered;
    Ok(Identity { cluster, token: Zeroizing::new(token), issuer, keys })
}

fn in_cluster(what: &'static str) -> impl FnOnce(kube::Error) -> RegistrationError {
    move |source| RegistrationError::Cluster { what, source: Box::new(source) }
}

async fn uid(cluster: &Cluster) -> Result<String, RegistrationError> {
    let namespaces: Api<Namespace> = Api::all(cluster.client.clone());
    let found = namespaces.get("kube-system").await.map_err(in_cluster("read the namespace kube-system"))?;
    found.metadata.uid.ok_or(RegistrationError::NoUid)
}

async fn version(cluster: &Cluster) -> Result<String, RegistrationError> {
    let version = cluster.client.apiserver_version().await;
    Ok(version.map_err(in_cluster("read the version of the cluster"))?.git_version)
}

/// By what an import is known again, without keeping its token.
fn mark(hub: &str, import_token: &str) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(hub.as_bytes());
    context.update(b"\0");
    context.update(import_token.as_bytes());
    HEXLOWER.encode(context.finish().as_ref())
}

fn secret(registered: &Registered, mark: &str) -> Value {
    json!({ "stringData": {
        "cluster": registered.cluster, "token": registered.token, "issuer": registered.issuer,
        "keys": registered.keys.to_string(), "import": mark,
    } })
}

fn kept_identity(data: &BTreeMap<String, ByteString>, mark: &str) -> Option<Identity> {
    let text = |name: &str| String::from_utf8(data.get(name)?.0.clone()).ok();
    let is_of_this_import = text("import").as_deref() == Some(mark);
    let identity = Identity {
        cluster: text("cluster")?,
        token: Zeroizing::new(text("token")?),
        issuer: text("issuer")?,
        keys: serde_json::from_str(&text("keys")?).ok()?,
    };
    is_of_this_import.then_some(identity)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use k8s_openapi::ByteString;
    use serde_json::json;
    use uplink::Registered;

    use super::{kept_identity, mark, secret};

    fn kept(mark: &str) -> BTreeMap<String, ByteString> {
        let registered = Registered {
            cluster: "c-1".to_owned(),
            token: "flotilla_agent_a_b".to_owned(),
            issuer: "https://hub/issuer".to_owned(),
            keys: json!({ "keys": [] }),
        };
        let secret = secret(&registered, mark);
        let data = secret["stringData"].as_object().unwrap();
        data.iter().map(|(name, text)| (name.clone(), ByteString(text.as_str().unwrap().into()))).collect()
    }

    #[test]
    fn what_is_kept_is_read_again_for_the_same_import_only() {
        let first = mark("https://hub", "import-1");
        let identity = kept_identity(&kept(&first), &first).unwrap();
        assert_eq!((identity.cluster.as_str(), identity.token.as_str()), ("c-1", "flotilla_agent_a_b"));
        for other in [mark("https://hub", "import-2"), mark("https://other", "import-1")] {
            assert!(kept_identity(&kept(&first), &other).is_none());
        }
    }

    #[test]
    fn an_empty_or_broken_secret_is_none() {
        let first = mark("https://hub", "import-1");
        assert!(kept_identity(&BTreeMap::new(), &first).is_none());
        let mut broken = kept(&first);
        broken.insert("keys".to_owned(), ByteString(b"{".to_vec()));
        assert!(kept_identity(&broken, &first).is_none());
    }

    #[test]
    fn neither_import_token_nor_own_token_is_told() {
        let first = mark("https://hub", "import-1");
        assert!(!first.contains("import"));
        assert!(!format!("{:?}", kept_identity(&kept(&first), &first)).contains("flotilla_agent"));
    }
}
