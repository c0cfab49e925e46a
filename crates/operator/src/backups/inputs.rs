//! What a Job needs: the tenant's store, the Secrets that it mounts, the key of archives.

use std::sync::Arc;

use api::{BackupEncryption, BackupTarget, DataStore, TenantControlPlane};
use desired::backups::key_secret_name;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Secret};
use kube::Api;
use kube::api::{ObjectMeta, PostParams};

use super::{Error, Hindrance, failed};
use crate::caches::Caches;
use crate::context::Context;
use crate::data_stores::store_of;

/// Where the tenant's contents are.
pub(super) struct Source {
    pub(super) tenant: Arc<TenantControlPlane>,
    pub(super) store: Arc<DataStore>,
    pub(super) driver: &'static str,
    pub(super) endpoints: Vec<String>,
}

/// Finds the control plane and its store.
pub(super) fn source(namespace: &str, name: &str, context: &Context) -> Result<Source, Hindrance> {
    let Some(tenant) = Caches::find(&context.caches.tenants, namespace, name) else {
        return Err(Hindrance::new(
            "ControlPlaneNotFound",
            format!(
                "there is no TenantControlPlane `{name}` in namespace `{namespace}`; create it or name another"
            ),
        ));
    };
    let storage = tenant.status.as_ref().map(|status| &status.storage);
    if storage.is_none_or(|storage| storage.setup.user.is_none()) {
        let message = format!(
            "TenantControlPlane `{name}` has no place in a store yet; see its condition DataStoreReady"
        );
        return Err(Hindrance::new("DataStoreNotReady", message));
    }
    if storage.is_some_and(|storage| storage.migration.is_some()) {
        let message =
            format!("TenantControlPlane `{name}` moves to another store; this begins when it has arrived");
        return Err(Hindrance::new("Migrating", message));
    }
    let store = store_of(&tenant, context.settings.default_store());
    let Some(store) = context.caches.data_stores.get(store) else {
        let message = format!("DataStore `{store}` of TenantControlPlane `{name}` does not exist; create it");
        return Err(Hindrance::new("DataStoreNotFound", message));
    };
    Ok(Source { tenant, driver: store.spec.driver.as_str(), endpoints: store.spec.endpoints.clone(), store })
}

/// Whether the target can be used, as far as the management cluster tells.
pub(super) async fn check_target(
    namespace: &str,
    target: &BackupTarget,
    context: &Context,
) -> Result<Option<Hindrance>, Error> {
    if target.directory.is_some() && context.settings.backup_directory.is_empty() {
        return Ok(Some(Hindrance::new(
            "TargetRefused",
            "directories are not allowed here; use s3 or persistentVolumeClaim, or have the operator's setting \
             --backup-directory name one",
        )));
    }
    if let Some(bucket) = &target.s3 {
        return missing_keys(namespace, &bucket.secret_name, &["accessKeyId", "secretAccessKey"], context)
            .await;
    }
    if let Some(claim) = &target.persistent_volume_claim {
        let claims: Api<PersistentVolumeClaim> = Api::namespaced(context.client.clone(), namespace);
        let found = claims.get_opt(&claim.claim_name).await.map_err(failed("read the volume claim"))?;
        let message = format!("there is no PersistentVolumeClaim `{}`; create it", claim.claim_name);
        return Ok(found.is_none().then(|| Hindrance::new("TargetNotFound", message)));
    }
    Ok(None)
}

async fn missing_keys(
    namespace: &str,
    name: &str,
    keys: &[&str],
    context: &Context,
) -> Result<Option<Hindrance>, Error> {
    let secrets: Api<Secret> = Api::namespaced(context.client.clone(), namespace);
    let found = secrets.get_opt(name).await.map_err(failed("read a Secret"))?;
    let data = found.and_then(|secret| secret.data).unwrap_or_default();
    let missing: Vec<&str> = keys.iter().copied().filter(|key| !data.contains_key(*key)).collect();
    if missing.is_empty() {
        return Ok(None);
    }
    let message = format!(
        "Secret `{name}` in namespace `{namespace}` does not exist or lacks {}; create it",
        missing.join(" and ")
    );
    Ok(Some(Hindrance::new("SecretMissing", message)))
}

/// The Secret with the key; made once for a control plane that names none.
pub(super) async fn key_secret(
    namespace: &str,
    tenant: &str,
    encryption: &BackupEncryption,
    may_make: bool,
    context: &Context,
) -> Result<Result<String, Hindrance>, Error> {
    let name = key_secret_name(tenant, encryption);
    if may_make && encryption.secret_name.is_none() {
        make_key(namespace, &name, context).await?;
    }
    Ok(match missing_keys(namespace, &name, &["key"], context).await? {
        Some(hindrance) => Err(hindrance),
        None => Ok(name),
    })
}

/// Makes a key unless there is a Secret already. It belongs to no object, so that it outlives all.
async fn make_key(namespace: &str, name: &str, context: &Context) -> Result<(), Error> {
    let secrets: Api<Secret> = Api::namespaced(context.client.clone(), namespace);
    if secrets.get_metadata_opt(name).await.map_err(failed("look for the backup key"))?.is_some() {
        return Ok(());
    }
    let unusable = |error: ::backup::KeyError| Error::Cluster {
        action: "make a backup key",
        source: Box::new(kube::Error::Service(Box::new(error))),
    };
    let key = ::backup::Key::generate().map_err(unusable)?;
    let secret = Secret {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        data: Some([("key".to_owned(), ByteString(key.expose_text().as_bytes().to_vec()))].into()),
        type_: Some("Opaque".to_owned()),
        ..Secret::default()
    };
    match secrets.create(&PostParams::default(), &secret).await {
        Ok(_) => Ok(()),
        // Another one was quicker.
        Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(()),
        Err(error) => Err(failed("make the Secret with the backup key")(error)),
    }
}
