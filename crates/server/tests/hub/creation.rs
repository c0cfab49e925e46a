//! Clusters that are asked for right after their tenant.

use std::time::Duration;

use http::Method;
use serde_json::json;

use crate::support::World;

/// So long after the request the operator gets to the tenant.
const LATER: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn the_first_cluster_of_a_new_tenant_waits_for_its_namespace() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    let tenant = json!({ "name": "acme", "spec": {} });
    assert_eq!(world.ask(&admin, Method::POST, "/api/v1/tenants", Some(tenant)).await.status, 201);
    let create = async |tenant: &str| {
        let body = json!({ "name": "prod", "tenant": tenant, "version": "v1.36.3" });
        world.ask(&admin, Method::POST, "/api/v1/clusters", Some(body)).await
    };
    let settled = async {
        tokio::time::sleep(LATER).await;
        world.settle("acme").await;
    };
    let (made, ()) = tokio::join!(create("acme"), settled);
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.body["id"], "acme.prod");
    let nowhere = create("nobody").await;
    assert_eq!(nowhere.status, 422, "{}", nowhere.body);
    assert!(nowhere.body["detail"].as_str().unwrap().contains("has no namespace"), "{}", nowhere.body);
}
