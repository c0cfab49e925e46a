//! A user at work on a control plane: kubectl again and again, writes, and one watch that never ends.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use base::{Clock as _, SystemClock};
use futures::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, ListParams, PostParams, WatchEvent, WatchParams};
use kube::{Client, ResourceExt};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::{Cluster, load};

/// Between two writes.
const WRITE_EVERY: Duration = Duration::from_millis(200);
/// Between two runs of kubectl, each with a connection of its own.
const KUBECTL_EVERY: Duration = Duration::from_secs(1);
/// Marks what the session writes.
const LABEL: &str = "session=open";

/// Work that goes on until it is ended.
pub struct Session {
    stop_work: watch::Sender<bool>,
    stop_watch: watch::Sender<bool>,
    report: Arc<Mutex<Report>>,
    work: Vec<JoinHandle<()>>,
    watch: JoinHandle<()>,
    client: Client,
}

/// What happened in a session.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Runs of kubectl that succeeded.
    pub kubectl: usize,
    /// Names of the objects whose creation was acknowledged, in order.
    pub written: Vec<String>,
    /// Names of the objects that the watch told of, in order.
    pub watched: Vec<String>,
    /// How often the watch was opened.
    pub watches: usize,
    /// Requests that failed, with the reason.
    pub failures: Vec<String>,
}

impl Session {
    /// Begins to work with a kubeconfig.
    pub async fn open(cluster: &Cluster, kubeconfig: &Path) -> Result<Self> {
        let client = load::shared(&std::fs::read_to_string(kubeconfig)?).await?;
        let report = Arc::new(Mutex::new(Report::default()));
        let (stop_work, work_stopped) = watch::channel(false);
        let (stop_watch, watch_stopped) = watch::channel(false);
        let version = entries(&client).list(&of_session()).await?.metadata.resource_version;
        let from = version.context("a list without version")?;
        let watch = tokio::spawn(follow(client.clone(), from, report.clone(), watch_stopped));
        let work = vec![
            tokio::spawn(write(client.clone(), report.clone(), work_stopped.clone())),
            tokio::spawn(call_kubectl(cluster.clone(), kubeconfig.to_owned(), report.clone(), work_stopped)),
        ];
        Ok(Self { stop_work, stop_watch, report, work, watch, client })
    }

    /// What happened so far.
    #[must_use]
    pub fn report(&self) -> Report {
        lock(&self.report).clone()
    }

    /// Ends the work and waits until the watch has told of the last write.
    pub async fn close(self) -> Result<Report> {
        self.stop_work.send_replace(true);
        for task in self.work {
            task.await?;
        }
        let marker = json!({"metadata": {"name": "the-end", "labels": {"session": "open"}}});
        entries(&self.client).create(&PostParams::default(), &serde_json::from_value(marker)?).await?;
        crate::eventually("the watch tells of the last write", Duration::from_secs(30), || async {
            let last = lock(&self.report).watched.last().cloned().unwrap_or_default();
            anyhow::ensure!(last == "the-end", "the last was {last}");
            Ok(())
        })
        .await?;
        self.stop_watch.send_replace(true);
        self.watch.await?;
        let mut report = lock(&self.report).clone();
        report.watched.retain(|name| name != "the-end");
        Ok(report)
    }
}

async fn write(client: Client, report: Arc<Mutex<Report>>, mut stopped: watch::Receiver<bool>) {
    let api = entries(&client);
    let mut count = 0;
    while goes_on(&mut stopped, WRITE_EVERY).await {
        count += 1;
        let name = format!("entry-{count:05}");
        let body = json!({"metadata": {"name": name, "labels": {"session": "open"}}});
        let Ok(object) = serde_json::from_value(body) else { return };
        let parameters = PostParams::default();
        match load::heeded(&[429, 503], || api.create(&parameters, &object)).await {
            Ok(_) => lock(&report).written.push(name),
            Err(error) => fail(&report, "write", &error),
        }
    }
}

/// Goes on from where the last watch ended, as every controller does, and never lists again.
async fn follow(
    client: Client,
    mut from: String,
    report: Arc<Mutex<Report>>,
    mut stopped: watch::Receiver<bool>,
) {
    let api = entries(&client);
    let selection = WatchParams::default().labels(LABEL);
    while !*stopped.borrow() {
        let stream = match api.watch(&selection, &from).await {
            Ok(stream) => stream,
            Err(error) => {
                fail(&report, "watch", &error);
                goes_on(&mut stopped, WRITE_EVERY).await;
                continue;
            }
        };
        lock(&report).watches += 1;
        let mut stream = std::pin::pin!(stream);
        loop {
            let event = tokio::select! {
                event = stream.next() => event,
                _ = stopped.wait_for(|is_over| *is_over) => return,
            };
            match event {
                Some(Ok(WatchEvent::Added(object))) => {
                    from = object.resource_version().unwrap_or(from);
                    lock(&report).watched.push(object.name_any());
                }
                Some(Ok(WatchEvent::Error(status))) => {
                    fail(&report, "watch", &anyhow::anyhow!("{}", status.message));
                    break;
                }
                Some(Ok(_)) => {}
                // The server ended the watch, as it does when it shuts down in good order.
                Some(Err(_)) | None => break,
            }
        }
    }
}

async fn call_kubectl(
    cluster: Cluster,
    kubeconfig: PathBuf,
    report: Arc<Mutex<Report>>,
    mut stopped: watch::Receiver<bool>,
) {
    while goes_on(&mut stopped, KUBECTL_EVERY).await {
        let (cluster, kubeconfig) = (cluster.clone(), kubeconfig.clone());
        let told = tokio::task::spawn_blocking(move || {
            cluster.kubectl(&kubeconfig, &["get", "namespace", "default", "-o", "name"])?.success()
        });
        match told.await {
            Ok(Ok(_)) => lock(&report).kubectl += 1,
            Ok(Err(error)) => fail(&report, "kubectl", &error),
            Err(error) => fail(&report, "kubectl", &error),
        }
    }
}

/// Waits for the next turn; false when the session ends.
async fn goes_on(stopped: &mut watch::Receiver<bool>, pause: Duration) -> bool {
    tokio::time::timeout(pause, stopped.wait_for(|is_over| *is_over)).await.is_err()
}

fn entries(client: &Client) -> Api<ConfigMap> {
    Api::namespaced(client.clone(), "default")
}

fn of_session() -> ListParams {
    ListParams::default().labels(LABEL)
}

fn fail(report: &Mutex<Report>, what: &str, error: &dyn std::fmt::Display) {
    lock(report).failures.push(format!("{} {what}: {error:#}", SystemClock.now()));
}

fn lock(report: &Mutex<Report>) -> std::sync::MutexGuard<'_, Report> {
    report.lock().unwrap_or_else(PoisonError::into_inner)
}
