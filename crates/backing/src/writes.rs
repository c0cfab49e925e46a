//! Writes to a tenant's API server at a steady rate.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Client;
use kube::api::{Api, ListParams, PostParams};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Longest wait for an answer: what takes longer has failed.
const LIMIT: Duration = Duration::from_secs(20);
/// Bytes in each object, beside its name.
const BYTES: usize = 500;
/// Objects in one answer of a list.
const PAGE: u32 = 1000;

/// What came of writes.
#[derive(Debug, Default)]
pub struct Written {
    /// Names of the objects that the API server said to have stored.
    pub acknowledged: BTreeSet<String>,
    /// How long each of those took, in milliseconds.
    pub milliseconds: Vec<f64>,
    /// Why the others failed. They may have been stored all the same.
    pub failures: Vec<String>,
    /// How long it took from the first write to the last answer.
    pub took: Duration,
}

impl Written {
    /// Creates ConfigMaps in the namespace `default`, `per_second` of them for `time`, whatever the answers
    /// take; their names begin with `prefix`.
    pub async fn write(client: Client, prefix: &str, per_second: u32, time: Duration) -> Self {
        let began = Instant::now();
        let mut clock = interval(Duration::from_secs(1) / per_second.max(1));
        // What a slow moment of this machine held up comes at once, so that the rate is kept.
        clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let count = u64::from(per_second) * time.as_secs();
        let (mut written, mut answers) = (Self::default(), JoinSet::new());
        let mut sent = 0;
        while sent < count {
            tokio::select! {
                _ = clock.tick() => {
                    answers.spawn(one(client.clone(), format!("{prefix}-{sent:06}")));
                    sent += 1;
                }
                Some(answer) = answers.join_next() => written.note(answer),
            }
        }
        while let Some(answer) = answers.join_next().await {
            written.note(answer);
        }
        written.took = began.elapsed();
        written
    }

    /// Writes that were acknowledged, a second.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a count of writes")]
    pub fn rate(&self) -> f64 {
        self.acknowledged.len() as f64 / self.took.as_secs_f64()
    }

    /// The time in milliseconds within which 99 of 100 were acknowledged.
    #[must_use]
    pub fn p99(&self) -> Option<f64> {
        let mut sorted = self.milliseconds.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get((sorted.len() * 99 / 100).min(sorted.len().saturating_sub(1))).copied()
    }

    /// Acknowledged writes that the API server does not have; there must be none.
    pub async fn lost(&self, client: Client) -> Result<Vec<String>> {
        let maps: Api<ConfigMap> = Api::namespaced(client, "default");
        let mut missing = self.acknowledged.clone();
        let mut page = ListParams::default().limit(PAGE);
        loop {
            let found = maps.list_metadata(&page).await.context("list what was written")?;
            for map in &found.items {
                missing.remove(map.metadata.name.as_deref().unwrap_or_default());
            }
            match found.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => page = page.continue_token(&token),
                None => return Ok(missing.into_iter().collect()),
            }
        }
    }

    fn note(&mut self, answer: Result<(String, Duration, Result<(), String>), tokio::task::JoinError>) {
        match answer {
            Ok((name, took, Ok(()))) => {
                self.acknowledged.insert(name);
                self.milliseconds.push(took.as_secs_f64() * 1000.0);
            }
            Ok((name, _, Err(reason))) => self.failures.push(format!("{name}: {reason}")),
            Err(error) => self.failures.push(error.to_string()),
        }
    }
}

async fn one(client: Client, name: String) -> (String, Duration, Result<(), String>) {
    let began = Instant::now();
    let outcome = match timeout(LIMIT, create(client, &name)).await {
        Ok(outcome) => outcome.map_err(|error| format!("{error:#}")),
        Err(_) => Err(format!("no answer within {} s", LIMIT.as_secs())),
    };
    (name, began.elapsed(), outcome)
}

async fn create(client: Client, name: &str) -> Result<()> {
    let body = json!({"metadata": {"name": name}, "data": {"text": "x".repeat(BYTES)}});
    let maps: Api<ConfigMap> = Api::namespaced(client, "default");
    maps.create(&PostParams::default(), &serde_json::from_value(body)?).await?;
    Ok(())
}
