//! What a backup and a restore take.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use api::{TenantBackup, TenantRestore};
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::api::{Api, PostParams};
use kube::core::NamespaceResourceScope;
use kube::{Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::figures::{Figure, Figures};

/// Longest time of a backup or a restore.
const PATIENCE: Duration = Duration::from_mins(5);
const POLL: Duration = Duration::from_millis(250);
/// The volume for archives.
const CLAIM: &str = "archives";

/// What is made once and says in its status how it went.
trait Task:
    Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + Serialize + DeserializeOwned
{
}

impl Task for TenantBackup {}
impl Task for TenantRestore {}

/// Backups of the bench's control planes, on a volume.
pub(crate) struct Archives {
    client: Client,
    namespace: String,
}

impl Archives {
    pub(crate) fn new(client: Client, namespace: &str) -> Self {
        Self { client, namespace: namespace.to_owned() }
    }

    /// Claims the volume.
    pub(crate) async fn make_room(&self) -> Result<()> {
        let claim = json!({"metadata": {"name": CLAIM}, "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
        }});
        let claims: Api<PersistentVolumeClaim> = self.objects();
        if claims.get_opt(CLAIM).await?.is_none() {
            claims
                .create(&PostParams::default(), &serde_json::from_value(claim)?)
                .await
                .context("claim a volume")?;
        }
        Ok(())
    }

    /// Backs a control plane up and restores it in place.
    pub(crate) async fn measure(&self, driver: &str, tenant: &str, figures: &mut Figures) -> Result<()> {
        let target = json!({"persistentVolumeClaim": {"claimName": CLAIM}});
        let spec = json!({"tenantControlPlane": tenant, "target": target});
        let began = Instant::now();
        self.create::<TenantBackup>(tenant, spec).await?;
        let status = self.ended::<TenantBackup>(tenant, began).await?;
        note("backup", driver, began, &status, figures)?;
        let began = Instant::now();
        self.create::<TenantRestore>(tenant, json!({"tenantControlPlane": tenant, "backup": tenant})).await?;
        let status = self.ended::<TenantRestore>(tenant, began).await?;
        note("restore", driver, began, &status, figures)
    }

    /// The status of what has ended, well or badly.
    async fn ended<K: Task>(&self, name: &str, began: Instant) -> Result<Value> {
        loop {
            let mut object = serde_json::to_value(self.objects::<K>().get(name).await?)?;
            if object["status"]["completedAt"].is_string() {
                return Ok(object["status"].take());
            }
            if began.elapsed() > PATIENCE {
                bail!("{} {name} took over {PATIENCE:?}: {}", K::kind(&()), object["status"]["conditions"]);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn create<K: Task>(&self, name: &str, spec: Value) -> Result<()> {
        let body = json!({
            "apiVersion": K::api_version(&()), "kind": K::kind(&()),
            "metadata": {"name": name}, "spec": spec,
        });
        let made = self.objects::<K>().create(&PostParams::default(), &serde_json::from_value(body)?).await;
        made.map(|_| ()).with_context(|| format!("create {} {name}", K::kind(&())))
    }

    fn objects<K: Resource<DynamicType = (), Scope = NamespaceResourceScope>>(&self) -> Api<K> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }
}

/// From the wish until it was done, and what the work itself took for each 10,000 objects.
fn note(what: &str, driver: &str, began: Instant, status: &Value, figures: &mut Figures) -> Result<()> {
    let whole = began.elapsed().as_secs_f64();
    let conditions = status["conditions"].as_array().into_iter().flatten();
    let completed = conditions.into_iter().find(|found| found["type"] == "Completed");
    ensure!(completed.is_some_and(|found| found["status"] == "True"), "{what} on {driver}: {completed:?}");
    let (milliseconds, objects) = (status["durationMilliseconds"].as_f64(), status["objects"].as_f64());
    let (Some(milliseconds), Some(objects)) = (milliseconds, objects.filter(|objects| *objects > 0.0)) else {
        bail!("{what} on {driver} does not say what it did: {status}");
    };
    eprintln!("{driver}: {what} of {objects} objects in {whole:.1} s, of them {milliseconds} ms at work");
    let each = milliseconds * 10_000.0 / objects;
    figures.insert(format!("store_{driver}_{what}_seconds"), Figure::new("seconds", [whole]));
    let per = format!("store_{driver}_{what}_milliseconds_per_10000_objects");
    figures.insert(per, Figure::new("milliseconds", [each]));
    Ok(())
}
