//! What a tenant's people do with their clusters by themselves: schedules of sleep, clones, giving them away.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{Cluster, Hub, eventually};
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Secret};
use kube::ResourceExt;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};

/// How long a control plane may take until it serves on a busy machine.
const PATIENCE: Duration = Duration::from_mins(4);
const TENANT: &str = "tulip";
const PATH: &str = "/api/v1/clusters/tulip.prod";

/// A tenant whose owner has a cluster that serves.
struct Setting<'a> {
    cluster: &'a Cluster,
    hub: Hub,
    admin: String,
    tina: String,
}

impl<'a> Setting<'a> {
    async fn set(cluster: &'a Cluster) -> Result<Self> {
        let hub = Hub::find(cluster).await?;
        let admin = hub.admin(cluster).await?;
        let body = json!({ "name": TENANT, "spec": { "quota": { "clusters": 2 } } });
        hub.expect(&admin, 201, "POST", "/api/v1/tenants", Some(body)).await?;
        let tina = hub.member(&admin, "tina", "tenant-owner", TENANT).await?;
        let setting = Self { cluster, hub, admin, tina };
        let new = json!({ "name": "prod", "tenant": TENANT, "version": "v1.36.3", "replicas": 1 });
        eventually("the tenant has its namespace", PATIENCE, || async {
            setting.tina(201, "POST", "/api/v1/clusters", Some(new.clone())).await.map(drop)
        })
        .await?;
        setting.is(PATH, "Ready").await?;
        Ok(setting)
    }

    async fn tina(&self, status: u16, method: &str, path: &str, body: Option<Value>) -> Result<Value> {
        self.hub.expect(&self.tina, status, method, path, body).await
    }

    async fn is(&self, path: &str, state: &str) -> Result<()> {
        eventually(&format!("{path} is {state}"), PATIENCE, || async {
            let row = self.tina(200, "GET", path, None).await?;
            ensure!(row["state"] == state, "{row}");
            Ok(())
        })
        .await
    }

    fn inside(&self, id: &str) -> Result<Api<ConfigMap>> {
        Ok(Api::namespaced(self.hub.client(&format!("/k8s/clusters/{id}"), Some(&self.tina))?, "default"))
    }

    async fn beside<K>(&self) -> Result<Api<K>>
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        Ok(Api::namespaced(self.cluster.client().await?, TENANT))
    }

    async fn clear_away(&self) -> Result<()> {
        let listed = self.tina(200, "GET", "/api/v1/clusters", None).await?;
        for row in listed["items"].as_array().into_iter().flatten() {
            let path = format!("/api/v1/clusters/{}", row["id"].as_str().unwrap_or_default());
            self.tina(204, "DELETE", &path, None).await?;
        }
        self.hub.expect(&self.admin, 204, "DELETE", "/api/v1/users/tina", None).await?;
        self.hub.expect(&self.admin, 204, "DELETE", "/api/v1/grants/tina", None).await?;
        let path = format!("/api/v1/tenants/{TENANT}");
        eventually("the tenant is empty and deleted", PATIENCE, || async {
            self.hub.expect(&self.admin, 204, "DELETE", &path, None).await.map(drop)
        })
        .await?;
        // The next story makes one of the same name.
        eventually("the tenant is gone", PATIENCE, || async {
            self.hub.expect(&self.admin, 404, "GET", &path, None).await.map(drop)
        })
        .await
    }
}

