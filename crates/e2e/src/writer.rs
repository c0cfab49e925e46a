//! A client that writes throughout, and afterwards looks for everything that was acknowledged.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt;
use kube::api::{Api, ListParams, PostParams};
use serde_json::json;
use tokio::task::JoinHandle;

/// A pace that a user could have.
const PACE: Duration = Duration::from_millis(50);

/// Writes ConfigMaps into a tenant's cluster, one after the other, until it is stopped.
pub struct Writer {
    maps: Api<ConfigMap>,
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    acknowledged: Vec<String>,
    refused: usize,
    /// The last resource version that an answer told.
    version: u64,
    /// What was told after a later one, if anything.
    older: Option<String>,
    last: Option<Instant>,
    longest_gap: Duration,
}

/// What came of the writes.
#[derive(Debug, Clone)]
pub struct Written {
    /// How many were acknowledged.
    pub acknowledged: usize,
    /// How many were refused or not answered.
    pub refused: usize,
    /// The longest time between two that were acknowledged.
    pub longest_gap: Duration,
}

impl Writer {
    /// Begins as the user of a kubeconfig; `label` tells its objects from others'.
    pub async fn start(kubeconfig: &Path, label: &str) -> Result<Self> {
        let client = kubekit::client(Some(kubeconfig)).await?;
        let maps: Api<ConfigMap> = Api::namespaced(client, "default");
        let seen = Arc::new(Mutex::new(Seen::default()));
        let task = tokio::spawn(write(maps.clone(), label.to_owned(), seen.clone()));
        Ok(Self { maps, seen, task })
    }

    /// How many writes were acknowledged so far.
    #[must_use]
    pub fn acknowledged(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).acknowledged.len()
    }

    /// Waits until further writes are acknowledged.
    pub async fn goes_on(&self, limit: Duration) -> Result<()> {
        let before = self.acknowledged();
        crate::eventually("writes are acknowledged", limit, || async {
            let now = self.acknowledged();
            ensure!(now > before + 20, "{before} before, {now} now");
            Ok(())
        })
        .await
    }

    /// Stops, and makes sure that nothing acknowledged is lost, and that no answer told an older resource
    /// version than the one before.
    pub async fn stop(self) -> Result<Written> {
        self.task.abort();
        let _ = self.task.await;
        let answer = self.maps.list(&ListParams::default()).await?;
        let newest = version(answer.metadata.resource_version.as_deref());
        let found: std::collections::BTreeSet<String> =
            answer.into_iter().map(|map| map.name_any()).collect();
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        ensure!(seen.older.is_none(), "the resource version went back: {:?}", seen.older);
        ensure!(newest >= seen.version, "the list is of version {newest}, after {}", seen.version);
        let lost: Vec<&String> = seen.acknowledged.iter().filter(|name| !found.contains(*name)).collect();
        ensure!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        Ok(Written {
            acknowledged: seen.acknowledged.len(),
            refused: seen.refused,
            longest_gap: seen.longest_gap,
        })
    }
}

async fn write(maps: Api<ConfigMap>, label: String, seen: Arc<Mutex<Seen>>) {
    for number in 0_u64.. {
        let name = format!("{label}-{number:06}");
        let map = serde_json::from_value(json!({"metadata": {"name": name}}));
        let Ok(map) = map else { return };
        let outcome = maps.create(&PostParams::default(), &map).await;
        {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            if let Ok(map) = outcome {
                let told = version(map.metadata.resource_version.as_deref());
                if told <= seen.version && seen.older.is_none() {
                    seen.older = Some(format!("{name} has {told}, after {}", seen.version));
                }
                seen.version = told;
                let now = Instant::now();
                let gap = seen.last.map_or(Duration::ZERO, |last| now.duration_since(last));
                seen.longest_gap = seen.longest_gap.max(gap);
                seen.last = Some(now);
                seen.acknowledged.push(name);
            } else {
                seen.refused += 1;
            }
        }
        tokio::time::sleep(PACE).await;
    }
}

/// Zero for what is no number, which comes before all others.
fn version(text: Option<&str>) -> u64 {
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}
