//! Writes to a tenant's API server at a steady rate.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Client;
use kube::api::{Api, ListParams, PostParams};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// Longest wait for an answer, which is also the API server's: what takes longer has failed.
const LIMIT: Duration = Duration::from_mins(1);
/// Writes that wait for an answer, at most, so that a machine that cannot keep the rate is slow and does not
/// fail.
const AT_ONCE: usize = 50;
/// Bytes in each object, beside its name.
const BYTES: usize = 500;
/// Objects in one answer of a list.
const PAGE: u32 = 1000;

/// What came of writes.
#[derive(Debug, Default)]
pub struct Written {
    /// Names of the objects that the API server said to have stored, with when it was asked and answered.
    pub acknowledged: BTreeMap<String, (Instant, Instant)>,
    /// How long each of those took since it was due, in milliseconds.
    pub milliseconds: Vec<f64>,
    /// Why the others failed. They may have been stored all the same.
    pub failures: Vec<String>,
    /// How long it took from the first write to the last answer.
    pub took: Duration,
}

/// Acknowledged writes that a list does not show.
#[derive(Debug, Default)]
pub struct Missing {
    /// Those that are not in the store.
    pub lost: Vec<String>,
    /// Those that are. Lists come from the API server's memory, which kine 0.17.5 tells nothing of a write that
    /// took the database over a second, as it may on a machine that is busy.
    pub unlisted: Vec<String>,
}

impl Written {
    /// Creates ConfigMaps in the namespace `default`, as many as `per_second` are in `time`, and at that rate
    /// as long as the answers keep up; their names begin with `prefix`.
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
                due = clock.tick(), if answers.len() < AT_ONCE => {
                    answers.spawn(one(client.clone(), format!("{prefix}-{sent:06}"), due));
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

    /// Acknowledged writes that are not to be found; there must be none that is lost.
    pub async fn missing(&self, client: Client) -> Result<Missing> {
        let maps: Api<ConfigMap> = Api::namespaced(client, "default");
        let mut unlisted = self.acknowledged.clone();
        let mut page = ListParams::default().limit(PAGE);
        loop {
            let found = maps.list_metadata(&page).await.context("list what was written")?;
            for map in &found.items {
                unlisted.remove(map.metadata.name.as_deref().unwrap_or_default());
            }
            match found.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => page = page.continue_token(&token),
                None => break,
            }
        }
        let mut missing = Missing::default();
        for name in unlisted.into_keys() {
            let is_there = maps.get_opt(&name).await.context("get what was written")?.is_some();
            if is_there { missing.unlisted.push(name) } else { missing.lost.push(name) }
        }
        Ok(missing)
    }

    /// Whether a write was under way in one of these times.
    #[must_use]
    pub fn is_within(&self, name: &str, times: &[(Instant, Instant)]) -> bool {
        let Some((asked, answered)) = self.acknowledged.get(name) else { return false };
        times.iter().any(|(begin, end)| asked <= end && answered >= begin)
    }

    fn note(&mut self, answer: Result<Answer, tokio::task::JoinError>) {
        match answer {
            Ok(Answer { name, due, asked, answered, outcome: Ok(()) }) => {
                self.acknowledged.insert(name, (asked, answered));
                self.milliseconds.push((answered - due).as_secs_f64() * 1000.0);
            }
            Ok(Answer { name, outcome: Err(reason), .. }) => self.failures.push(format!("{name}: {reason}")),
            Err(error) => self.failures.push(error.to_string()),
        }
    }
}

/// What came of one write.
struct Answer {
    name: String,
    due: Instant,
    asked: Instant,
    answered: Instant,
    outcome: Result<(), String>,
}

async fn one(client: Client, name: String, due: Instant) -> Answer {
    let asked = Instant::now();
    let outcome = match timeout(LIMIT, create(client, &name)).await {
        Ok(outcome) => outcome.map_err(|error| format!("{error:#}")),
        Err(_) => Err(format!("no answer within {} s", LIMIT.as_secs())),
    };
    Answer { name, due, asked, answered: Instant::now(), outcome }
}

async fn create(client: Client, name: &str) -> Result<()> {
    let body = json!({"metadata": {"name": name}, "data": {"text": "x".repeat(BYTES)}});
    let maps: Api<ConfigMap> = Api::namespaced(client, "default");
    maps.create(&PostParams::default(), &serde_json::from_value(body)?).await?;
    Ok(())
}
