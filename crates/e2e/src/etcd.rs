//! Further etcd clusters in the management cluster, each with a DataStore of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use api::DataStore;
use base::{Clock, SystemClock};
use desired::managed_etcd::{ManagedEtcd, secrets};
use desired::{Renewal, Secrets};
use etcd_client::{Certificate, ConnectOptions, Identity, TlsOptions, UserAddOptions};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{Namespace, Secret, Service};
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use kube::{Client, Resource, ResourceExt};
use pki::{Pair, PrivateKey};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{Cluster, eventually};

const IMAGE: &str = "registry.k8s.io/etcd:3.6.8-0";
/// A pod, its volume and an election take some seconds on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// An etcd of one member, with authentication on, as a pod of the management cluster.
#[derive(Clone)]
pub struct Etcd {
    client: Client,
    name: String,
    namespace: String,
    secrets: Secrets,
}

impl Etcd {
    /// Deploys one with an authority of its own, and makes the DataStore `name` for it. What exists
    /// already is used.
    pub async fn deploy(cluster: &Cluster, namespace: &str, name: &str) -> Result<Self> {
        Self::deploy_with(cluster, namespace, name, None).await
    }

    /// Deploys one whose authority is that of `other`.
    pub async fn deploy_beside(cluster: &Cluster, other: &Self, name: &str) -> Result<Self> {
        let authority = other.secret("ca")?.clone();
        Self::deploy_with(cluster, &other.namespace, name, Some(authority)).await
    }

