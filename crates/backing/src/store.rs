//! A store: made, reached, taken away and brought back.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use api::DataStore;
use base::{Clock, SystemClock};
use datastore::{Connection, Driver, Login, Store, Tls};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{Namespace, PersistentVolumeClaim, Pod, Secret, Service};
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use kube::{Client, Resource};
use pki::{CertificateAuthority, CertificatePlan, Pair};
use serde_json::json;

use crate::objects::{create, delete};
use crate::programs::{ADMINISTRATOR, settings};

/// A database is made within seconds on an idle machine.
const PATIENCE: Duration = Duration::from_mins(3);
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Which server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// PostgreSQL.
    PostgreSql,
    /// MariaDB, as MySQL.
    MySql,
    /// NATS with `JetStream`.
    Nats,
}

impl Kind {
    /// The driver by its name in a DataStore.
    #[must_use]
    pub fn driver_name(self) -> &'static str {
        match self {
            Self::PostgreSql => "PostgreSQL",
            Self::MySql => "MySQL",
            Self::Nats => "NATS",
        }
    }

    pub(crate) fn port(self) -> u16 {
        match self {
            Self::PostgreSql => 5432,
            Self::MySql => 3306,
            Self::Nats => 4222,
        }
    }

    fn driver(self) -> Driver {
        match self {
            Self::PostgreSql => Driver::PostgreSql,
            Self::MySql => Driver::MySql,
            Self::Nats => Driver::Nats,
        }
    }
}

/// A store of one pod, with a DataStore of its name.
#[derive(Clone)]
pub struct Backing {
    client: Client,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) namespace: String,
    password: String,
    authority: Option<Pair>,
    /// Its address in the cluster's network, which the machine reaches too.
    address: String,
}

impl Backing {
    /// Deploys one, waits until it answers, and makes its DataStore.
    pub async fn deploy(
        client: Client,
        namespace: &str,
        name: &str,
        kind: Kind,
        encrypted: bool,
    ) -> Result<Self> {
        create(&Api::<Namespace>::all(client.clone()), json!({"metadata": {"name": namespace}})).await?;
        let mut backing = Self {
            client,
            kind,
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            password: format!("of-{name}-in-{namespace}"),
            authority: None,
            address: String::new(),
        };
        let service: Service = create(&backing.api(), backing.service()).await?;
        backing.address =
            service.spec.and_then(|spec| spec.cluster_ip).context("the Service has no address")?;
        if encrypted {
            backing.certify().await?;
        }
        let conf = settings(kind, encrypted, &backing.password);
        backing.secret("conf", json!({"nats.conf": conf})).await?;
        let login = json!({"username": ADMINISTRATOR, "password": backing.password});
        backing.secret("root", login).await?;
        create(&backing.api::<StatefulSet>(), backing.stateful_set()).await?;
        backing.answers().await?;
        create(&Api::<DataStore>::all(backing.client.clone()), backing.data_store()).await?;
        Ok(backing)
    }

