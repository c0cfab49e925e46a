//! Control planes on every driver, each with a real server.

use std::collections::BTreeMap;

use datastore::{Driver, TenantSpace};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use launcher::{MariaDb, Nats, PostgreSql};
use serde_json::json;
use stage::eventually;

use crate::server::Server;
use crate::setting::{PATIENCE, Setting};

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
    server.connect(Some((&uid, &before["DB_PASSWORD"]))).await.unwrap();

    let secrets: Api<Secret> = setting.stage.objects("default");
    let patch = Patch::Merge(json!({"data": {"DB_PASSWORD": ByteString(b"guessed".to_vec())}}));
    secrets.patch("blue-datastore-config", &PatchParams::default(), &patch).await.unwrap();
    eventually("the password is one that the store takes", PATIENCE, || async {
        // The old one, if a pass was just writing it, or a new one.
        let password = config(&setting, "blue").await.remove("DB_PASSWORD").unwrap_or_default();
        anyhow::ensure!(password != "guessed", "it is what somebody wrote there");
        server.connect(Some((&uid, &password))).await?;
        Ok(())
    })
    .await
    .unwrap();
    let refused = server.connect(Some((&uid, "guessed"))).await.map(|_| ()).unwrap_err();
    assert!(matches!(refused, datastore::Error::SignIn { .. }), "{refused:?}");
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
    assert_eq!(server.administrator().await.count(space).await.unwrap(), 0);
    if server.driver != Driver::Nats {
        let refused = server.connect(Some((&space.user, "any"))).await.map(|_| ()).unwrap_err();
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
        let running = if has_tls { PostgreSql::start_with_tls().await } else { PostgreSql::start().await };
        let running = running.unwrap();
        Box::pin(live(&Server::from(&running))).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_plane_lives_on_mariadb_with_and_without_tls() {
    for has_tls in [false, true] {
        let running = if has_tls { MariaDb::start_with_tls().await } else { MariaDb::start().await };
        let running = running.unwrap();
        Box::pin(live(&Server::from(&running))).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_takes_one_control_plane_and_the_next_when_that_is_gone() {
    let running = Nats::start_with_tls().await.unwrap();
    let server = Server::from(&running);
    let setting = Setting::set(&[]).await;
    refuse_and_heal(&setting, &server).await;
    assert_eq!(config(&setting, "blue").await["DB_USER"], Nats::USER);
    setting.create("red", json!({"dataStore": "sql"})).await;
    setting.tenant_says("red", "DataStoreFull", "NATS").await;
    setting.tenants().delete("blue", &DeleteParams::default()).await.unwrap();
    setting.ready_in("red", "sql").await;
}
