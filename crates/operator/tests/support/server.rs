//! Real servers of every driver, seen as DataStores and by their administrators.

use datastore::{Connection, Driver, Login, Store, Tls};
use k8s_openapi::ByteString;
use launcher::{Etcd, MariaDb, Nats, PostgreSql};
use pki::Pair;
use serde_json::{Value, json};

/// How a server is reached.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) driver: Driver,
    pub(crate) endpoint: String,
    authority: Option<Pair>,
    client: Option<Pair>,
    pub(crate) login: Option<(&'static str, &'static str)>,
}

impl Server {
    /// The DataStore that leads to it.
    pub(crate) fn object(&self, name: &str) -> Value {
        let driver = match self.driver {
            Driver::Etcd => "etcd",
            Driver::PostgreSql => "PostgreSQL",
            Driver::MySql => "MySQL",
            Driver::Nats => "NATS",
        };
        let content = |text: &str| json!({"content": ByteString(text.as_bytes().to_vec())});
        let pair = |pair: &Pair| {
            json!({
                "certificate": content(&pair.certificate), "privateKey": content(pair.private_key.expose_pem()),
            })
        };
        let tls = self.authority.as_ref().map(|authority| match &self.client {
            Some(client) => {
                json!({"certificateAuthority": pair(authority), "clientCertificate": pair(client)})
            }
            None => json!({"certificateAuthority": {"certificate": content(&authority.certificate)}}),
        });
        let login = self
            .login
            .map(|(user, password)| json!({"username": content(user), "password": content(password)}));
        json!({
            "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "DataStore", "metadata": {"name": name},
            "spec": {"driver": driver, "endpoints": [self.endpoint], "tlsConfig": tls, "basicAuth": login},
        })
    }

    /// Signs in as the administrator.
    pub(crate) async fn administrator(&self) -> Store {
        self.connect(self.login).await.unwrap()
    }

    /// Signs in as somebody.
    pub(crate) async fn connect(&self, login: Option<(&str, &str)>) -> Result<Store, datastore::Error> {
        Store::connect(&Connection {
            driver: self.driver,
            endpoints: vec![self.endpoint.clone()],
            login: login
                .map(|(user, password)| Login { username: user.to_owned(), password: password.to_owned() }),
            tls: self.authority.as_ref().map(|authority| Tls {
                certificate_authority: authority.certificate.clone(),
                certificate_authority_key: Some(authority.private_key.clone()),
                client: self.client.clone(),
            }),
        })
        .await
    }
}

impl From<&Etcd> for Server {
    fn from(running: &Etcd) -> Self {
        Self {
            driver: Driver::Etcd,
            endpoint: running.endpoint(),
            authority: Some(running.authority().clone()),
            client: Some(running.root().clone()),
            login: None,
        }
    }
}

impl From<&PostgreSql> for Server {
    fn from(running: &PostgreSql) -> Self {
        Self {
            driver: Driver::PostgreSql,
            endpoint: running.endpoint(),
            authority: running.authority().cloned(),
            client: None,
            login: Some((PostgreSql::USER, PostgreSql::PASSWORD)),
        }
    }
}

impl From<&MariaDb> for Server {
    fn from(running: &MariaDb) -> Self {
        Self {
            driver: Driver::MySql,
            endpoint: running.endpoint(),
            authority: running.authority().cloned(),
            client: None,
            login: Some((MariaDb::USER, MariaDb::PASSWORD)),
        }
    }
}

impl From<&Nats> for Server {
    fn from(running: &Nats) -> Self {
        Self {
            driver: Driver::Nats,
            endpoint: running.endpoint(),
            authority: running.authority().cloned(),
            client: None,
            login: Some((Nats::USER, Nats::PASSWORD)),
        }
    }
}
