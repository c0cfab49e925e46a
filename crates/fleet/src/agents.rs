//! Agents of one process, and the files that each would find in its pod.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use agent::Settings;
use anyhow::{Context, Result};
use futures::future::join_all;
use launcher::{CommandSpec, Process};

use crate::{Clusters, Hub};

/// Between the starts of two agents: nobody imports a thousand clusters in one second.
const BETWEEN: Duration = Duration::from_millis(25);

/// Where agents are: what all of them share.
#[derive(Debug, Clone)]
pub struct Site {
    /// Files of all agents.
    pub directory: PathBuf,
    /// URL of the hub.
    pub hub: String,
    /// Port of the API servers.
    pub api_server_port: u16,
}

/// What an agent is installed with.
#[derive(Debug, Clone, Copy)]
pub struct Import<'a> {
    /// The import token.
    pub token: &'a str,
    /// Certificate of the hub's authority, PEM.
    pub hub_authority: &'a str,
    /// Certificate of the clusters' authority, PEM.
    pub cluster_authority: &'a str,
}

impl Site {
    /// A place for agents of these clusters at a hub.
    #[must_use]
    pub fn new(directory: &Path, hub: &Hub, clusters: &Clusters) -> Self {
        Self { directory: directory.to_owned(), hub: hub.url().to_owned(), api_server_port: clusters.port() }
    }

    /// Writes what the pod of an agent would have.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn install(&self, number: usize, import: Import<'_>) -> Result<()> {
        let directory = self.of(number);
        let write = |name: &str, text: &str| {
            let path = directory.join(name);
            fs::write(&path, text).with_context(|| format!("write {}", path.display()))
        };
        fs::create_dir_all(directory.join("account")).context("make the directory of an agent")?;
        write("hub.crt", import.hub_authority)?;
        write("import", import.token)?;
        write("account/ca.crt", import.cluster_authority)?;
        write("account/token", &number.to_string())
    }

    /// Runs `flotilla-fleet`, the program at this path, with the agents of some numbers.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(&self, program: &Path, first: usize, count: usize) -> Result<Process> {
        let log = self.directory.join(format!("agents-{first}.log"));
        let spec = CommandSpec::new("flotilla-fleet", program, log).args([
            format!("--hub={}", self.hub),
            format!("--directory={}", self.directory.display()),
            format!("--api-server-port={}", self.api_server_port),
            format!("--first={first}"),
            format!("--count={count}"),
        ]);
        Ok(Process::spawn(&spec)?)
    }

    fn of(&self, number: usize) -> PathBuf {
        self.directory.join(number.to_string())
    }

    fn settings(&self, directory: &Path) -> Settings {
        Settings {
            hub: self.hub.clone(),
            ca_file: directory.join("hub.crt"),
            token_file: directory.join("import"),
            namespace: uplink::NAMESPACE.to_owned(),
            api_server_host: Ipv4Addr::LOCALHOST.to_string(),
            api_server_port: self.api_server_port,
            service_account: directory.join("account"),
            health_probe_bind_address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            grace_seconds: 0,
            log: String::new(),
            log_json: false,
        }
    }
}

/// Runs the agents of these numbers until the process is told to stop; dropped, all are gone without a word.
pub async fn run(site: &Site, numbers: Range<usize>) {
    let agents = numbers.enumerate().map(|(place, number)| {
        let settings = site.settings(&site.of(number));
        let begins = BETWEEN * u32::try_from(place).unwrap_or(u32::MAX);
        // Each a task of its own, as each would be a process.
        let running = tokio::spawn(async move {
            tokio::time::sleep(begins).await;
            Box::pin(agent::run(settings)).await
        });
        let guard = Ending(running.abort_handle());
        async move {
            let _guard = guard;
            if let Ok(Err(error)) = running.await {
                tracing::error!(number, error = &error as &dyn std::error::Error, "an agent ended");
            }
        }
    });
    join_all(agents).await;
}

/// Ends a task with itself.
struct Ending(tokio::task::AbortHandle);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.abort();
    }
}