pub(crate) async fn a_cluster_sleeps_and_wakes_by_its_schedule(cluster: &Cluster) -> Result<()> {
    let setting = Setting::set(cluster).await?;
    let schedule = |schedule: Value| Some(json!({ "sleepSchedule": schedule }));
    let never = schedule(json!({ "sleep": "0 0 31 6 *" }));
    let refused = setting.hub.ask(Some(&setting.tina), "PATCH", PATH, never).await?;
    let detail = refused.body["detail"].as_str().unwrap_or_default();
    ensure!(refused.status == 422 && detail.contains("names no time that comes"), "{}", refused.body);

    set_schedule(&setting, json!({ "sleep": "* * * * *", "timeZone": "Europe/Berlin" })).await?;
    setting.is(PATH, "Sleeping").await?;
    let row = setting.tina(200, "GET", PATH, None).await?;
    ensure!(row["nextSleep"].is_string() && row["nextWake"].is_null(), "{row}");
    set_schedule(&setting, json!({ "wake": "* * * * *" })).await?;
    setting.is(PATH, "Ready").await?;
    let row = setting.tina(200, "GET", PATH, None).await?;
    ensure!(row["replicas"] == 1, "as many pods as before: {row}");
    set_schedule(&setting, Value::Null).await?;
    setting.clear_away().await
}

/// Written over what was read only, so that it may take several tries beside the operator.
async fn set_schedule(setting: &Setting<'_>, schedule: Value) -> Result<()> {
    let body = json!({ "sleepSchedule": schedule });
    eventually("the schedule is set", PATIENCE, || async {
        setting.tina(200, "PATCH", PATH, Some(body.clone())).await.map(drop)
    })
    .await
}

pub(crate) async fn a_cluster_is_cloned_with_its_contents_and_keys_of_its_own(
    cluster: &Cluster,
) -> Result<()> {
    let setting = Setting::set(cluster).await?;
    let clone = |name: &str| Some(json!({ "name": name }));
    let path = format!("{PATH}/clone");
    let unknown = setting.hub.ask(Some(&setting.tina), "POST", &path, clone("copy")).await?;
    let detail = unknown.body["detail"].as_str().unwrap_or_default();
    ensure!(unknown.status == 422 && detail.contains("make a TenantBackupSchedule"), "{}", unknown.body);
    keep_backups(&setting).await?;
    let original = setting.inside("tulip.prod")?;
    let kept: ConfigMap =
        serde_json::from_value(json!({ "metadata": { "name": "kept" }, "data": { "is": "old" } }))?;
    eventually("the cluster knows the hub", PATIENCE, || async {
        Ok(original.create(&PostParams::default(), &kept).await.map(drop)?)
    })
    .await?;

    let made = setting.tina(201, "POST", &path, clone("copy")).await?;
    ensure!(made["id"] == "tulip.copy" && made["restore"] == made["backup"], "{made}");
    let third = setting.hub.ask(Some(&setting.tina), "POST", &path, clone("third")).await?;
    let detail = third.body["detail"].as_str().unwrap_or_default();
    ensure!(
        third.status == 422 && detail.contains("clusters 2 of 2"),
        "the quota is asked first: {}",
        third.body
    );
    setting.is("/api/v1/clusters/tulip.copy", "Ready").await?;
    let copy = setting.inside("tulip.copy")?;
    eventually("the clone has what the original had", PATIENCE, || async {
        let found = copy.get("kept").await?;
        ensure!(found.data == kept.data, "{:?}", found.data);
        Ok(())
    })
    .await?;
    let own: ConfigMap = serde_json::from_value(json!({ "metadata": { "name": "own" } }))?;
    copy.create(&PostParams::default(), &own).await?;
    ensure!(original.get_opt("own").await?.is_none(), "the clone writes to the original");
    let secrets: Api<Secret> = setting.beside().await?;
    for kind in ["ca", "sa-certificate"] {
        let (original, copy) = (format!("prod-{kind}"), format!("copy-{kind}"));
        let (original, copy) = (secrets.get(&original).await?, secrets.get(&copy).await?);
        ensure!(original.data != copy.data, "both have {}", original.name_any());
    }
    setting.clear_away().await
}

