//! Figures of the hub: decisions, the inventory, the way into a cluster. API servers are real, control planes of the
//! inventory are objects without pods.

mod decisions;
mod fleet;
mod storm;
mod world;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{Api, WatchParams};
use kube::{Client, client::Body};

use crate::arguments::Arguments;
use crate::figures::{Figure, Figures};
use world::World;

/// How often one request is timed.
const SAMPLES: usize = 300;
/// Requests before that are not counted.
const WARM_UP: usize = 30;
/// Watches that are open at the same time.
const WATCHES: usize = 1000;

/// All of them.
pub(crate) async fn all(arguments: &Arguments, figures: &mut Figures) -> Result<()> {
    decisions::measure(figures);
    let mut world = Box::pin(World::set(arguments.hub_clusters)).await?;
    inventory(&world, arguments.hub_clusters, figures).await?;
    let cluster = Box::pin(world.cluster()).await?;
    latency(&cluster, figures).await?;
    watches(&world, &cluster.through, figures).await?;
    drop(cluster);
    storm::measure(&mut world, figures).await?;
    Box::pin(fleet::measure(&mut world, arguments.hub_agents, figures)).await
}

/// The first page, by the server's clock and ours.
async fn inventory(world: &World, clusters: usize, figures: &mut Figures) -> Result<()> {
    let client = world.hub.client("", None)?;
    for (name, query) in [("page", ""), ("sorted", "&sort=-version"), ("searched", "&search=c-49")] {
        let path = format!("/api/v1/clusters?limit=50{query}");
        let samples = times(&client, &path, SAMPLES / 3).await?;
        figures.insert(format!("hub_inventory{clusters}_{name}_ms"), Figure::new("ms", samples));
    }
    Ok(())
}

/// The same request past the hub and through it, in turn.
async fn latency(cluster: &world::Reached, figures: &mut Figures) -> Result<()> {
    let path = "/api/v1/namespaces/default";
    let direct = times(&cluster.direct, path, SAMPLES).await?;
    let through = times(&cluster.through, path, SAMPLES).await?;
    let (direct, through) = (Figure::new("ms", direct), Figure::new("ms", through));
    if let (Some(direct), Some(through)) = (direct.median(), through.median()) {
        figures.insert("hub_added_latency_p50_ms".to_owned(), Figure::new("ms", [through - direct]));
    }
    figures.insert("hub_direct_request_ms".to_owned(), direct);
    figures.insert("hub_proxied_request_ms".to_owned(), through);
    Ok(())
}

/// Memory of the server before watches and with them.
async fn watches(world: &World, client: &Client, figures: &mut Figures) -> Result<()> {
    let before = world.memory()?;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "default");
    let parameters = WatchParams::default().timeout(290);
    let open = stream::iter(0..WATCHES).map(|_| maps.watch(&parameters, "0")).buffer_unordered(16);
    let watches: Vec<_> = open.collect().await;
    let failed = watches.iter().filter(|watch| watch.is_err()).count();
    ensure!(failed == 0, "{failed} of {WATCHES} watches were refused");
    tokio::time::sleep(Duration::from_secs(5)).await;
    let with = world.memory()?;
    figures.insert(format!("hub_watches{WATCHES}_anonymous_mib"), Figure::new("MiB", [with.anonymous.mib()]));
    let grown = with.anonymous.mib() - before.anonymous.mib();
    figures.insert(format!("hub_watches{WATCHES}_growth_mib"), Figure::new("MiB", [grown]));
    Ok(())
}

/// Milliseconds of each request, one after the other on one connection.
async fn times(client: &Client, path: &str, count: usize) -> Result<Vec<f64>> {
    let mut times = Vec::with_capacity(count);
    for number in 0..WARM_UP + count {
        let request = http::Request::get(path).body(Body::empty())?;
        let began = Instant::now();
        let response = client.send(request).await?;
        let status = response.status();
        response.into_body().collect_bytes().await?;
        ensure!(status.is_success(), "{path}: {status}");
        if number >= WARM_UP {
            times.push(began.elapsed().as_secs_f64() * 1000.0);
        }
    }
    Ok(times)
}

/// Waits until a cluster takes the hub's identities.
async fn trusted(client: &Client) -> Result<()> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    stage::eventually("the cluster trusts the hub", Duration::from_mins(2), || async {
        namespaces.get("default").await.map(drop).context("not yet")
    })
    .await
}
