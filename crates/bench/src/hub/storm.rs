//! What one tenant's storm costs another's requests. The storm comes from this machine, too: what its clients take of the
//! CPU is in the figures.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kube::Client;
use kube::client::Body;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::world::World;
use crate::figures::{Figure, Figures};

/// Connections that storm.
const CONNECTIONS: usize = 200;
/// The calm one's requests, which are fewer a second than anybody may send.
const SAMPLES: usize = 600;
const EVERY: Duration = Duration::from_millis(20);
/// Until all of the storm's connections are there.
const GATHERS: Duration = Duration::from_secs(5);
const PATH: &str = "/api/v1/clusters?limit=50";

/// Answers of the storm.
#[derive(Default)]
struct Answers {
    served: AtomicU64,
    turned_away: AtomicU64,
}

pub(super) async fn measure(world: &mut World, figures: &mut Figures) -> Result<()> {
    let hub = &mut world.hub;
    hub.restart(&[]).await?;
    let (calm, stormy) = (hub.owner("calm").await?, hub.owner("stormy").await?);
    let client = hub.client_without_retries(&calm).await?;
    let alone = Figure::new("ms", times(&client).await?);
    let (answers, mut storm) = (Arc::<Answers>::default(), JoinSet::new());
    for _ in 0..CONNECTIONS {
        storm.spawn(rage(hub.client_without_retries(&stormy).await?, answers.clone()));
    }
    tokio::time::sleep(GATHERS).await;
    let began = Instant::now();
    let before = answers.served.load(Ordering::Relaxed);
    let beside = Figure::new("ms", times(&client).await?);
    let served = answers.served.load(Ordering::Relaxed) - before;
    let rate = f64::from(u32::try_from(served)?) / began.elapsed().as_secs_f64();
    storm.shutdown().await;
    ensure!(answers.turned_away.load(Ordering::Relaxed) > 0, "nobody was turned away");
    for (name, of) in [("p50", Figure::median as fn(&Figure) -> Option<f64>), ("p99", Figure::p99)] {
        let ratio = of(&beside).zip(of(&alone)).map(|(beside, alone)| beside / alone);
        figures.insert(format!("hub_storm{CONNECTIONS}_ratio_{name}"), Figure::new("times", ratio));
        figures.insert(format!("hub_calm_{name}_ms"), Figure::new("ms", of(&alone)));
        figures.insert(format!("hub_storm{CONNECTIONS}_{name}_ms"), Figure::new("ms", of(&beside)));
    }
    figures.insert(format!("hub_storm{CONNECTIONS}_served_per_second"), Figure::new("1/s", [rate]));
    Ok(())
}

/// Asks again and again, whatever is answered.
async fn rage(client: Client, answers: Arc<Answers>) {
    loop {
        let Ok(request) = http::Request::get(PATH).body(Body::empty()) else { return };
        let Ok(response) = client.send(request).await else { continue };
        let counter = if response.status().is_success() { &answers.served } else { &answers.turned_away };
        counter.fetch_add(1, Ordering::Relaxed);
        let _ = response.into_body().collect_bytes().await;
    }
}

/// Milliseconds of requests at a steady rate, all of which succeed.
async fn times(client: &Client) -> Result<Vec<f64>> {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut times = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        ticks.tick().await;
        let request = http::Request::get(PATH).body(Body::empty())?;
        let began = Instant::now();
        let response = client.send(request).await.context("a calm request")?;
        let status = response.status();
        response.into_body().collect_bytes().await?;
        ensure!(status.is_success(), "a calm request was answered {status}");
        times.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(times)
}