    /// Its name, which is also that of its DataStore.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where pods reach it, `host:port`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("{}.{}.svc:{}", self.name, self.namespace, self.kind.port())
    }

    /// How this machine reaches it with a user's credentials.
    #[must_use]
    pub fn connection(&self, username: &str, password: &str) -> Connection {
        Connection {
            driver: self.kind.driver(),
            endpoints: vec![format!("{}:{}", self.address, self.kind.port())],
            login: Some(Login { username: username.to_owned(), password: password.to_owned() }),
            tls: self.authority.as_ref().map(|authority| Tls {
                certificate_authority: authority.certificate.clone(),
                certificate_authority_key: None,
                client: None,
            }),
        }
    }

    /// A connection as its administrator.
    pub async fn administrator(&self) -> Result<Store> {
        Ok(Store::connect(&self.connection(ADMINISTRATOR, &self.password)).await?)
    }

    /// Kills its process and waits until it is gone; Kubernetes starts it again by itself, with the same data.
    ///
    /// A pod that is deleted without any time to end may be followed by the next one before its process is
    /// gone, and two servers would write the same files.
    pub async fn kill(&self) -> Result<()> {
        let pods: Api<Pod> = self.api();
        let name = format!("{}-0", self.name);
        let Some(pod) = pods.get_opt(&name).await? else { return Ok(()) };
        pods.delete(&name, &DeleteParams::default().grace_period(1)).await?;
        let began = Instant::now();
        while pods.get_opt(&name).await?.is_some_and(|now| now.metadata.uid == pod.metadata.uid) {
            if began.elapsed() > PATIENCE {
                bail!("{name} does not end");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Takes its pod away; the data stays.
    pub async fn stop(&self) -> Result<()> {
        self.scale(0).await
    }

    /// Brings its pod back and waits until it answers.
    pub async fn start(&self) -> Result<()> {
        self.scale(1).await?;
        self.answers().await
    }

    /// Waits until it answers as a whole.
    pub async fn answers(&self) -> Result<()> {
        let began = Instant::now();
        loop {
            let last = match self.administrator().await {
                Ok(store) => match store.health().await {
                    Ok(_) => return Ok(()),
                    Err(error) => error.into(),
                },
                Err(error) => error,
            };
            if began.elapsed() > PATIENCE {
                bail!("{} does not answer: {last:#}", self.name);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Deletes it, its data and its DataStore, which no control plane may use any more.
    pub async fn remove(&self) -> Result<()> {
        delete(&Api::<DataStore>::all(self.client.clone()), &self.name).await?;
        delete(&self.api::<StatefulSet>(), &self.name).await?;
        delete(&self.api::<Service>(), &self.name).await?;
        delete(&self.api::<PersistentVolumeClaim>(), &format!("data-{}-0", self.name)).await?;
        for suffix in ["ca", "server", "conf", "root"] {
            delete(&self.api::<Secret>(), &format!("{}-{suffix}", self.name)).await?;
        }
        Ok(())
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.authority.is_some()
    }

    async fn scale(&self, replicas: i32) -> Result<()> {
        let sets: Api<StatefulSet> = self.api();
        let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
        sets.patch(&self.name, &PatchParams::default(), &patch).await?;
        let began = Instant::now();
        while sets.get(&self.name).await?.status.unwrap_or_default().replicas != replicas {
            if began.elapsed() > PATIENCE {
                bail!("{} was not scaled to {replicas}", self.name);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Makes its authority and its certificate, or takes those that are there.
    async fn certify(&mut self) -> Result<()> {
        let now = SystemClock.now();
        let made = CertificateAuthority::generate(&self.name, pki::TEN_YEARS, now)?;
        let pair = made.pair();
        let kept = json!({"ca.crt": pair.certificate, "ca.key": pair.private_key.expose_pem()});
        let kept = self.secret("ca", kept).await?;
        let text = |key: &str| -> Result<String> {
            let bytes =
                kept.data.as_ref().and_then(|data| data.get(key)).context("the authority is broken")?;
            Ok(String::from_utf8(bytes.0.clone())?)
        };
        let pair =
            Pair { certificate: text("ca.crt")?, private_key: pki::PrivateKey::from_pem(text("ca.key")?) };
        let authority = CertificateAuthority::from_pair(pair.clone())?;
        let host = format!("{}.{}.svc", self.name, self.namespace);
        let plan = CertificatePlan::server(&self.name, vec![host], vec![self.address.parse()?]);
        let server = plan.issue(&authority, now)?;
        let shown = json!({"tls.crt": server.certificate, "tls.key": server.private_key.expose_pem()});
        self.secret("server", shown).await?;
        self.authority = Some(pair);
        Ok(())
    }

    async fn secret(&self, suffix: &str, data: serde_json::Value) -> Result<Secret> {
        let name = format!("{}-{suffix}", self.name);
        create(&self.api(), json!({"metadata": {"name": name}, "stringData": data})).await
    }

    fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }
}
