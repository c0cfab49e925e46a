//! Control planes on every driver, each with a real server.

use std::collections::BTreeMap;

use datastore::{Connection, Driver, Login, Store, TenantSpace, Tls};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use launcher::{MariaDb, Nats, PostgreSql};
use pki::Pair;
use serde_json::{Value, json};
use stage::eventually;

use crate::setting::{PATIENCE, Setting};

/// How a server is reached.
struct Server {
    driver: Driver,
    endpoint: String,
    authority: Option<Pair>,
    login: (&'static str, &'static str),
}

impl Server {
    fn kind(&self) -> &'static str {
        match self.driver {
            Driver::Etcd => "etcd",
            Driver::PostgreSql => "PostgreSQL",
            Driver::MySql => "MySQL",
            Driver::Nats => "NATS",
        }
    }

    fn object(&self, name: &str) -> Value {
        let content = |text: &str| json!({"content": ByteString(text.as_bytes().to_vec())});
        let tls = self.authority.as_ref().map(|authority| {
            json!({"certificateAuthority": {"certificate": content(&authority.certificate)}})
        });
        json!({
            "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "DataStore", "metadata": {"name": name},
            "spec": {
                "driver": self.kind(), "endpoints": [self.endpoint], "tlsConfig": tls,
                "basicAuth": {"username": content(self.login.0), "password": content(self.login.1)},
            },
        })
    }

    /// Signs in as somebody.
    async fn connect(&self, username: &str, password: &str) -> Result<Store, datastore::Error> {
        Store::connect(&Connection {
            driver: self.driver,
            endpoints: vec![self.endpoint.clone()],
            login: Some(Login { username: username.to_owned(), password: password.to_owned() }),
            tls: self.authority.as_ref().map(|authority| Tls {
                certificate_authority: authority.certificate.clone(),
                certificate_authority_key: None,
                client: None,
            }),
        })
        .await
    }
}

/// What the tenant's pods get.
async fn config(setting: &Setting, name: &str) -> BTreeMap<String, String> {
    let secrets: Api<Secret> = setting.stage.objects("default");
    let secret = secrets.get(&format!("{name}-datastore-config")).await.unwrap();
    let data = secret.data.unwrap_or_default().into_iter();
    data.map(|(key, value)| (key, String::from_utf8(value.0).unwrap())).collect()
}

/// A life on a store: made, with a user of its own whose password heals, and taken away without a trace.
async fn live(server: &Server) {
    let setting = Setting::set(&[]).await;
    refuse_and_heal(&setting, server).await;
    for kind in ["Reachable", "CredentialsAccepted", "VersionSupported"] {
        setting.store_says("sql", kind, "True", "").await;
    }
    let uid = setting.tenants().get("blue").await.unwrap().uid().unwrap();
    let space = TenantSpace { schema: uid.clone(), user: uid.clone() };
    let before = config(&setting, "blue").await;
    assert_eq!((&*before["DB_CONNECTION_STRING"], &*before["DB_SCHEMA"]), (&*server.endpoint, &*uid));
    assert_eq!(before["DB_USER"], uid);
    let own = server.connect(&uid, &before["DB_PASSWORD"]).await.unwrap();
    own.read(&space).await.unwrap();

    let secrets: Api<Secret> = setting.stage.objects("default");
    let patch = Patch::Merge(json!({"data": {"DB_PASSWORD": ByteString(b"guessed".to_vec())}}));
    secrets.patch("blue-datastore-config", &PatchParams::default(), &patch).await.unwrap();
    eventually("the password is made anew and set", PATIENCE, || async {
        let after = config(&setting, "blue").await;
        anyhow::ensure!(!["guessed", &before["DB_PASSWORD"]].contains(&&*after["DB_PASSWORD"]), "not yet");
        server.connect(&uid, &after["DB_PASSWORD"]).await?;
        Ok(())
    })
    .await
    .unwrap();
    for old in ["guessed", &before["DB_PASSWORD"]] {
        let refused = server.connect(&uid, old).await.map(|_| ()).unwrap_err();
        assert!(matches!(refused, datastore::Error::SignIn { .. }), "{refused:?}");
    }
    setting.ready_in("blue", "sql").await;
    leave(&setting, server, &space).await;
}

