//! Where backups of a cluster are kept: as is said, or as its schedule or newest backup has it.

use std::collections::BTreeSet;

use api::{
    BackupEncryption, BackupTarget, TenantBackup, TenantBackupSchedule, TenantControlPlane, TenantRestore,
};
use authz::Place;
use kube::api::ListParams;
use kube::core::NamespaceResourceScope;
use kube::{Api, Resource, ResourceExt};
use schemars::JsonSchema;
use serde::Serialize;

use crate::caller::{Ask, Caller};
use crate::cluster_id::is_label;
use crate::problem::Problem;

/// Where archives are kept, and what they are encrypted with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(in crate::endpoints::clusters) struct Keeping {
    /// Where they are kept.
    pub(in crate::endpoints::clusters) target: BackupTarget,
    /// What they are encrypted with.
    pub(in crate::endpoints::clusters) encryption: BackupEncryption,
}

/// All backups and schedules of the clusters in a namespace.
pub(in crate::endpoints::clusters) struct Known {
    schedules: Vec<TenantBackupSchedule>,
    backups: Vec<TenantBackup>,
}

/// Reads what there is in the namespace of a cluster.
pub(in crate::endpoints::clusters) async fn all(
    caller: &Caller,
    cluster: &TenantControlPlane,
) -> Result<Known, Problem> {
    let (schedules, backups) = (of::<TenantBackupSchedule>(caller, cluster), of(caller, cluster));
    let everything = ListParams::default();
    let (schedules, backups) = tokio::try_join!(schedules.list(&everything), backups.list(&everything))?;
    Ok(Known { schedules: schedules.items, backups: backups.items })
}

impl Known {
    /// The backups of a cluster.
    pub(super) fn backups_of(&self, cluster: &str) -> impl Iterator<Item = &TenantBackup> {
        self.backups.iter().filter(move |found| found.spec.tenant_control_plane == cluster)
    }

    /// Where the next backup of a cluster is kept unless something else is said.
    pub(in crate::endpoints::clusters) fn keeping(&self, cluster: &str) -> Option<Keeping> {
        if let Some(found) = own_schedule(&self.schedules, cluster) {
            let (target, encryption) = (found.spec.target.clone(), found.spec.encryption.clone());
            return Some(Keeping { target, encryption });
        }
        let newest =
            self.backups_of(cluster).max_by_key(|found| found.creation_timestamp().map(|time| time.0));
        newest.map(|found| Keeping {
            target: found.spec.target.clone(),
            encryption: found.spec.encryption.clone(),
        })
    }

    /// Where a backup is kept of which this much is said.
    pub(in crate::endpoints::clusters) fn chosen(
        &self,
        caller: &Caller,
        cluster: &TenantControlPlane,
        target: Option<BackupTarget>,
        encryption: Option<BackupEncryption>,
    ) -> Result<Keeping, Problem> {
        let name = cluster.name_any();
        let known = self.keeping(&name);
        if let Some(target) = &target {
            self.check(caller, target)?;
        }
        let target = target.or_else(|| Some(known.as_ref()?.target.clone())).ok_or_else(|| {
            Problem::invalid(format!(
                "it is not known where backups of `{name}` are kept: take one and say its target, or make a \
                 TenantBackupSchedule or a TenantBackup of it in namespace `{}`, and repeat this",
                cluster.namespace().unwrap_or_default()
            ))
        })?;
        let encryption = encryption.or_else(|| Some(known?.encryption)).unwrap_or_default();
        Ok(Keeping { target, encryption })
    }

    /// A Job of the management cluster goes to whatever address a bucket has, so that only the platform names new ones.
    fn check(&self, caller: &Caller, target: &BackupTarget) -> Result<(), Problem> {
        let place = Place::Platform;
        let is_known = match address(target) {
            None => true,
            Some(address) => self.addresses().contains(address),
        };
        if is_known || caller.may(&Ask { verb: "backup", resource: "clusters", name: "", place }) {
            return Ok(());
        }
        let address = address(target).unwrap_or_default();
        Err(Problem::invalid(format!(
            "target.s3.endpoint: no backup of the tenant goes to `{address}` yet; have somebody of the platform take the \
             first one, or leave it out for AWS"
        )))
    }

    fn addresses(&self) -> BTreeSet<&str> {
        let schedules = self.schedules.iter().map(|found| &found.spec.target);
        schedules.chain(self.backups.iter().map(|found| &found.spec.target)).filter_map(address).collect()
    }
}

/// The address of a bucket, if one is named.
fn address(target: &BackupTarget) -> Option<&str> {
    Some(target.s3.as_ref()?.endpoint.as_deref()?.trim_end_matches('/'))
}

