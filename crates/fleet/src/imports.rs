//! Clusters that are imported into a hub for the fleet, and what the hub says of them.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde_json::{Value, json};
use stage::eventually;

use crate::{Hub, Import, Site};

const AT_ONCE: usize = 16;
const PAGE: usize = 500;
const PATIENCE: Duration = Duration::from_mins(5);
/// Seldom enough not to be what is measured.
const LOOK_EVERY: Duration = Duration::from_millis(500);

impl Site {
    /// Makes imports of so many clusters, and writes what their agents are installed with.
    ///
    /// # Errors
    /// If the hub refuses, or a file cannot be written.
    pub async fn import(&self, hub: &Hub, cluster_authority: &str, clusters: usize) -> Result<()> {
        stream::iter(0..clusters)
            .map(|number| async move {
                let name = format!("edge-{number}");
                hub.ask("POST", "/api/v1/imports", &json!({ "name": name, "spec": {} })).await?;
                let told = hub.ask("POST", &format!("/api/v1/imports/{name}/token"), &Value::Null).await?;
                let url = told["url"].as_str().context("no address of a manifest")?;
                let token = url.rsplit('/').next().and_then(|file| file.strip_suffix(".yaml"));
                let token = token.context("no token in the address of a manifest")?;
                self.install(number, Import { token, hub_authority: hub.authority(), cluster_authority })
            })
            .buffer_unordered(AT_ONCE)
            .try_collect::<Vec<()>>()
            .await
            .map(drop)
    }
}

impl Hub {
    /// Waits until so many imported clusters are ready whose agents have spoken since.
    ///
    /// # Errors
    /// How many there were after five minutes.
    pub async fn has_heard(&self, clusters: usize, since: Timestamp) -> Result<()> {
        self.look("all agents have spoken", || async {
            let rows = self.imported().await?;
            let has_spoken = |row: &&Value| {
                let seen = row["lastSeen"].as_str().and_then(|seen| seen.parse::<Timestamp>().ok());
                row["state"] == "Ready" && seen.is_some_and(|seen| seen > since)
            };
            let spoken = rows.iter().filter(has_spoken).count();
            ensure!(spoken == clusters, "{spoken} of {clusters}");
            Ok(())
        })
        .await
    }

    /// Waits until so many clusters are lost.
    ///
    /// # Errors
    /// How many there were after five minutes.
    pub async fn has_missed(&self, clusters: usize) -> Result<()> {
        self.look("the lost agents are missed", || async {
            let page = self.ask("GET", "/api/v1/clusters?limit=1&state=Lost", &Value::Null).await?;
            ensure!(page["total"] == clusters, "{} of {clusters}", page["total"]);
            Ok(())
        })
        .await
    }

    async fn look<F: Future<Output = Result<()>>>(&self, what: &str, is_so: impl Fn() -> F) -> Result<()> {
        eventually(what, PATIENCE, || async {
            tokio::time::sleep(LOOK_EVERY).await;
            is_so().await
        })
        .await
    }

    async fn imported(&self) -> Result<Vec<Value>> {
        let (mut rows, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/clusters?kind=imported&fields=id,state,lastSeen&limit={PAGE}{after}");
            let mut page = self.ask("GET", &path, &Value::Null).await?;
            rows.append(page["items"].as_array_mut().context("no list")?);
            let Some(next) = page["next"].as_str() else { return Ok(rows) };
            after = format!("&after={next}");
        }
    }
}