    /// Its name, which is also that of its DataStore.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where pods reach it, `host:port`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("{}:2379", self.host())
    }

    /// The authority that signs its certificate and its clients'.
    pub fn authority(&self) -> Result<Pair> {
        self.pair("ca", "ca.crt", "ca.key")
    }

    /// A client certificate of the user `root`.
    pub fn root(&self) -> Result<Pair> {
        self.pair("root", "tls.crt", "tls.key")
    }

    /// A client that may do everything.
    pub async fn administrator(&self) -> Result<etcd_client::Client> {
        self.client_as(&self.root()?).await
    }

    /// A client with a given certificate.
    pub async fn client_as(&self, pair: &Pair) -> Result<etcd_client::Client> {
        let service: Service = self.api().get(&format!("{}-client", self.name)).await?;
        let address =
            service.spec.and_then(|spec| spec.cluster_ip).context("etcd's Service has no address")?;
        let tls = TlsOptions::new()
            .domain_name(self.host())
            .ca_certificate(Certificate::from_pem(self.authority()?.certificate))
            .identity(Identity::from_pem(&pair.certificate, pair.private_key.expose_pem()));
        let options = ConnectOptions::new().with_tls(tls).with_connect_timeout(Duration::from_secs(2));
        Ok(etcd_client::Client::connect([format!("https://{address}:2379")], Some(options)).await?)
    }

    /// The number of keys under a prefix.
    pub async fn count(&self, prefix: &str) -> Result<i64> {
        let options = etcd_client::GetOptions::new().with_prefix().with_count_only();
        Ok(self.administrator().await?.get(prefix, Some(options)).await?.count())
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

    /// Deletes it, its data and its DataStore.
    pub async fn remove(&self) -> Result<()> {
        let gone = DeleteParams::background();
        let stores: Api<DataStore> = Api::all(self.client.clone());
        tolerate_absent(stores.delete(&self.name, &gone).await.map(|_| ()))?;
        let sets: Api<StatefulSet> = self.api();
        tolerate_absent(sets.delete(&self.name, &gone).await.map(|_| ()))?;
        let services: Api<Service> = self.api();
        tolerate_absent(services.delete(&format!("{}-client", self.name), &gone).await.map(|_| ()))?;
        let claims: Api<k8s_openapi::api::core::v1::PersistentVolumeClaim> = self.api();
        tolerate_absent(claims.delete(&format!("data-{}-0", self.name), &gone).await.map(|_| ()))?;
        for name in self.secrets.keys() {
            tolerate_absent(self.api::<Secret>().delete(name, &gone).await.map(|_| ()))?;
        }
        eventually("the DataStore is gone", Duration::from_secs(30), || async {
            match stores.get_opt(&self.name).await? {
                None => Ok(()),
                Some(left) => bail!("finalizers {:?}", left.finalizers()),
            }
        })
        .await
    }

    async fn deploy_with(
        cluster: &Cluster,
        namespace: &str,
        name: &str,
        authority: Option<Arc<Secret>>,
    ) -> Result<Self> {
        let client = cluster.client().await?;
        let space = json!({"metadata": {"name": namespace}});
        create(&Api::<Namespace>::all(client.clone()), space).await?;
        let mut etcd =
            Self { client, name: name.to_owned(), namespace: namespace.to_owned(), secrets: Secrets::new() };
        etcd.secrets = etcd.make_secrets(authority).await?;
        create(&etcd.api::<Service>(), etcd.service()).await?;
        create(&etcd.api::<StatefulSet>(), etcd.stateful_set()).await?;
        etcd.answers().await?;
        etcd.enable_authentication().await?;
        create(&Api::<DataStore>::all(etcd.client.clone()), etcd.data_store()).await?;
        Ok(etcd)
    }

    async fn make_secrets(&self, authority: Option<Arc<Secret>>) -> Result<Secrets> {
        let mut existing = Secrets::new();
        for suffix in ["ca", "server", "root"] {
            let name = format!("{}-{suffix}", self.name);
            if let Some(found) = self.api::<Secret>().get_opt(&name).await? {
                existing.insert(name, Arc::new(found));
            }
        }
        if let Some(authority) = authority {
            existing.insert(format!("{}-ca", self.name), authority);
        }
        let renewal = Renewal { now: SystemClock.now(), deadline: jiff::SignedDuration::from_hours(24) };
        let etcd = ManagedEtcd { name: &self.name, namespace: &self.namespace };
        let mut made = Secrets::new();
        for secret in secrets(etcd, &existing, renewal)? {
            create(&self.api::<Secret>(), serde_json::to_value(&secret)?).await?;
            made.insert(secret.name_any(), Arc::new(secret));
        }
        Ok(made)
    }

    async fn answers(&self) -> Result<()> {
        eventually(&format!("{} answers", self.name), PATIENCE, || async {
            let mut client = self.administrator().await?;
            client.status().await?;
            Ok(())
        })
        .await
    }

    async fn enable_authentication(&self) -> Result<()> {
        let mut client = self.administrator().await?;
        let user = client.user_add("root", "", Some(UserAddOptions::new().with_no_pwd())).await;
        tolerate_existing(user.map(|_| ()))?;
        tolerate_existing(client.role_add("root").await.map(|_| ()))?;
        client.user_grant_role("root", "root").await?;
        client.auth_enable().await?;
        Ok(())
    }

    async fn scale(&self, replicas: i32) -> Result<()> {
        let sets: Api<StatefulSet> = self.api();
        let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
        sets.patch(&self.name, &PatchParams::default(), &patch).await?;
        eventually(&format!("{} has {replicas} pods", self.name), PATIENCE, || async {
            let status = sets.get(&self.name).await?.status.unwrap_or_default();
            ensure!(status.replicas == replicas, "{} pods", status.replicas);
            Ok(())
        })
        .await
    }

    fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    fn secret(&self, suffix: &str) -> Result<&Arc<Secret>> {
        self.secrets.get(&format!("{}-{suffix}", self.name)).with_context(|| format!("no Secret {suffix}"))
    }

    fn pair(&self, suffix: &str, certificate: &str, private_key: &str) -> Result<Pair> {
        let secret = self.secret(suffix)?;
        Ok(Pair {
            certificate: text(secret, certificate)?.to_owned(),
            private_key: PrivateKey::from_pem(text(secret, private_key)?),
        })
    }

    fn host(&self) -> String {
        format!("{}-client.{}.svc", self.name, self.namespace)
    }

    fn labels(&self) -> BTreeMap<&str, &str> {
        [("app.kubernetes.io/name", self.name.as_str())].into()
    }

    fn service(&self) -> Value {
        json!({
            "metadata": {"name": format!("{}-client", self.name)},
            "spec": {"selector": self.labels(), "ports": [{"port": 2379}]},
        })
    }

    fn stateful_set(&self) -> Value {
        let command = [
            "etcd",
            "--name=only",
            "--data-dir=/var/lib/etcd/data",
            "--listen-client-urls=https://0.0.0.0:2379",
            &format!("--advertise-client-urls=https://{}:2379", self.host()),
            "--client-cert-auth=true",
            "--trusted-ca-file=/pki/ca.crt",
            "--cert-file=/pki/tls.crt",
            "--key-file=/pki/tls.key",
        ];
        json!({
            "metadata": {"name": self.name},
            "spec": {
                "replicas": 1,
                "serviceName": self.name,
                "selector": {"matchLabels": self.labels()},
                "template": {
                    "metadata": {"labels": self.labels()},
                    "spec": {
                        "terminationGracePeriodSeconds": 5,
                        "containers": [{
                            "name": "etcd", "image": IMAGE, "imagePullPolicy": "IfNotPresent",
                            "command": command,
                            "volumeMounts": [
                                {"name": "data", "mountPath": "/var/lib/etcd"},
                                {"name": "pki", "mountPath": "/pki", "readOnly": true},
                            ],
                        }],
                        "volumes": [{
                            "name": "pki",
                            "secret": {"secretName": format!("{}-server", self.name)},
                        }],
                    },
                },
                "volumeClaimTemplates": [{
                    "metadata": {"name": "data"},
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        "resources": {"requests": {"storage": "1Gi"}},
                    },
                }],
            },
        })
    }

    fn data_store(&self) -> Value {
        let reference = |suffix: &str, key: &str| {
            let name = format!("{}-{suffix}", self.name);
            json!({"secretReference": {"name": name, "namespace": self.namespace, "keyPath": key}})
        };
        json!({
            "apiVersion": "kamaji.clastix.io/v1alpha1",
            "kind": "DataStore",
            "metadata": {"name": self.name},
            "spec": {
                "driver": "etcd",
                "endpoints": [self.endpoint()],
                "tlsConfig": {
                    "certificateAuthority": {
                        "certificate": reference("ca", "ca.crt"),
                        "privateKey": reference("ca", "ca.key"),
                    },
                    "clientCertificate": {
                        "certificate": reference("root", "tls.crt"),
                        "privateKey": reference("root", "tls.key"),
                    },
                },
            },
        })
    }
}

/// Creates an object unless there is one of its name.
async fn create<K>(api: &Api<K>, body: Value) -> Result<()>
where
    K: Resource + Clone + std::fmt::Debug + serde::Serialize + DeserializeOwned,
{
    let object: K = serde_json::from_value(body)?;
    match api.create(&PostParams::default(), &object).await {
        Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(()),
        other => other.map(|_| ()).with_context(|| format!("create {:?}", object.meta().name)),
    }
}

fn tolerate_absent(outcome: Result<(), kube::Error>) -> Result<(), kube::Error> {
    match outcome {
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        other => other,
    }
}

/// etcd tells this case by its text only.
fn tolerate_existing(outcome: Result<(), etcd_client::Error>) -> Result<(), etcd_client::Error> {
    outcome.or_else(|error| if error.to_string().contains("already exists") { Ok(()) } else { Err(error) })
}

fn text<'a>(secret: &'a Secret, key: &str) -> Result<&'a str> {
    let bytes = secret.data.as_ref().and_then(|data| data.get(key)).with_context(|| format!("no {key}"))?;
    Ok(std::str::from_utf8(&bytes.0)?)
}