/// Deletes the control plane and its store, and sees that nothing is left in the server.
async fn leave(setting: &Setting, server: &Server, space: &TenantSpace) {
    let delete = DeleteParams::default();
    setting.stores().delete("sql", &delete).await.unwrap();
    let marked = setting.store("sql").await.metadata.deletion_timestamp;
    assert!(marked.is_some(), "a store in use was deleted");
    setting.tenants().delete("blue", &delete).await.unwrap();
    eventually("control plane and store are gone", PATIENCE, || async {
        anyhow::ensure!(setting.tenants().get_opt("blue").await?.is_none(), "the control plane is there");
        anyhow::ensure!(setting.stores().get_opt("sql").await?.is_none(), "the store is there");
        Ok(())
    })
    .await
    .unwrap();
    let root = server.connect(server.login.0, server.login.1).await.unwrap();
    assert_eq!(root.count(space).await.unwrap(), 0);
    if server.driver != Driver::Nats {
        let refused = server.connect(&space.user, "any").await.map(|_| ()).unwrap_err();
        assert!(matches!(refused, datastore::Error::SignIn { .. }), "{refused:?}");
    }
}

/// Credentials that the server refuses are told apart from one that is away, and heal.
async fn refuse_and_heal(setting: &Setting, server: &Server) {
    let mut object = server.object("sql");
    object["spec"]["basicAuth"]["password"] = json!({"content": ByteString(b"wrong".to_vec())});
    setting.add(&object).await;
    setting.store_says("sql", "CredentialsAccepted", "False", "refuses the credentials").await;
    setting.store_says("sql", "Reachable", "True", "").await;
    setting.create("blue", json!({"dataStore": "sql"})).await;
    setting.tenant_says("blue", "DataStoreUnreachable", "refuses the credentials").await;
    let right = server.object("sql");
    setting.patch_store("sql", json!({"spec": {"basicAuth": right["spec"]["basicAuth"]}})).await;
    setting.ready_in("blue", "sql").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_plane_lives_on_postgresql_with_and_without_tls() {
    for has_tls in [false, true] {
        let running = if has_tls { PostgreSql::start_with_tls() } else { PostgreSql::start() }.await.unwrap();
        let server = postgresql(&running);
        live(&server).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_plane_lives_on_mariadb_with_and_without_tls() {
    for has_tls in [false, true] {
        let running = if has_tls { MariaDb::start_with_tls() } else { MariaDb::start() }.await.unwrap();
        let server = mariadb(&running);
        live(&server).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_takes_one_control_plane_and_the_next_when_that_is_gone() {
    let running = Nats::start_with_tls().await.unwrap();
    let server = nats(&running);
    let setting = Setting::set(&[]).await;
    refuse_and_heal(&setting, &server).await;
    assert_eq!(config(&setting, "blue").await["DB_USER"], server.login.0);
    setting.create("red", json!({"dataStore": "sql"})).await;
    setting.tenant_says("red", "DataStoreFull", "NATS").await;
    setting.tenants().delete("blue", &DeleteParams::default()).await.unwrap();
    setting.ready_in("red", "sql").await;
}

fn postgresql(running: &PostgreSql) -> Server {
    Server {
        driver: Driver::PostgreSql,
        endpoint: running.endpoint(),
        authority: running.authority().cloned(),
        login: (PostgreSql::USER, PostgreSql::PASSWORD),
    }
}

fn mariadb(running: &MariaDb) -> Server {
    Server {
        driver: Driver::MySql,
        endpoint: running.endpoint(),
        authority: running.authority().cloned(),
        login: (MariaDb::USER, MariaDb::PASSWORD),
    }
}

fn nats(running: &Nats) -> Server {
    Server {
        driver: Driver::Nats,
        endpoint: running.endpoint(),
        authority: running.authority().cloned(),
        login: (Nats::USER, Nats::PASSWORD),
    }
}
