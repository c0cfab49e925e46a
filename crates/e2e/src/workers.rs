//! Workers of the stories: machines behind a router that lets nothing in, joined by the node script.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use launcher::Distribution;
use local::{Layout, Record};
use machines::{Machine, Mirror, Site, Told};
use serde_json::Value;

use crate::{Cluster, eventually};

/// How long a worker may take until it is Ready.
const PATIENCE: Duration = Duration::from_mins(2);

/// Images that workers need of a tenant's addons, and those that stories run.
const IMAGES: [&str; 7] = [
    "registry.k8s.io/pause:3.10.2",
    "registry.k8s.io/kube-proxy:v1.36.3",
    "registry.k8s.io/coredns/coredns:v1.14.2",
    "registry.k8s.io/kas-network-proxy/proxy-agent:v0.36.0",
    "registry.k8s.io/metrics-server/metrics-server:v0.9.0",
    "registry.k8s.io/e2e-test-images/agnhost:2.63.0",
    "docker.io/rancher/kine:v0.17.5",
];
/// The same of the version before.
const OLDER_IMAGES: [&str; 4] = [
    "registry.k8s.io/pause:3.10.1",
    "registry.k8s.io/kube-proxy:v1.35.4",
    "registry.k8s.io/coredns/coredns:v1.13.1",
    "registry.k8s.io/kas-network-proxy/proxy-agent:v0.35.0",
];

/// A place with machines, and a mirror of programs that they reach.
pub struct Workers {
    cluster: Cluster,
    site: Site,
    mirror: Mirror,
}

impl Workers {
    /// Makes the place; what stood there is ended.
    pub async fn create(cluster: &Cluster, number: u8) -> Result<Self> {
        Site::create(&layout(cluster)?, number)?;
        Self::open(cluster, number).await
    }

    /// The place, made before.
    pub async fn open(cluster: &Cluster, number: u8) -> Result<Self> {
        let record = record(cluster)?;
        let address = SocketAddr::new(IpAddr::V4(record.addresses.bridge()), 0);
        let directory = cluster.directory().join("mirror");
        let mirror = Mirror::serve(&record.distribution.join("kubernetes"), &directory, address).await?;
        Ok(Self { cluster: cluster.clone(), site: Site::open(&layout(cluster)?, number)?, mirror })
    }

    /// Starts machine `index`, with the images that stories use.
    pub fn start(&self, index: u8, hostname: &str) -> Result<Machine> {
        let machine = self.site.start(index, hostname)?;
        machine.run(&["systemctl", "enable", "--now", "containerd"])?.success()?;
        machine.load_images(&IMAGES)?;
        Ok(machine)
    }

    /// The same, with the images of the version before too.
    pub fn start_with_older_images(&self, index: u8, hostname: &str) -> Result<Machine> {
        let machine = self.start(index, hostname)?;
        machine.load_images(&OLDER_IMAGES)?;
        Ok(machine)
    }

    /// Machine `index`, started before.
    #[must_use]
    pub fn machine(&self, index: u8, hostname: &str) -> Machine {
        self.site.machine(index, hostname)
    }

    /// Runs the node script on a machine.
    pub fn run_script(&self, machine: &Machine, script: &str, settings: &[(&str, &str)]) -> Result<Told> {
        let mirror = format!("FLOTILLA_MIRROR={}", self.mirror.url());
        // The machines have control groups of version 1, of which kubeadm only warns from 1.35 on if it is told to.
        let mut command = vec!["env", &mirror, "FLOTILLA_IGNORE=SystemVerification"];
        let settings: Vec<String> = settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        command.extend(settings.iter().map(String::as_str));
        command.push("sh");
        machine.run_with_input(&command, script)
    }

    /// Joins machines to a tenant, connects their pods and waits until all are Ready.
    pub async fn join(&self, kubeconfig: &Path, script: &str, joining: &[&Machine]) -> Result<()> {
        for machine in joining {
            self.run_script(machine, script, &[])?.success()?;
        }
        self.connect_pods(kubeconfig, joining).await?;
        for machine in joining {
            self.ready(kubeconfig, machine.hostname(), "True").await?;
        }
        Ok(())
    }

    /// Gives the pods of machines the addresses that the tenant assigned.
    pub async fn connect_pods(&self, kubeconfig: &Path, machines: &[&Machine]) -> Result<()> {
        let mut ranges = Vec::new();
        for machine in machines {
            let range = eventually("the node has a range of addresses", PATIENCE, || async {
                let node = self.node(kubeconfig, machine.hostname())?;
                node["spec"]["podCIDR"].as_str().map(str::to_owned).context("none yet")
            })
            .await?;
            ranges.push((*machine, range));
        }
        for (machine, range) in &ranges {
            let others: Vec<_> =
                ranges.iter().filter(|(other, _)| other.hostname() != machine.hostname()).cloned().collect();
            machine.connect_pods(range, &others)?;
        }
        Ok(())
    }

    /// Waits until a node's condition Ready has a status.
    pub async fn ready(&self, kubeconfig: &Path, node: &str, status: &str) -> Result<()> {
        eventually(&format!("{node} Ready={status}"), PATIENCE, || async {
            let found = self.node(kubeconfig, node)?;
            let conditions = found["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let ready = conditions.iter().find(|condition| condition["type"] == "Ready");
            ensure!(ready.is_some_and(|ready| ready["status"] == status), "{ready:?}");
            Ok(())
        })
        .await
    }

    fn node(&self, kubeconfig: &Path, name: &str) -> Result<Value> {
        let text = self.cluster.kubectl(kubeconfig, &["get", "node", name, "-o", "json"])?.success()?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Ends everything.
    pub fn close(self) -> Result<()> {
        self.site.remove()
    }
}

/// A program among the tools of the distribution.
pub fn tool(cluster: &Cluster, name: &str) -> Result<PathBuf> {
    Ok(Distribution::find(Some(&record(cluster)?.distribution))?.tool(name)?)
}

fn record(cluster: &Cluster) -> Result<Record> {
    Record::read(&layout(cluster)?)?.context("the cluster does not run")
}

fn layout(cluster: &Cluster) -> Result<Layout> {
    Ok(Layout::new(cluster.name().parse()?, cluster.directory()))
}
