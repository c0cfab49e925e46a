//! What tenants use, taken down every minute.
//!
//! Every replica samples every minute, and the minute's key in the database decides whose sample counts: nothing is
//! counted twice, and nothing is missing while one replica runs. A minute that passed without any is sampled later, by
//! what is then. Requests are what each replica has counted itself, so that each has keys of its own for them.

mod minutes;
mod requests;
mod sample;
mod totals;

use std::time::Duration;

use jiff::SignedDuration;
use records::{DayUsage, RecordsError};
use tokio::sync::watch;

use crate::hub::Hub;
use minutes::Minutes;
use requests::Requests;
use sample::sample;
use totals::Totals;

/// How often it is looked whether a minute is over, and what was counted is written. A replica that is killed loses
/// the requests of this time at most.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How long keys of intervals are remembered: longer than a replica tries to report one.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(48);

/// What this replica has counted.
#[derive(Default)]
pub(crate) struct Metering {
    pub(crate) requests: Requests,
    pub(crate) totals: Totals,
}

/// Samples and writes; never ends. Begins when clusters have been asked for their nodes.
pub(crate) async fn keep(hub: &Hub, mut asked: watch::Receiver<bool>) {
    let _ = asked.wait_for(|asked| *asked).await;
    let mut minutes = Minutes::default();
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let kept = async {
            for minute in minutes.due(hub.now()) {
                let usage = sample(&hub.inventory.rows(), minute);
                report(hub, &minutes::key(minute), &usage).await?;
                minutes.reported(minute);
            }
            flush(hub).await
        };
        if let Err(error) = kept.await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "what was used could not be written; it is tried again");
        }
        let rows = hub.inventory.rows();
        hub.metering.totals.keep(rows.iter().map(|row| row.id.as_str()));
    }
}

/// Writes the requests that were counted since the last time.
async fn flush(hub: &Hub) -> Result<(), RecordsError> {
    let requests = &hub.metering.requests;
    let Some(batch) = requests.batch(&hub.settings.identity, hub.now()) else { return Ok(()) };
    // Under the same key until it is known that it was written.
    report(hub, &batch.key, &batch.rows).await?;
    requests.written(&batch);
    Ok(())
}

/// Writes what is left, at the end.
pub(crate) async fn close(hub: &Hub) {
    if let Err(error) = flush(hub).await {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, "the requests of the last seconds could not be written and are not metered");
    }
}

/// Forgets what nobody will report again.
pub(crate) async fn sweep(hub: &Hub) -> Result<(), RecordsError> {
    hub.records.metering().sweep(hub.now() - REMEMBERED).await.map(drop)
}

/// What counts is told to Prometheus by the replica whose report it was, so that the sum over replicas is right.
async fn report(hub: &Hub, key: &str, rows: &[DayUsage]) -> Result<(), RecordsError> {
    if hub.records.metering().report(key, rows, hub.now()).await? {
        hub.metering.totals.add(rows);
    }
    Ok(())
}
