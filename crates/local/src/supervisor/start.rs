//! The start of the cluster, in steps that are shown to the user.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{try_join, try_join_all};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::ListParams;
use kube::{Api, Client};
use launcher::{Distribution, Probe, wait_until_ready};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::board::Board;
use super::component::Component;
use super::components::Catalog;
use super::{Running, files};
use crate::controllers::{LoadBalancer, Storage, objects};
use crate::host::{cgroups, limits, namespaces, network};
use crate::{Error, Layout, Record, images};

/// Each wait is for something that takes 3 to 15 s on an idle machine with two cores.
const PATIENCE: Duration = Duration::from_mins(3);
const INTERVAL: Duration = Duration::from_millis(100);

pub(crate) async fn start(
    layout: &Layout,
    record: &Record,
    board: &Arc<Board>,
    running: &mut Running,
) -> Result<(), Error> {
    board.step("set up networks, mounts and cgroups", async { prepare_machine(layout, record) }).await?;
    let now = board.now();
    board.step("write certificates and configuration", async { files::write(layout, record, now) }).await?;
    let catalog = Catalog::new(layout, record)?;
    for component in catalog.control_plane() {
        running.keep(component, board);
    }
    let mut loads = Vec::new();
    for node in 0..record.nodes {
        let (done, images) = watch::channel(false);
        for component in catalog.node(node, images) {
            running.keep(component, board);
        }
        loads.push(load_images(layout, record, board, node, done));
    }
    try_join(try_join_all(loads), serve(layout, record, board, running)).await?;
    Ok(())
}

impl Running {
    fn keep(&mut self, component: Component, board: &Arc<Board>) {
        let end = CancellationToken::new();
        let stage = component.stage;
        let task = tokio::spawn(component.keep_running(Arc::clone(board), end.clone()));
        self.components.push((stage, end, task));
    }
}

fn prepare_machine(layout: &Layout, record: &Record) -> Result<(), Error> {
    namespaces::remember_network_namespaces()?;
    limits::raise()?;
    network::create(layout.name(), record.addresses, record.nodes)?;
    namespaces::create_directory(layout)?;
    for node in 0..record.nodes {
        namespaces::create(layout, node)?;
        cgroups::create(layout.name(), node)?;
    }
    Ok(())
}

async fn load_images(
    layout: &Layout,
    record: &Record,
    board: &Board,
    node: u8,
    done: watch::Sender<bool>,
) -> Result<(), Error> {
    let name = layout.name().node(node);
    let containerd = Probe::Unix(layout.containerd_socket(node));
    board.step(&format!("start containerd on {name}"), wait(&containerd, "containerd")).await?;
    let distribution = Distribution::find(Some(&record.distribution))?;
    let layout = layout.clone();
    let load = move || {
        // Nobody listens any more if the kubelet's task has ended, which is then no concern here.
        let essentials_loaded = || _ = done.send(true);
        images::load_missing(&layout, &distribution, node, essentials_loaded)
    };
    let load = async {
        tokio::task::spawn_blocking(load).await.unwrap_or_else(|error| {
            Err(Error::Command { command: "load images".to_owned(), output: error.to_string() })
        })
    };
    let loaded = board.step(&format!("load images into {name}"), load).await?;
    tracing::info!(?loaded, node, "images are loaded");
    Ok(())
}

async fn serve(layout: &Layout, record: &Record, board: &Board, running: &mut Running) -> Result<(), Error> {
    let start = board.now();
    let api_server = Probe::ApiServer(layout.admin_kubeconfig());
    board.step("start etcd and the API server", wait(&api_server, "the API server")).await?;
    let client = crate::cluster::client(&layout.admin_kubeconfig()).await?;
    let name_server = Distribution::find(Some(&record.distribution))?.tool("coredns").is_ok();
    board
        .step("apply roles, storage class and name server", objects::apply(&client, record, name_server))
        .await?;
    start_controllers(layout, record, &client, running);
    let since = Since(start);
    board.step("wait for the nodes", since.nodes_are_ready(&client, record.nodes)).await?;
    if name_server {
        board.step("wait for the name server", since.name_server_runs(&client)).await?;
    }
    Ok(())
}

fn start_controllers(layout: &Layout, record: &Record, client: &Client, running: &mut Running) {
    let load_balancer = LoadBalancer::new(client.clone(), record.addresses.load_balancers());
    let storage = Storage::new(client.clone(), layout.clone());
    let end = running.controllers_end.clone();
    let end_too = end.clone();
    running.controllers.spawn(async move {
        Box::pin(end.run_until_cancelled(load_balancer.run())).await;
    });
    running.controllers.spawn(async move {
        Box::pin(end_too.run_until_cancelled(storage.run())).await;
    });
}

async fn wait(probe: &Probe, what: &str) -> Result<(), Error> {
    wait_until_ready(probe, PATIENCE).await.map_err(|last| timeout(what, last))
}

fn timeout(what: &str, last: String) -> Error {
    Error::Timeout { what: format!("the start of {what}"), seconds: PATIENCE.as_secs(), last }
}

/// Repeats a check until it succeeds; its error says what is missing.
async fn until<F: Future<Output = Result<(), String>>>(
    what: &str,
    check: impl Fn() -> F,
) -> Result<(), Error> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match check().await {
            Ok(()) => return Ok(()),
            Err(last) if Instant::now() >= deadline => return Err(timeout(what, last)),
            Err(_) => tokio::time::sleep(INTERVAL).await,
        }
    }
}

/// Waits for what was reported since a moment: a cluster that starts again still holds the reports of
/// its last run.
struct Since(Timestamp);

impl Since {
    async fn nodes_are_ready(&self, client: &Client, expected: u8) -> Result<(), Error> {
        let nodes: Api<Node> = Api::all(client.clone());
        until("the nodes", || async {
            let list = nodes.list(&ListParams::default()).await.map_err(|error| error.to_string())?;
            let ready = list.items.iter().filter(|node| self.is_ready(node)).count();
            let enough = ready >= usize::from(expected);
            if enough { Ok(()) } else { Err(format!("{ready} of {expected} are ready")) }
        })
        .await
    }

    fn is_ready(&self, node: &Node) -> bool {
        let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
        conditions.into_iter().any(|condition| {
            condition.type_ == "Ready"
                && condition.status == "True"
                && condition.last_heartbeat_time.as_ref().is_some_and(|at| self.covers(at))
        })
    }

    async fn name_server_runs(&self, client: &Client) -> Result<(), Error> {
        let pods: Api<Pod> = Api::namespaced(client.clone(), "kube-system");
        let selected = ListParams::default().labels("k8s-app=kube-dns");
        until("the name server", || async {
            let list = pods.list(&selected).await.map_err(|error| error.to_string())?;
            let runs = list.items.iter().any(|pod| self.runs(pod));
            if runs { Ok(()) } else { Err("it has no pod that is ready".to_owned()) }
        })
        .await
    }

    fn runs(&self, pod: &Pod) -> bool {
        let containers = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
        containers.into_iter().any(|container| {
            let running = container.state.as_ref().and_then(|state| state.running.as_ref());
            let started = running.and_then(|running| running.started_at.as_ref());
            container.ready && started.is_some_and(|at| self.covers(at))
        })
    }

    /// Kubernetes cuts these times to whole seconds.
    fn covers(&self, at: &Time) -> bool {
        at.0.as_second() >= self.0.as_second()
    }
}
