//! DataStores: what is said of them, who gets a place in which, and credentials that change; on a real API
//! server with real stores. The tenants' pods and API servers are played.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod credentials;
mod drivers;
mod placement;
#[path = "../support/server.rs"]
mod server;
mod setting;

use kube::api::{Patch, PatchParams};
use serde_json::json;
use setting::{Setting, conditions, says};

#[tokio::test(flavor = "multi_thread")]
async fn a_stores_conditions_tell_what_was_found_out() {
    let mut setting = Setting::set(&[]).await;
    for kind in ["Reachable", "CredentialsAccepted", "VersionSupported"] {
        setting.store_says("store", kind, "True", "").await;
    }
    setting.store_says("store", "VersionSupported", "True", "version 3.").await;
    setting.create("blue", json!({})).await;
    setting.ready_in("blue", "store").await;
    setting
        .store_says("store", "kamaji.clastix.io/DataStoreAllowedDeletion", "False", "1 control plane")
        .await;
    assert_eq!(setting.store("store").await.status.unwrap().used_by, ["default/blue"]);

    setting.stage.store().stop().await;
    setting.store_says("store", "Reachable", "False", "tried again").await;
    let found = conditions(&setting.store("store").await);
    assert!(says(&found, "CredentialsAccepted", "Unknown", "").is_ok(), "{found:?}");
    setting.stage.store().resume().await.unwrap();
    setting.store_says("store", "Reachable", "True", "").await;
    setting.ready_in("blue", "store").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_with_a_wrong_authority_is_named_and_hurts_no_other() {
    let setting = Setting::set(&[]).await;
    let _strange = setting.add_etcd("strange").await;
    let other = launcher::Etcd::start().await.unwrap();
    let content = k8s_openapi::ByteString(other.authority().certificate.clone().into_bytes());
    let patch =
        json!({"spec": {"tlsConfig": {"certificateAuthority": {"certificate": {"content": content}}}}});
    setting.stores().patch("strange", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    setting.store_says("strange", "Reachable", "False", "certificate").await;
    setting.create("lost", json!({"dataStore": "strange"})).await;
    setting.create("blue", json!({})).await;
    setting.ready_in("blue", "store").await;
    setting.tenant_says("lost", "DataStoreUnreachable", "certificate").await;
}
