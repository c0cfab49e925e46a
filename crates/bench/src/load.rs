//! Requests at a steady rate, as a tenant's clients would send them.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{Api, Patch, PatchParams};
use kube::{Client, Error};
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, timeout};

/// A request that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(10);
/// One request of so many writes.
const WRITE_EVERY: u64 = 5;

/// What became of the requests.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    pub(crate) sent: u64,
    /// Reasons of those that failed. Nothing is tried again.
    pub(crate) failed: Vec<String>,
    pub(crate) slowest: Duration,
}

/// Requests that go on until they are stopped.
pub(crate) struct Load {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Requests>,
}

impl Load {
    /// Sends `rate` requests a second.
    pub(crate) fn start(client: Client, rate: u32) -> Self {
        let (stop, stopped) = oneshot::channel();
        Self { stop, task: tokio::spawn(send(client, rate, stopped)) }
    }

    /// Stops, and waits for the requests under way.
    pub(crate) async fn stop(self) -> Requests {
        // The other side is gone only if it panicked, which the next line tells.
        let _ = self.stop.send(());
        self.task.await.unwrap_or_else(|error| Requests {
            failed: vec![format!("the requests ended early: {error}")],
            ..Requests::default()
        })
    }
}

async fn send(client: Client, rate: u32, mut stopped: oneshot::Receiver<()>) -> Requests {
    let mut ticks = interval(Duration::from_secs(1) / rate);
    // A slow moment of this machine must not be made up for by a burst.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut requests, mut answers) = (Requests::default(), JoinSet::new());
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                answers.spawn(one(client.clone(), requests.sent));
                requests.sent += 1;
            }
            Some(answer) = answers.join_next() => requests.note(answer),
            _ = &mut stopped => break,
        }
    }
    while let Some(answer) = answers.join_next().await {
        requests.note(answer);
    }
    requests
}

type Answer = (Duration, Result<(), String>);

impl Requests {
    fn note(&mut self, answer: Result<Answer, tokio::task::JoinError>) {
        match answer {
            Ok((took, outcome)) => {
                self.slowest = self.slowest.max(took);
                self.failed.extend(outcome.err());
            }
            Err(error) => self.failed.push(error.to_string()),
        }
    }
}

async fn one(client: Client, number: u64) -> Answer {
    let started = Instant::now();
    let outcome = match timeout(PATIENCE, ask(client, number)).await {
        Ok(answer) => answer.map_err(|error| describe(&error)),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    };
    (started.elapsed(), outcome)
}

async fn ask(client: Client, number: u64) -> Result<(), Error> {
    if !number.is_multiple_of(WRITE_EVERY) {
        return Api::<Namespace>::all(client).get("default").await.map(|_| ());
    }
    let body = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bench"},
        "data": {"number": number.to_string()},
    });
    let parameters = PatchParams::apply("bench").force();
    let api: Api<ConfigMap> = Api::namespaced(client, "default");
    api.patch("bench", &parameters, &Patch::Apply(body)).await.map(|_| ())
}

/// The error with its causes.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_and_every_failure_are_kept() {
        let mut requests = Requests::default();
        requests.note(Ok((Duration::from_millis(7), Ok(()))));
        requests.note(Ok((Duration::from_millis(3), Err("refused".to_owned()))));
        assert_eq!(
            (requests.slowest, &*requests.failed),
            (Duration::from_millis(7), &["refused".to_owned()][..])
        );
    }
}
