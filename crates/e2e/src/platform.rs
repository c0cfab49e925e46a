//! The platform's own release: changed as its administrator does it, by Helm.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use api::DataStore;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use kube::Client;
use kube::api::{Api, DeleteParams, ListParams};

use crate::{Cluster, Told, eventually};

/// Where the platform is installed, and under what name.
const NAMESPACE: &str = "flotilla-system";
const RELEASE: &str = "flotilla";
/// Name of its etcd.
const ETCD: &str = "flotilla-etcd";

/// The platform in a cluster.
pub struct Platform {
    cluster: Cluster,
    client: Client,
}

impl Platform {
    /// That of a cluster that is up.
    pub async fn of(cluster: &Cluster) -> Result<Self> {
        Ok(Self { cluster: cluster.clone(), client: cluster.client().await? })
    }

    /// Changes some values, such as `etcd.replicas=3`, and keeps the others.
    pub fn change(&self, values: &[&str]) -> Result<Told> {
        let helm = self.cluster.root().join("target/dist/tools/helm");
        let mut command = Command::new(&helm);
        command
            .args(["upgrade", RELEASE])
            .arg(self.cluster.root().join("charts/flotilla"))
            .args(["--namespace", NAMESPACE, "--reuse-values", "--kubeconfig"])
            .arg(self.cluster.kubeconfig());
        for value in values {
            command.args(["--set", value]);
        }
        command.output().map(Told::from).with_context(|| format!("run {}", helm.display()))
    }

    /// Waits until the etcd has so many members in order, with all pods on their newest settings.
    pub async fn etcd_is_whole(&self, members: i32, limit: Duration) -> Result<()> {
        let sets: Api<StatefulSet> = Api::namespaced(self.client.clone(), NAMESPACE);
        let message = format!("all {members} members answer");
        eventually("the etcd is whole", limit, || async {
            let set = sets.get(ETCD).await?;
            let (wanted, status) = (set.spec.unwrap_or_default(), set.status.unwrap_or_default());
            ensure!(wanted.replicas == Some(members), "{:?} wanted", wanted.replicas);
            ensure!(status.observed_generation == set.metadata.generation, "not looked at yet");
            ensure!(status.updated_replicas == Some(members), "{:?} updated", status.updated_replicas);
            ensure!(status.ready_replicas == Some(members), "{:?} ready", status.ready_replicas);
            let (holds, found) = self.members_healthy().await?;
            ensure!(holds == "True" && found == message, "{found}");
            Ok(())
        })
        .await
    }

    /// Status and message of the condition that the members are healthy.
    pub async fn members_healthy(&self) -> Result<(String, String)> {
        let stores: Api<DataStore> = Api::all(self.client.clone());
        let conditions = stores.get("default").await?.status.unwrap_or_default().conditions;
        let found = conditions.into_iter().find(|condition| condition.type_ == "MembersHealthy");
        let found = found.context("no condition MembersHealthy")?;
        Ok((found.status, found.message))
    }

