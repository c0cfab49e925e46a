//! What nodes hosted clusters have. Imported ones are told of by their agents.
//!
//! Each awake cluster is asked once a minute, and at once when it becomes ready; a sleeping one never. A list a minute
//! costs less than a watch: kubelets report every ten seconds to five minutes whether anything changed or not, and a
//! watch would hold a stream and bring all of it for every tenant. Few are asked at once, so that many tenants do not
//! make a burst. Every replica asks for itself, since each answers from its own inventory: nothing is written.

mod fetch;
mod reading;
mod schedule;

use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio::sync::watch;

use crate::hub::Hub;
use schedule::{Outcome, Schedule};

/// How often it is looked who is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Clusters that are asked at once.
const AT_ONCE: usize = 16;

/// Keeps the inventory as clusters say; never ends. Tells when all have been asked once.
pub(crate) async fn keep(hub: &Hub, asked: watch::Sender<bool>) {
    hub.inventory.completed().await;
    let mut schedule = Schedule::default();
    let mut under_way: FuturesUnordered<BoxFuture<'_, (String, Outcome)>> = FuturesUnordered::new();
    let mut looks = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            _ = looks.tick() => {}
            Some((id, outcome)) = under_way.next() => {
                let [chance, ..] = *uuid::Uuid::new_v4().as_bytes();
                schedule.asked(&id, outcome, hub.now(), chance);
            }
        }
        let room = AT_ONCE.saturating_sub(under_way.len());
        for id in schedule.due(&hub.inventory.rows(), hub.now(), room) {
            under_way.push(Box::pin(ask(hub, id)));
        }
        if schedule.has_asked_all() {
            asked.send_replace(true);
        }
    }
}

async fn ask(hub: &Hub, id: String) -> (String, Outcome) {
    let outcome = match fetch::reading(hub, &id).await {
        Ok(reading) => {
            hub.inventory.read(&id, &reading);
            Outcome::Answered
        }
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::debug!(cluster = id, error, "a cluster did not tell of its nodes");
            Outcome::Failed
        }
    };
    (id, outcome)
}