/// The schedule of a cluster; the oldest, if somebody has made several.
pub(super) fn own_schedule<'a>(
    schedules: &'a [TenantBackupSchedule],
    cluster: &str,
) -> Option<&'a TenantBackupSchedule> {
    let own = schedules.iter().filter(|found| found.spec.tenant_control_plane == cluster);
    own.min_by_key(|found| (found.creation_timestamp().map(|time| time.0), found.name_any()))
}

/// What belongs to one control plane of its namespace.
pub(super) trait OfCluster: Resource<DynamicType = (), Scope = NamespaceResourceScope> {
    /// Name of the control plane.
    fn cluster(&self) -> &str;
}

impl OfCluster for TenantBackup {
    fn cluster(&self) -> &str {
        &self.spec.tenant_control_plane
    }
}

impl OfCluster for TenantRestore {
    fn cluster(&self) -> &str {
        &self.spec.tenant_control_plane
    }
}

/// A backup or a restore by its name, if it is one of this cluster.
pub(super) async fn own<K>(
    all: &Api<K>,
    cluster: &TenantControlPlane,
    name: &str,
) -> Result<Option<K>, Problem>
where
    K: OfCluster + Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    // What is no name could lead elsewhere.
    if !name.split('.').all(is_label) {
        return Ok(None);
    }
    Ok(all.get_opt(name).await?.filter(|found| found.cluster() == cluster.name_any()))
}

/// A backup of this cluster that has not failed, or why there is none of the name; `otherwise` is what else can be done.
pub(in crate::endpoints::clusters) async fn usable(
    caller: &Caller,
    cluster: &TenantControlPlane,
    name: &str,
    otherwise: &str,
) -> Result<TenantBackup, Problem> {
    let Some(found) = own(&of::<TenantBackup>(caller, cluster), cluster, name).await? else {
        return Err(Problem::invalid(format!(
            "backup: the cluster has no backup `{name}`; name another one{otherwise}"
        )));
    };
    if found.status.as_ref().is_some_and(|status| status.completed_at.is_some()) && !is_complete(&found) {
        return Err(Problem::invalid(format!("backup: `{name}` failed; name another one{otherwise}")));
    }
    Ok(found)
}

/// Whether the archive is in its place.
pub(super) fn is_complete(backup: &TenantBackup) -> bool {
    let conditions = backup.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
    conditions.iter().any(|known| known.type_ == "Completed" && known.status == "True")
}

/// Objects in the namespace of a control plane.
pub(in crate::endpoints::clusters) fn of<K>(caller: &Caller, cluster: &TenantControlPlane) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    Api::namespaced(caller.hub.client.clone(), &cluster.namespace().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use api::{TenantBackup, TenantBackupSchedule};
    use serde_json::{Value, json};

    use super::Known;

    fn bucket(name: &str, endpoint: &str) -> Value {
        json!({ "s3": { "bucket": name, "endpoint": endpoint, "secretName": "s" } })
    }

    fn backup(cluster: &str, target: &Value, second: u32) -> TenantBackup {
        let created = format!("2026-11-30T12:00:{second:02}Z");
        serde_json::from_value(json!({
            "metadata": { "name": format!("{cluster}-{second}"), "creationTimestamp": created },
            "spec": { "tenantControlPlane": cluster, "target": target },
        }))
        .unwrap()
    }

    #[test]
    fn the_schedule_says_where_before_the_newest_backup_and_never_that_of_another_cluster() {
        let backups = vec![
            backup("prod", &bucket("new", "https://a.example/"), 2),
            backup("prod", &bucket("old", "https://a.example"), 1),
            backup("other", &bucket("others", "https://b.example"), 9),
        ];
        let mut known = Known { schedules: Vec::new(), backups };
        let kept = |known: &Known, cluster: &str| Some(known.keeping(cluster)?.target.s3?.bucket);
        assert_eq!(kept(&known, "prod").as_deref(), Some("new"));
        assert_eq!(kept(&known, "nowhere"), None);
        let schedule: TenantBackupSchedule = serde_json::from_value(json!({
            "metadata": { "name": "nightly" },
            "spec": { "tenantControlPlane": "prod", "schedule": "0 3 * * *", "target": bucket("nightly", "https://c.example") },
        }))
        .unwrap();
        known.schedules.push(schedule);
        assert_eq!(kept(&known, "prod").as_deref(), Some("nightly"));
        let addresses: Vec<&str> = known.addresses().into_iter().collect();
        assert_eq!(addresses, ["https://a.example", "https://b.example", "https://c.example"]);
    }
}
