//! What is known of the cluster at the moment, kept current by watching it.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::core::v1::Node as Object;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client, ResourceExt};
use kubekit::WatchBackoff;
use tokio::sync::watch;
use uplink::{ApiServer, Node, Status};

use crate::nodes::{self, Metrics, Usage};

/// How often the API server is asked whether it is there, and at the same time for its version.
const PROBE: Duration = Duration::from_secs(10);
/// It is away if it takes longer.
const PROBE_PATIENCE: Duration = Duration::from_secs(8);
/// How often usage is asked for; it is measured about as often.
const MEASURE: Duration = Duration::from_mins(1);
const METRICS: &str = "/apis/metrics.k8s.io/v1beta1/nodes";
/// Nodes that are read at once: with all that Kubernetes says of them they are large.
const PAGE: u32 = 100;
const LONGEST_REASON: usize = 300;

/// What is known. Cheap to wait for.
#[derive(Debug, Default)]
pub(crate) struct Known {
    nodes: BTreeMap<String, Node>,
    are_nodes_listed: bool,
    usage: Option<Usage>,
    version: Option<String>,
    api_server: ApiServer,
}

impl Known {
    /// Whether there is something to tell: what the API server has, or why it cannot be asked.
    pub(crate) fn is_telling(&self) -> bool {
        self.api_server.reason.is_some() || (self.api_server.reachable && self.are_nodes_listed)
    }

    pub(crate) fn status(&self) -> Status {
        nodes::status(&self.nodes, self.usage.as_ref(), self.version.clone(), self.api_server.clone())
    }
}

/// Keeps the board current, for ever.
pub(crate) async fn keep(client: Client, board: &watch::Sender<Known>) {
    tokio::join!(watch_nodes(client.clone(), board), probe(&client, board), measure(&client, board));
}

async fn watch_nodes(client: Client, board: &watch::Sender<Known>) {
    let config = watcher::Config::default().page_size(PAGE);
    let watching = watcher::watcher(Api::<Object>::all(client), config);
    let mut events = pin!(watching.backoff(WatchBackoff::default()));
    let mut listed = BTreeMap::new();
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => listed.clear(),
            Ok(Event::InitApply(object)) => {
                listed.insert(object.name_any(), nodes::node(&object));
            }
            Ok(Event::InitDone) => {
                let listed = std::mem::take(&mut listed);
                board.send_if_modified(|known| {
                    let is_first = put(&mut known.are_nodes_listed, true);
                    put(&mut known.nodes, listed) || is_first
                });
            }
            Ok(Event::Apply(object)) => {
                let (name, node) = (object.name_any(), nodes::node(&object));
                board
                    .send_if_modified(|known| known.nodes.insert(name, node.clone()).as_ref() != Some(&node));
            }
            Ok(Event::Delete(object)) => {
                board.send_if_modified(|known| known.nodes.remove(&object.name_any()).is_some());
            }
            // The probe tells whether the API server is away.
            Err(error) => tracing::debug!(%error, "the watch of nodes broke off"),
        }
    }
}

async fn probe(client: &Client, board: &watch::Sender<Known>) {
    loop {
        let answer = tokio::time::timeout(PROBE_PATIENCE, client.apiserver_version()).await;
        let (version, api_server) = match answer {
            Ok(Ok(info)) => (Some(info.git_version), ApiServer { reachable: true, reason: None }),
            Ok(Err(error)) => (None, away(&error.to_string())),
            Err(_) => (None, away("it does not answer")),
        };
        board.send_if_modified(|known| {
            let is_new = version.is_some_and(|version| put(&mut known.version, Some(version)));
            put(&mut known.api_server, api_server) || is_new
        });
        tokio::time::sleep(PROBE).await;
    }
}

fn away(reason: &str) -> ApiServer {
    ApiServer { reachable: false, reason: Some(reason.chars().take(LONGEST_REASON).collect()) }
}

async fn measure(client: &Client, board: &watch::Sender<Known>) {
    loop {
        let usage = match http::Request::get(METRICS).body(Vec::new()) {
            Ok(request) => client.request::<Metrics>(request).await.ok().map(|metrics| metrics.usage()),
            Err(_) => None,
        };
        board.send_if_modified(|known| put(&mut known.usage, usage));
        tokio::time::sleep(MEASURE).await;
    }
}

/// Whether the new value is another one: kubelets write into their nodes all the time, and nobody is woken for that.
fn put<T: PartialEq>(place: &mut T, value: T) -> bool {
    let is_new = *place != value;
    *place = value;
    is_new
}
