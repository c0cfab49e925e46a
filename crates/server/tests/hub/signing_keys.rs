//! The key that identities are signed with is replaced while everybody works.

use http::Method;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use pki::{KeyAlgorithm, ServiceAccountPair};
use serde_json::{Value, json};

use crate::support::{NAMESPACE, World, eventually};

const SECRET: &str = "flotilla-server-signing-keys";

/// Ids of the public keys, that of the signing one first.
async fn served(world: &World) -> Vec<String> {
    let answer = world.send(Method::GET, "/issuer/keys", &[], None).await;
    let keys = answer.body["keys"].as_array().unwrap();
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// The id of the key by which an identity is signed.
async fn signed_by(world: &World, token: &str, id: &str) -> String {
    let path = format!("/api/v1/clusters/{id}/credential");
    let issued = world.ask(token, Method::POST, &path, None).await;
    let (head, _) = issued.body["token"].as_str().unwrap().split_once('.').unwrap();
    let head = data_encoding::BASE64URL_NOPAD.decode(head.as_bytes()).unwrap();
    serde_json::from_slice::<Value>(&head).unwrap()["kid"].as_str().unwrap().to_owned()
}

fn key() -> ByteString {
    let pair = ServiceAccountPair::generate(KeyAlgorithm::EcdsaP256).unwrap();
    ByteString(pair.private_key.expose_pem().as_bytes().to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signing_key_is_replaced_without_a_restart_and_clusters_follow() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    world.tenant(&admin, "acme", None).await;
    let hosted = Box::pin(world.hosted("acme", "prod")).await;
    let olga = world.member(&admin, "olga", "tenant-owner", "acme").await;
    hosted.binding("tenant-owner", "cluster-admin").await;
    let inside: Api<Namespace> = Api::all(world.through(&hosted.id, &olga));
    eventually("the cluster is reached", || async { inside.get("default").await.is_ok() }).await;
    let old = served(&world).await;
    assert_eq!(old, [signed_by(&world, &olga, &hosted.id).await]);

    let secrets: Api<Secret> = Api::namespaced(world.client.clone(), NAMESPACE);
    let change = async |data: Value| {
        let patch = Patch::Merge(json!({ "data": data }));
        secrets.patch(SECRET, &PatchParams::default(), &patch).await.unwrap();
    };
    change(json!({ "key-2": key() })).await;
    eventually("the new key is served", || async { served(&world).await.len() == 2 }).await;
    assert_eq!(served(&world).await[0], old[0], "others are to know it before it signs");
    assert_eq!(signed_by(&world, &olga, &hosted.id).await, old[0]);

    // As somebody would whose old key is known to others.
    change(json!({ "key-1": null })).await;
    eventually("the old key is gone", || async { served(&world).await.len() == 1 }).await;
    assert_ne!(served(&world).await, old);
    assert_eq!([signed_by(&world, &olga, &hosted.id).await], *served(&world).await);
    // It keeps the keys that it was told for a minute.
    eventually("the cluster asks for keys again", || async { inside.get("default").await.is_ok() }).await;

    let second = served(&world).await;
    secrets.delete(SECRET, &DeleteParams::default()).await.unwrap();
    eventually("another is made", || async { served(&world).await != second }).await;
}
