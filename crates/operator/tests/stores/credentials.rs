//! Credentials in Secrets, which change.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::setting::Setting;

/// A DataStore whose certificates stand in Secret `etcd-root`.
fn referring(name: &str, etcd: &launcher::Etcd) -> Value {
    let reference =
        |key: &str| json!({"secretReference": {"name": "etcd-root", "namespace": "default", "keyPath": key}});
    let pair = |prefix: &str| {
        json!({
            "certificate": reference(&format!("{prefix}.crt")), "privateKey": reference(&format!("{prefix}.key")),
        })
    };
    json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "DataStore", "metadata": {"name": name},
        "spec": {
            "driver": "etcd", "endpoints": [etcd.endpoint()],
            "tlsConfig": {"certificateAuthority": pair("ca"), "clientCertificate": pair("root")},
        },
    })
}

fn secret(etcd: &launcher::Etcd) -> Secret {
    let (authority, root) = (etcd.authority(), etcd.root());
    let data = json!({
        "ca.crt": authority.certificate, "ca.key": authority.private_key.expose_pem(),
        "root.crt": root.certificate, "root.key": root.private_key.expose_pem(),
    });
    serde_json::from_value(json!({"metadata": {"name": "etcd-root"}, "stringData": data})).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_changes_is_followed_at_once_and_a_missing_key_is_named() {
    let setting = Setting::set(&[]).await;
    let etcd = launcher::Etcd::start().await.unwrap();
    let secrets: Api<Secret> = setting.stage.objects("default");
    setting.add(&referring("kept", &etcd)).await;
    setting.store_says("kept", "kamaji.clastix.io/DataStoreValidation", "False", "default/etcd-root").await;
    setting.create("early", json!({"dataStore": "kept"})).await;
    setting.tenant_says("early", "DataStoreNotReady", "default/etcd-root").await;

    secrets.create(&PostParams::default(), &secret(&etcd)).await.unwrap();
    setting.store_says("kept", "Reachable", "True", "").await;
    setting.ready_in("early", "kept").await;

    // While all is well, the store is looked at each ten seconds; a change is seen at once.
    for _ in 0..3 {
        let patch = json!({"data": {"root.key": null}});
        secrets.patch("etcd-root", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
        let began = Instant::now();
        setting.store_says("kept", "kamaji.clastix.io/DataStoreValidation", "False", "`root.key`").await;
        assert!(began.elapsed() < Duration::from_secs(5), "seen after {:?}", began.elapsed());
        setting.tenant_says("early", "DataStoreNotReady", "`root.key`").await;
        let whole = serde_json::to_value(secret(&etcd)).unwrap();
        secrets.patch("etcd-root", &PatchParams::default(), &Patch::Merge(whole)).await.unwrap();
        setting.ready_in("early", "kept").await;
    }
}
