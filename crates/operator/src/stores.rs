//! Data stores as the reconcilers use them: looked up in a cache, credentials read, connections kept.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use api::{ContentRef, DataStore, Driver, SecretKeyRef, TlsConfig};
use datastore::{Connection, Login, Tls};
use k8s_openapi::api::core::v1::Secret;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Api, Client, ResourceExt};
use pki::{Pair, PrivateKey};
use tokio::sync::Mutex;

/// Why a store cannot be used now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// A reference leads nowhere.
    #[error(
        "`{field}` of DataStore `{name}` refers to key `{key}` of Secret `{namespace}/{secret}`, which does not \
         exist; create the Secret or mend the reference"
    )]
    MissingKey {
        /// Name of the DataStore.
        name: String,
        /// Path of the reference.
        field: &'static str,
        /// Namespace of the Secret.
        namespace: String,
        /// Name of the Secret.
        secret: String,
        /// Key in it.
        key: String,
    },
    /// Neither content nor reference, or no text.
    #[error("`{field}` of DataStore `{name}` holds neither readable content nor a secretReference")]
    Empty {
        /// Name of the DataStore.
        name: String,
        /// Path of the field.
        field: &'static str,
    },
    /// The Secret could not be read.
    #[error("failed to read Secret `{namespace}/{secret}` for DataStore `{name}`")]
    ReadSecret {
        /// Name of the DataStore.
        name: String,
        /// Namespace of the Secret.
        namespace: String,
        /// Name of the Secret.
        secret: String,
        /// The API server's reason.
        #[source]
        source: Box<kube::Error>,
    },
    /// The store itself failed.
    #[error("DataStore `{name}`: {source}")]
    Store {
        /// Name of the DataStore.
        name: String,
        /// The driver's reason.
        #[source]
        source: datastore::Error,
    },
}

/// Finds DataStores by name in a cache.
#[derive(Clone)]
pub(crate) struct DataStoreLookup(Store<DataStore>);

impl DataStoreLookup {
    /// Looks into `store`.
    #[must_use]
    pub(crate) fn new(store: Store<DataStore>) -> Self {
        Self(store)
    }

    /// The DataStore of a name.
    #[must_use]
    pub(crate) fn get(&self, name: &str) -> Option<Arc<DataStore>> {
        self.0.get(&ObjectRef::new(name))
    }

    /// All DataStores.
    #[must_use]
    pub(crate) fn all(&self) -> Vec<Arc<DataStore>> {
        self.0.state()
    }
}

/// Open connections, one per DataStore, replaced when endpoints or credentials change.
#[derive(Default)]
pub(crate) struct Connections(Mutex<HashMap<String, (Connection, datastore::Store)>>);

impl Connections {
    /// The connection to a store, made if there is none for exactly these settings.
    pub(crate) async fn open(&self, name: &str, wanted: &Connection) -> Result<datastore::Store, StoreError> {
        // The lock is not held while connecting, so that one dead store does not stop the others.
        if let Some((settings, store)) = self.0.lock().await.get(name)
            && settings == wanted
        {
            return Ok(store.clone());
        }
        let failed = |source| StoreError::Store { name: name.to_owned(), source };
        let store = datastore::Store::connect(wanted).await.map_err(failed)?;
        self.0.lock().await.insert(name.to_owned(), (wanted.clone(), store.clone()));
        Ok(store)
    }

    /// Drops the connection to a store that failed or is gone.
    pub(crate) async fn forget(&self, name: &str) {
        self.0.lock().await.remove(name);
    }
}

/// Reads how to reach a DataStore, following its references.
pub(crate) async fn connection(client: &Client, store: &DataStore) -> Result<Connection, StoreError> {
    let reader = Reader { client, name: store.name_any() };
    let tls = match &store.spec.tls_config {
        Some(config) => Some(reader.tls(config).await?),
        // etcd tells its administrator and the tenants apart by certificates.
        None if store.spec.driver == Driver::Etcd => {
            return Err(StoreError::Empty { name: reader.name, field: "spec.tlsConfig" });
        }
        None => None,
    };
    let login = match &store.spec.basic_auth {
        Some(login) if store.spec.driver != Driver::Etcd => Some(Login {
            username: reader.text("spec.basicAuth.username", &login.username).await?,
            password: reader.text("spec.basicAuth.password", &login.password).await?,
        }),
        _ => None,
    };
    let driver = driver(store.spec.driver);
    Ok(Connection { driver, login, endpoints: store.spec.endpoints.clone(), tls })
}