/// A schedule of backups says where they are kept; it never comes to one of its own.
async fn keep_backups(setting: &Setting<'_>) -> Result<()> {
    let claim = json!({
        "metadata": { "name": "archives" },
        "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } },
    });
    let claims: Api<PersistentVolumeClaim> = setting.beside().await?;
    claims.create(&PostParams::default(), &serde_json::from_value(claim)?).await?;
    let schedule = json!({
        "apiVersion": "flotilla.dev/v1alpha1", "kind": "TenantBackupSchedule", "metadata": { "name": "yearly" },
        "spec": {
            "tenantControlPlane": "prod", "schedule": "0 0 1 1 *",
            "target": { "persistentVolumeClaim": { "claimName": "archives" } },
        },
    });
    let schedules: Api<api::TenantBackupSchedule> = setting.beside().await?;
    schedules.create(&PostParams::default(), &serde_json::from_value(schedule)?).await?;
    Ok(())
}

pub(crate) async fn a_cluster_goes_on_at_another_tenant_and_nobody_inside_notices(
    cluster: &Cluster,
) -> Result<()> {
    let setting = Setting::set(cluster).await?;
    let body = json!({ "name": "violet", "spec": {} });
    setting.hub.expect(&setting.admin, 201, "POST", "/api/v1/tenants", Some(body)).await?;
    let vera = setting.hub.member(&setting.admin, "vera", "tenant-owner", "violet").await?;
    let row = setting.tina(200, "GET", PATH, None).await?;
    // What workers and programs hold of the cluster: its address, its authority, a certificate by it.
    let secrets: Api<Secret> = setting.beside().await?;
    let kubeconfig = secrets.get("prod-admin-kubeconfig").await?.data.unwrap_or_default();
    let kubeconfig = kubeconfig.get("admin.conf").context("no kubeconfig")?.0.clone();
    let held = kubekit::client_for_kubeconfig(std::str::from_utf8(&kubeconfig)?, None, None).await?;
    let inside: Api<ConfigMap> = Api::namespaced(held, "default");
    let kept: ConfigMap =
        serde_json::from_value(json!({ "metadata": { "name": "kept" }, "data": { "is": "old" } }))?;
    // The operator has seen at one replica that the administrator has their rights; the other reads them by itself.
    eventually("its administrator writes", PATIENCE, || async {
        Ok(inside.create(&PostParams::default(), &kept).await.map(drop)?)
    })
    .await?;

    let (path, body) = (format!("{PATH}/transfer"), json!({ "tenant": "violet" }));
    let refused = setting.hub.ask(Some(&setting.tina), "POST", &path, Some(body.clone())).await?;
    ensure!(refused.status == 403 || refused.status == 404, "nobody gives to strangers: {}", refused.body);
    let begun = eventually("the tenant has its namespace", PATIENCE, || async {
        setting.hub.expect(&setting.admin, 202, "POST", &path, Some(body.clone())).await
    })
    .await?;
    ensure!(begun["id"] == "violet.prod", "{begun}");
    eventually("it is ready at its new tenant", PATIENCE, || async {
        let moved = setting.hub.expect(&vera, 200, "GET", "/api/v1/clusters/violet.prod", None).await?;
        ensure!(moved["state"] == "Ready", "{moved}");
        ensure!(moved["endpoint"] == row["endpoint"], "the address has changed: {moved}");
        Ok(())
    })
    .await?;
    ensure!(inside.get("kept").await?.data == kept.data, "by what was held before");
    let by_hub = setting.hub.client("/k8s/clusters/violet.prod", Some(&vera))?;
    eventually("its new owner is in it", PATIENCE, || async {
        Ok(Api::<ConfigMap>::namespaced(by_hub.clone(), "default").get("kept").await.map(drop)?)
    })
    .await?;
    setting.tina(404, "GET", PATH, None).await?;
    setting.tina(404, "GET", "/api/v1/clusters/violet.prod", None).await?;

    setting.hub.expect(&vera, 204, "DELETE", "/api/v1/clusters/violet.prod", None).await?;
    for path in ["/api/v1/users/vera", "/api/v1/grants/vera"] {
        setting.hub.expect(&setting.admin, 204, "DELETE", path, None).await?;
    }
    eventually("the tenant is empty and deleted", PATIENCE, || async {
        setting.hub.expect(&setting.admin, 204, "DELETE", "/api/v1/tenants/violet", None).await.map(drop)
    })
    .await?;
    setting.clear_away().await
}
