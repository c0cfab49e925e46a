//! Constant requests to a control plane, or through it to a worker: half of them share a connection, the others
//! have one each.

use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use base::{Clock as _, SystemClock};
use http::Request;
use k8s_openapi::api::core::v1::Namespace;
use kube::Client;
use kube::api::Api;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// Longest wait for an answer: what takes longer has failed.
const LIMIT: Duration = Duration::from_secs(20);

/// Whom requests go to.
struct Target {
    kubeconfig: String,
    /// What is asked for, if not for a namespace.
    path: Option<String>,
}

/// Requests that go on until they are stopped.
pub struct Load {
    stop: watch::Sender<bool>,
    outcome: Arc<Mutex<Outcome>>,
    task: JoinHandle<()>,
}

/// What came of the requests.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// How many were answered.
    pub answered: usize,
    /// The others, each with its reason.
    pub failures: Vec<String>,
}

impl Load {
    /// Begins with `per_second` requests as the user of a kubeconfig.
    pub async fn start(kubeconfig: &Path, per_second: u32) -> Result<Self> {
        Self::begin(kubeconfig, per_second, None).await
    }

    /// Begins with `per_second` requests to the kubelet of a worker.
    pub async fn start_to_worker(kubeconfig: &Path, per_second: u32, node: &str) -> Result<Self> {
        Self::begin(kubeconfig, per_second, Some(format!("/api/v1/nodes/{node}/proxy/healthz"))).await
    }

    async fn begin(kubeconfig: &Path, per_second: u32, path: Option<String>) -> Result<Self> {
        let kubeconfig = std::fs::read_to_string(kubeconfig)?;
        let kept = shared(&kubeconfig).await?;
        let outcome = Arc::new(Mutex::new(Outcome::default()));
        let (stop, stopped) = watch::channel(false);
        let pause = Duration::from_secs(1) / per_second.max(1);
        let target = Arc::new(Target { kubeconfig, path });
        let task = tokio::spawn(run(kept, target, pause, outcome.clone(), stopped));
        Ok(Self { stop, outcome, task })
    }

    /// What came of the requests so far.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends and waits for the last answers.
    pub async fn stop(self) -> Result<Outcome> {
        self.stop.send_replace(true);
        self.task.await?;
        let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(outcome)
    }
}

/// A client that keeps one HTTP/2 connection, as kubectl and all controllers do: a server that ends tells
/// it in good order. On HTTP/1.1 a request can cross the end of its connection, and has to be made again.
pub async fn shared(kubeconfig: &str) -> Result<Client> {
    let url = pki::KubeconfigContents::read(kubeconfig)?.server;
    let host = url.trim_start_matches("https://").rsplit_once(':').map_or("", |(host, _)| host);
    let endpoint = kubekit::Endpoint { server_name: host.to_owned(), url: url.clone() };
    Ok(kubekit::shared_client_for_kubeconfig(kubeconfig, &endpoint, "e2e").await?)
}

/// A client with a connection of its own, which may take its time on a busy machine.
async fn single(kubeconfig: &str) -> Result<Client> {
    let read = Kubeconfig::from_yaml(kubeconfig)?;
    let mut config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await?;
    config.connect_timeout = Some(LIMIT);
    config.read_timeout = Some(LIMIT);
    Ok(Client::try_from(config)?)
}

async fn run(
    kept: Client,
    target: Arc<Target>,
    pause: Duration,
    outcome: Arc<Mutex<Outcome>>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut clock = tokio::time::interval(pause);
    let mut requests = JoinSet::new();
    for count in 0_u64.. {
        tokio::select! {
            _ = clock.tick() => {}
            _ = stopped.wait_for(|is_over| *is_over) => break,
        }
        let reused = count.is_multiple_of(2).then(|| kept.clone());
        let (target, outcome) = (target.clone(), outcome.clone());
        requests.spawn(async move {
            let kind = if reused.is_some() { "kept" } else { "new" };
            let answer = tokio::time::timeout(LIMIT, request(reused, &target)).await;
            let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
            let now = SystemClock.now();
            match answer {
                Ok(Ok(())) => outcome.answered += 1,
                Ok(Err(error)) => outcome.failures.push(format!("{now} on a {kind} connection: {error:#}")),
                Err(_) => outcome.failures.push(format!("{now} on a {kind} connection: no answer")),
            }
        });
        while requests.try_join_next().is_some() {}
    }
    requests.join_all().await;
}

async fn request(reused: Option<Client>, target: &Target) -> Result<()> {
    let client = match reused {
        Some(client) => client,
        None => single(&target.kubeconfig).await?,
    };
    match &target.path {
        None => {
            let namespaces = Api::<Namespace>::all(client);
            heeded(&[429, 503], || namespaces.get("kube-system")).await?;
        }
        // The answer 503 says here that the worker is not reached.
        Some(path) => {
            heeded(&[429], || async {
                let request = Request::get(path).body(Vec::new()).map_err(kube::Error::HttpError)?;
                client.request_text(request).await
            })
            .await?;
        }
    }
    Ok(())
}

/// Asks again where a server that ends says to, by one of these codes or by the end of the connection in good order,
/// as kubectl and all controllers do: it has done nothing yet.
pub(crate) async fn heeded<T, F>(codes: &[u16], mut ask: impl FnMut() -> F) -> Result<T, kube::Error>
where
    F: Future<Output = Result<T, kube::Error>>,
{
    loop {
        match ask().await {
            Err(kube::Error::Api(status)) if codes.contains(&status.code) => {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(error) if was_left_undone(&error) => {}
            answer => return answer,
        }
    }
}

/// Whether a request crossed the word of its server that the connection ends (`GOAWAY`): HTTP/2 says that those after
/// the last one it named were not looked at (RFC 9113, 6.8).
fn was_left_undone(error: &kube::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            return error.is_go_away() && error.is_remote() && error.reason() == Some(h2::Reason::NO_ERROR);
        }
        cause = error.source();
    }
    false
}
