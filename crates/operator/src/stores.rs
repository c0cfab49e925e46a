//! Data stores as the reconcilers use them: looked up in a cache, credentials read, connections kept.

use std::collections::HashMap;
use std::sync::Arc;

use api::{ContentRef, DataStore, Driver, SecretKeyRef};
use datastore::{Connection, EtcdStore, Tls};
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
    /// The driver is not served.
    #[error("DataStore `{name}` has driver {driver}, which this version does not serve yet; use driver etcd")]
    Driver {
        /// Name of the DataStore.
        name: String,
        /// Its driver.
        driver: Driver,
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

    /// Whether there is a DataStore of a name.
    #[must_use]
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

/// Open connections, one per DataStore, replaced when endpoints or credentials change.
#[derive(Default)]
pub(crate) struct Connections(Mutex<HashMap<String, (Connection, EtcdStore)>>);

impl Connections {
    /// The connection to a store, made if there is none for exactly these settings.
    pub(crate) async fn etcd(&self, name: &str, wanted: &Connection) -> Result<EtcdStore, StoreError> {
        // The lock is not held while connecting, so that one dead store does not stop the others.
        if let Some((settings, store)) = self.0.lock().await.get(name)
            && settings == wanted
        {
            return Ok(store.clone());
        }
        let failed = |source| StoreError::Store { name: name.to_owned(), source };
        let store = EtcdStore::connect(wanted).await.map_err(failed)?;
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
    if store.spec.driver != Driver::Etcd {
        return Err(StoreError::Driver { name: reader.name, driver: store.spec.driver });
    }
    let Some(config) = &store.spec.tls_config else {
        return Err(StoreError::Empty { name: reader.name, field: "spec.tlsConfig" });
    };
    let authority = &config.certificate_authority;
    let certificate_authority =
        reader.text("spec.tlsConfig.certificateAuthority.certificate", &authority.certificate).await?;
    let key = match &authority.private_key {
        Some(key) => Some(reader.text("spec.tlsConfig.certificateAuthority.privateKey", key).await?),
        None => None,
    };
    let client = match &config.client_certificate {
        Some(pair) => Some(Pair {
            certificate: reader
                .text("spec.tlsConfig.clientCertificate.certificate", &pair.certificate)
                .await?,
            private_key: PrivateKey::from_pem(
                reader.text("spec.tlsConfig.clientCertificate.privateKey", &pair.private_key).await?,
            ),
        }),
        None => None,
    };
    Ok(Connection {
        endpoints: store.spec.endpoints.clone(),
        tls: Some(Tls {
            certificate_authority,
            certificate_authority_key: key.map(PrivateKey::from_pem),
            client,
        }),
    })
}

struct Reader<'a> {
    client: &'a Client,
    name: String,
}

impl Reader<'_> {
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
