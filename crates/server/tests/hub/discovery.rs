//! Remembered answers about what an API server serves.

use http::Method;

use super::support::{World, eventually};

const APIS: &str = "/k8s/clusters/acme.prod/apis";
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

#[tokio::test(flavor = "multi_thread")]
async fn discovery_is_remembered_in_each_form_for_those_who_may_connect() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    world.tenant(&admin, "acme", None).await;
    world.tenant(&admin, "globex", None).await;
    let olga = world.member(&admin, "olga", "tenant-owner", "acme").await;
    let otto = world.member(&admin, "otto", "tenant-owner", "acme").await;
    let gus = world.member(&admin, "gus", "tenant-owner", "globex").await;
    let cluster = Box::pin(world.hosted("acme", "prod")).await;
    cluster.binding("tenant-owner", "cluster-admin").await;

    let (world, path) = (&world, APIS);
    let ask = |token: &str, extra: &[(&'static str, String)]| {
        let bearer = format!("Bearer {token}");
        let mut headers = vec![("authorization", bearer), ("accept", AGGREGATED.to_owned())];
        headers.extend_from_slice(extra);
        async move {
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            world.send(Method::GET, path, &headers, None).await
        }
    };
    eventually("the cluster has fetched the hub's keys", || async { ask(&olga, &[]).await.status == 200 })
        .await;
    let first = ask(&olga, &[]).await;
    assert_eq!(first.body["kind"], "APIGroupDiscoveryList");
    // What the cluster says of one request is told to nobody: the answer serves others too.
    assert!(!first.headers.contains_key("audit-id"));
    let second = ask(&otto, &[]).await;
    assert_eq!((second.status.as_u16(), &second.body), (200, &first.body));
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    let same = ask(&olga, &[("if-none-match", tag)]).await;
    assert_eq!(same.status, 304);

    let plain = world.ask(&olga, Method::GET, APIS, None).await;
    assert_eq!(plain.body["kind"], "APIGroupList");
    assert_eq!(ask(&gus, &[]).await.status, 404);
    let gone = world.ask(&admin, Method::DELETE, "/api/v1/grants/otto-tenant-owner", None).await;
    assert_eq!(gone.status, 204);
    assert_eq!(ask(&otto, &[]).await.status, 404);
}