    /// Kills a member of the etcd at once; another pod comes for it.
    pub async fn kill_member(&self, number: u32) -> Result<()> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), NAMESPACE);
        let now = DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() };
        pods.delete(&format!("{ETCD}-{number}"), &now).await?;
        Ok(())
    }

    /// Takes a member's disk and the member.
    pub async fn lose_disk(&self, number: u32) -> Result<()> {
        let claims: Api<PersistentVolumeClaim> = Api::namespaced(self.client.clone(), NAMESPACE);
        let name = format!("data-{ETCD}-{number}");
        let lost = claims.get(&name).await?.metadata.uid;
        claims.delete(&name, &DeleteParams::default()).await?;
        self.kill_member(number).await?;
        eventually("the disk is another one", Duration::from_mins(1), || async {
            match claims.get_opt(&name).await? {
                Some(claim) if claim.metadata.uid != lost => Ok(()),
                Some(_) => bail!("the old claim is still there"),
                None => bail!("no claim yet"),
            }
        })
        .await
    }

    /// Takes a snapshot of the etcd now; returns the name of its file.
    pub fn take_snapshot(&self, job: &str) -> Result<String> {
        self.kubectl(&["create", "job", "--from=cronjob/flotilla-etcd-snapshot", job])?;
        let name = format!("job/{job}");
        let ended = self.kubectl(&["wait", "--for=condition=complete", &name, "--timeout=120s"]);
        let log = self.kubectl(&["logs", &name])?;
        ended.with_context(|| log.clone())?;
        self.kubectl(&["delete", &name])?;
        let told = log.lines().find(|line| line.contains("the snapshot is there"));
        let (_, path) = told.and_then(|line| line.split_once("path=")).with_context(|| log.clone())?;
        let path = path.split_whitespace().next().unwrap_or_default();
        path.rsplit('/').next().map(str::to_owned).context("the snapshot has no name")
    }

    /// Ends all members and takes their disks.
    pub async fn lose_all_disks(&self, members: u32) -> Result<()> {
        self.kubectl(&["scale", "statefulset", ETCD, "--replicas=0"])?;
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), NAMESPACE);
        for number in 0..members {
            self.kubectl(&["delete", "pvc", &format!("data-{ETCD}-{number}"), "--wait=false"])?;
        }
        let selection = ListParams::default().labels("app.kubernetes.io/component=etcd");
        eventually("the members have ended", Duration::from_mins(2), || async {
            let left = pods.list_metadata(&selection).await?.items.len();
            ensure!(left == 0, "{left} are left");
            Ok(())
        })
        .await
    }

    /// Follows the page about the etcd service from the second step of a restore on.
    pub fn restore_as_documented(&self, snapshot: &str) -> Result<()> {
        let page = self.cluster.root().join("docs/how-to/run-the-etcd-service.md");
        let text = std::fs::read_to_string(&page).with_context(|| format!("read {}", page.display()))?;
        let manifest = text.split_once("<<EOF\n").and_then(|(_, rest)| rest.split_once("   EOF\n"));
        let (manifest, _) = manifest.context("the page has no manifest")?;
        let lines = manifest.lines().map(|line| line.strip_prefix("   ").unwrap_or(line));
        let manifest = lines.collect::<Vec<_>>().join("\n").replace("SNAPSHOT", snapshot);
        let file = tempfile::NamedTempFile::new().context("make a file for the manifest")?;
        std::fs::write(file.path(), manifest).context("write the manifest")?;
        self.kubectl(&["apply", "-f", &file.path().to_string_lossy()])?;
        let until = "--for=jsonpath={.status.phase}=Succeeded";
        let restored = self.kubectl(&["wait", "pod/restore", until, "--timeout=120s"]);
        restored.with_context(|| self.kubectl(&["describe", "pod/restore"]).unwrap_or_default())?;
        self.kubectl(&["delete", "pod", "restore"])?;
        self.kubectl(&["scale", "statefulset", ETCD, "--replicas=3"])?;
        Ok(())
    }

    /// Waits for an event of the etcd with this reason.
    pub async fn told(&self, reason: &str, limit: Duration) -> Result<()> {
        let selector = format!("reason={reason},involvedObject.name={ETCD}");
        let arguments = ["get", "events", "-n", NAMESPACE, "--field-selector", &selector, "-o", "name"];
        eventually(&format!("an event {reason}"), limit, || async {
            let found = self.cluster.kubectl(&self.cluster.kubeconfig(), &arguments)?.success()?;
            ensure!(!found.trim().is_empty(), "none yet");
            Ok(())
        })
        .await
    }

    /// Runs kubectl as the platform's administrator, in its namespace.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        let mut all = vec!["-n", NAMESPACE];
        all.extend(arguments);
        self.cluster.kubectl(&self.cluster.kubeconfig(), &all)?.success()
    }
}
