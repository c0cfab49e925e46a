//! Claims about grants by several replicas at once, on a real API server.

use api::{Tenant, TenantControlPlane};
use futures::future::join_all;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::PostParams;
use kube::runtime::reflector;
use kube::runtime::watcher::Event;
use kube::{Api, Client, Resource};
use launcher::{ControlPlane, Options};
use serde_json::json;

use super::super::forest::tests::tenant;
use super::super::{Gate, View};

const NAMESPACE: &str = "flotilla-system";

fn store<K>(objects: Vec<K>) -> reflector::Store<K>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    let (reader, mut writer) = reflector::store();
    for object in objects {
        writer.apply_watcher_event(&Event::Apply(object));
    }
    reader
}

/// A replica that sees the tenants, and none of the control planes that come.
fn replica(client: &Client) -> Gate {
    let tenants: Vec<Tenant> = vec![
        tenant("acme", None, json!({"quota": {"clusters": 12, "controlPlaneReplicas": 100}})),
        tenant("dev", Some("acme"), json!({})),
        tenant("globex", None, json!({})),
        tenant("lost", Some("nobody"), json!({})),
    ];
    let view = View::new(store(tenants), store(Vec::<TenantControlPlane>::new()));
    Gate::new(client.clone(), NAMESPACE, view)
}

fn cluster(namespace: &str, name: &str, replicas: i32) -> TenantControlPlane {
    serde_json::from_value(json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "controlPlane": {"service": {"serviceType": "ClusterIP"}, "deployment": {"replicas": replicas}},
            "kubernetes": {"version": "v1.36.3", "kubelet": {}},
        },
    }))
    .unwrap()
}

async fn world() -> (ControlPlane, Client) {
    world_of(&Options::default()).await
}

async fn world_of(options: &Options) -> (ControlPlane, Client) {
    service::install_tls_provider();
    let control_plane = ControlPlane::start(options).await.unwrap();
    let client = kubekit::client(Some(&control_plane.kubeconfig_path())).await.unwrap();
    let namespace = serde_json::from_value(json!({"metadata": {"name": NAMESPACE}})).unwrap();
    Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
    (control_plane, client)
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_see_nothing_of_each_other_grant_no_more_than_there_is() {
    let (_control_plane, client) = world().await;
    let replicas = [replica(&client), replica(&client), replica(&client)];
    let clusters: Vec<TenantControlPlane> = (0..36)
        .map(|number| cluster(if number % 2 == 0 { "acme" } else { "dev" }, &format!("c{number}"), 1))
        .collect();
    let asking = clusters
        .iter()
        .zip(replicas.iter().cycle())
        .map(|(cluster, replica)| replica.faults(None, cluster, false));
    let found = join_all(asking).await;
    let granted = found.iter().filter(|faults| faults.is_empty()).count();
    assert_eq!(granted, 12, "{found:?}");
    // One that was granted a moment ago and is asked for again, since the first answer was lost, is no other.
    let (again, _) = clusters.iter().zip(&found).find(|(_, faults)| faults.is_empty()).unwrap();
    assert_eq!(replicas[0].faults(None, again, false).await, []);
    // What takes no cluster more has room.
    let (one, two) = (cluster("acme", "c0", 1), cluster("acme", "c0", 2));
    assert_eq!(replicas[0].faults(Some(&one), &two, false).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_limit_asks_nobody_and_who_leads_nowhere_gets_nothing() {
    let (control_plane, client) = world_of(&Options { own: true, ..Options::default() }).await;
    let replica = replica(&client);
    drop(control_plane);
    assert_eq!(replica.faults(None, &cluster("globex", "a", 1), false).await, []);
    assert_eq!(replica.faults(None, &cluster("elsewhere", "a", 1), false).await, []);
    let lost = replica.faults(None, &cluster("lost", "a", 1), false).await;
    assert!(lost[0].message.contains("above which one is missing"), "{lost:?}");
    // An API server that is gone grants nothing.
    let unknown = replica.faults(None, &cluster("acme", "a", 1), false).await;
    assert!(unknown[0].message.contains("could not be found out"), "{unknown:?}");
}
