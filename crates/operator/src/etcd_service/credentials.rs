//! The certificates of the managed etcd, and its authentication.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use datastore::{Connection, EtcdStore, Tls};
use desired::{Renewal, managed_etcd};
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Secret;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use pki::{Pair, PrivateKey};

use super::{KEEP_EVERY, Keeper};
use crate::platform::text;

/// Certificates are renewed this long before they end.
const DEADLINE: SignedDuration = SignedDuration::from_hours(24 * 60);

impl Keeper<'_> {
    /// Makes the Secrets, and renews what ends soon.
    pub(super) async fn keep_certificates(&mut self) -> Result<()> {
        if self.kept.as_ref().is_some_and(|(at, _)| at.elapsed() < KEEP_EVERY) {
            return Ok(());
        }
        let api: Api<Secret> = Api::namespaced(self.client.clone(), self.etcd.namespace);
        let own = ListParams::default().labels(&format!("app.kubernetes.io/name={}", self.etcd.name));
        let existing: BTreeMap<String, Arc<Secret>> =
            api.list(&own).await?.into_iter().map(|secret| (secret.name_any(), Arc::new(secret))).collect();
        let renewal = Renewal { now: self.clock.now(), deadline: DEADLINE };
        let mut stored = BTreeMap::new();
        for secret in managed_etcd::secrets(self.etcd, &existing, renewal)? {
            let name = secret.name_any();
            let live = existing.get(&name).map(AsRef::as_ref);
            stored.insert(name, self.applier.apply(&secret, live).await?.into_inner());
        }
        let root = stored
            .get(&format!("{}-root", self.etcd.name))
            .context("the Secret of the managed etcd's administrator is missing")?;
        let tls = administrator(root)?;
        if self.kept.as_ref().is_some_and(|(_, known)| *known != tls) {
            self.connections.clear();
        }
        self.kept = Some((Instant::now(), tls));
        self.metrics.etcd.note_snapshot(self.last_snapshot().await.context("read the snapshots' CronJob")?);
        Ok(())
    }

    /// Switches authentication on. Needs the majority of the members.
    pub(super) async fn protect(&mut self) -> Result<()> {
        let connection = self.connection(self.etcd.client_endpoint())?;
        EtcdStore::connect(&connection).await?.enable_authentication().await?;
        tracing::info!(etcd = self.etcd.name, "authentication is on");
        self.is_protected = true;
        Ok(())
    }

    /// How the administrator reaches an endpoint.
    pub(super) fn connection(&self, endpoint: String) -> Result<Connection> {
        let (_, tls) = self.kept.as_ref().context("the certificates have not been read yet")?;
        Ok(Connection {
            driver: datastore::Driver::Etcd,
            login: None,
            endpoints: vec![endpoint],
            tls: Some(tls.clone()),
        })
    }
}

fn administrator(root: &Secret) -> Result<Tls> {
    Ok(Tls {
        certificate_authority: text(root, "ca.crt")?,
        certificate_authority_key: None,
        client: Some(Pair {
            certificate: text(root, "tls.crt")?,
            private_key: PrivateKey::from_pem(text(root, "tls.key")?),
        }),
    })
}
