//! The token of an agent is replaced while it is connected, and whoever comes with the old one is refused and recorded.

use http::Method;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::ListParams;
use serde_json::json;

use crate::create;
use crate::imports::{Elsewhere, is};
use crate::support::{Answer, World, eventually};

/// The agent's token, as it keeps it.
async fn kept(cluster: &Elsewhere) -> String {
    let secrets: Api<Secret> = Api::namespaced(cluster.client.clone(), uplink::NAMESPACE);
    let secret = secrets.get(uplink::IDENTITY_SECRET).await.unwrap();
    String::from_utf8(secret.data.unwrap()["token"].0.clone()).unwrap()
}

/// What somebody gets who shows a token of an agent.
async fn renew(world: &World, token: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    world.send(Method::POST, uplink::RENEW_PATH, &[("authorization", &bearer)], None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_of_an_agent_is_replaced_on_demand_and_the_old_one_is_refused_and_recorded() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    world.tenant(&admin, "acme", None).await;
    let olga = world.member(&admin, "olga", "tenant-owner", "acme").await;
    let rita = world.member(&admin, "rita", "read-only", "acme").await;
    let import = json!({ "name": "edge", "spec": { "tenant": "acme" } });
    assert_eq!(world.ask(&olga, Method::POST, "/api/v1/imports", Some(import)).await.status, 201);
    let told = world.ask(&olga, Method::POST, "/api/v1/imports/edge/token", None).await.body;
    let path = told["url"].as_str().unwrap().strip_prefix(&world.url).unwrap().to_owned();
    let cluster = Box::pin(Elsewhere::of(&world, &path)).await;
    let mut agent = cluster.agent(&world.url);
    is(&world, &olga, "Ready").await;
    let old = kept(&cluster).await;
    assert_eq!(renew(&world, &old).await.status, 409, "it is not due");

    let rotate = "/api/v1/imports/edge/rotate";
    assert_eq!(world.ask(&rita, Method::POST, rotate, None).await.status, 403);
    assert_eq!(world.ask(&olga, Method::POST, rotate, None).await.status, 204);
    let secrets: Api<Secret> = Api::namespaced(world.client.clone(), "flotilla-system");
    let replaced = ListParams::default().labels("flotilla.dev/agent-of=edge,flotilla.dev/replaced=true");
    eventually("the new token is used", || async { secrets.list(&replaced).await.unwrap().items.len() == 1 })
        .await;
    let new = kept(&cluster).await;
    assert_ne!(new, old);
    let refused = renew(&world, &old).await;
    assert_eq!(refused.status, 401, "{}", refused.body);
    let log = world.ask(&admin, Method::GET, "/api/v1/audit?resource=agents", None).await.body.to_string();
    assert!(log.contains("was replaced by a newer one"), "{log}");
    let (_, secret) = old.rsplit_once('_').unwrap();
    assert!(!log.contains(secret), "the log holds a token");
    assert_eq!(renew(&world, &new).await.status, 409, "it is new");

    // What it keeps is what lets its successor in.
    agent.kill();
    agent.wait().await;
    is(&world, &olga, "Lost").await;
    let mut agent = cluster.agent(&world.url);
    is(&world, &olga, "Ready").await;
    create(&world.through("edge", &olga), "first").await.unwrap();
    agent.kill();
    agent.wait().await;
}