/// The kind of a store as the drivers' crate knows it.
pub(crate) fn driver(kind: Driver) -> datastore::Driver {
    match kind {
        Driver::Etcd => datastore::Driver::Etcd,
        Driver::PostgreSql => datastore::Driver::PostgreSql,
        Driver::MySql => datastore::Driver::MySql,
        Driver::Nats => datastore::Driver::Nats,
    }
}

/// The Secrets that a DataStore refers to, `(namespace, name)`.
pub(crate) fn referenced(store: &DataStore) -> BTreeSet<(String, String)> {
    let tls = store.spec.tls_config.as_ref();
    let authority = tls.map(|tls| &tls.certificate_authority);
    let client = tls.and_then(|tls| tls.client_certificate.as_ref());
    let login = store.spec.basic_auth.as_ref();
    let contents = [
        authority.map(|authority| &authority.certificate),
        authority.and_then(|authority| authority.private_key.as_ref()),
        client.map(|client| &client.certificate),
        client.map(|client| &client.private_key),
        login.map(|login| &login.username),
        login.map(|login| &login.password),
    ];
    let references = contents.into_iter().flatten().filter(|content| content.content.is_none());
    references
        .filter_map(|content| content.secret_reference.as_ref())
        .filter_map(|reference| Some((reference.namespace.clone()?, reference.name.clone()?)))
        .collect()
}

struct Reader<'a> {
    client: &'a Client,
    name: String,
}

impl Reader<'_> {
    async fn tls(&self, config: &TlsConfig) -> Result<Tls, StoreError> {
        let authority = &config.certificate_authority;
        let certificate_authority =
            self.text("spec.tlsConfig.certificateAuthority.certificate", &authority.certificate).await?;
        let key = match &authority.private_key {
            Some(key) => Some(self.text("spec.tlsConfig.certificateAuthority.privateKey", key).await?),
            None => None,
        };
        let client = match &config.client_certificate {
            Some(pair) => Some(Pair {
                certificate: self
                    .text("spec.tlsConfig.clientCertificate.certificate", &pair.certificate)
                    .await?,
                private_key: PrivateKey::from_pem(
                    self.text("spec.tlsConfig.clientCertificate.privateKey", &pair.private_key).await?,
                ),
            }),
            None => None,
        };
        Ok(Tls { certificate_authority, certificate_authority_key: key.map(PrivateKey::from_pem), client })
    }

    async fn text(&self, field: &'static str, reference: &ContentRef) -> Result<String, StoreError> {
        let empty = || StoreError::Empty { name: self.name.clone(), field };
        if let Some(content) = &reference.content {
            return String::from_utf8(content.0.clone()).map_err(|_| empty());
        }
        let reference = reference.secret_reference.as_ref().ok_or_else(empty)?;
        let bytes = self.referenced(field, reference).await?;
        String::from_utf8(bytes).map_err(|_| empty())
    }

    async fn referenced(&self, field: &'static str, reference: &SecretKeyRef) -> Result<Vec<u8>, StoreError> {
        let namespace = reference.namespace.clone().unwrap_or_default();
        let secret = reference.name.clone().unwrap_or_default();
        let name = self.name.clone();
        let api: Api<Secret> = Api::namespaced(self.client.clone(), &namespace);
        let found = match api.get_opt(&secret).await {
            Ok(found) => found,
            Err(source) => {
                return Err(StoreError::ReadSecret { name, namespace, secret, source: Box::new(source) });
            }
        };
        let key = reference.key_path.clone();
        found
            .and_then(|found| found.data)
            .and_then(|mut data| data.remove(&key))
            .map(|content| content.0)
            .ok_or(StoreError::MissingKey { name, field, namespace, secret, key })
    }
}
