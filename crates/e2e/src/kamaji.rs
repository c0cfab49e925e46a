//! What Kamaji leaves in a management cluster when its operator is stopped: a fixture for adoption.
//!
//! Shapes and texts are those of Kamaji built on kubeadm 1.36.3: keys are RSA in PKCS#1, kubeconfigs are
//! as client-go writes them, the ConfigMap holds kubeadm's structures as kubeadm's own code printed them.
//! Two things differ: images are pulled only if they are missing, since the machine has no registry, and
//! etcd has one member.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use api::TenantControlPlane;
use base::{Clock, SystemClock};
use etcd_client::{Permission, PermissionType, UserAddOptions};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret, Service};
use k8s_openapi::api::rbac::v1::ClusterRoleBinding;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::{Client, Resource, ResourceExt};
use pki::{CertificateAuthority, Pair, PrivateKey};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::etcd::Etcd;
use crate::{Cluster, eventually};

mod credentials;
mod deployment;
mod installation;
mod keys;
mod objects;
mod status;

use objects::Made;

/// Kamaji's field manager: the name of its program.
pub(crate) const MANAGER: &str = "kamaji";
const NAMESPACE: &str = "kamaji-system";
/// Name of the DataStore that its chart makes.
const STORE: &str = "default";
const PATIENCE: Duration = Duration::from_mins(3);

/// An installation whose operator has been stopped.
#[derive(Clone)]
pub struct Kamaji {
    client: Client,
    etcd: Etcd,
}

/// A control plane that runs in it.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Name of the control plane.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// UID, which is schema and user in the store too.
    pub uid: String,
    /// Address of the load balancer.
    pub address: String,
    /// Port of the API server.
    pub port: u16,
    /// Pods.
    pub replicas: i32,
    pub(crate) version: String,
    pub(crate) store: String,
    pub(crate) store_endpoint: String,
    pub(crate) pull_policy: &'static str,
}

impl Kamaji {
    /// Lays down definitions, store and lease.
    pub async fn install(cluster: &Cluster) -> Result<Self> {
        let client = cluster.client().await?;
        installation::definitions(&client).await?;
        let etcd = Etcd::deploy(cluster, NAMESPACE, STORE).await?;
        installation::operator(&client, NAMESPACE).await?;
        Ok(Self { client, etcd })
    }

    /// The store.
    #[must_use]
    pub fn etcd(&self) -> &Etcd {
        &self.etcd
    }

    /// Lays down a control plane behind a load balancer and waits until its pods are ready.
    pub async fn tenant(&self, namespace: &str, name: &str, replicas: i32) -> Result<Facts> {
        let space: Namespace = serde_json::from_value(json!({"metadata": {"name": namespace}}))?;
        create(&Api::all(self.client.clone()), &space).await?;
        let settings = json!({"metadata": {"name": "settings"}, "data": {"a": "b"}});
        create(&self.beside::<ConfigMap>(namespace), &serde_json::from_value(settings)?).await?;
        let tenant = Box::pin(self.create_tenant(namespace, name, replicas)).await?;
        let mut facts = Facts {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            uid: tenant.uid().context("no UID")?,
            address: String::new(),
            port: 6443,
            replicas,
            version: "v1.36.3".to_owned(),
            store: STORE.to_owned(),
            store_endpoint: format!("{STORE}-client.{NAMESPACE}.svc:2379"),
            pull_policy: "IfNotPresent",
        };
        self.make(namespace, &objects::service(&facts)).await?;
        facts.address = self.address(&facts).await?;
        let secrets = self.make_material(&facts).await?;
        self.make(namespace, &deployment::deployment(&facts, &secrets)).await?;
        let deployment = self.rolled_out(&facts).await?;
        self.fill_tenant(&facts, &secrets).await?;
        let service: Service = self.beside(namespace).get(name).await?;
        let config = objects::kubeadm_config(&facts);
        let report = status::status(&facts, &tenant, &secrets, &config, &service, &deployment)?;
        self.finish(&facts, report).await?;
        installation::mark_store(&self.client, &facts).await?;
        Ok(facts)
    }

    /// Lays down the webhooks, which stand in the way of every control plane from now on.
    pub async fn leave_webhooks(&self) -> Result<()> {
        installation::webhooks(&self.client).await
    }

    fn beside<K>(&self, namespace: &str) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// The spec as it stands after Kamaji's webhook has filled it in.
    async fn create_tenant(&self, namespace: &str, name: &str, replicas: i32) -> Result<TenantControlPlane> {
        let mount = json!([{"name": "settings", "mountPath": "/settings"}]);
        let body = json!({
            "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
            "metadata": {"name": name, "namespace": namespace, "labels": {"tenant.clastix.io": name}},
            "spec": {
                "dataStore": STORE,
                "controlPlane": {
                    "deployment": {
                        "replicas": replicas,
                        "additionalMetadata": {"labels": {"team": "payments"}},
                        "additionalVolumes": [{"name": "settings", "configMap": {"name": "settings"}}],
                        "additionalVolumeMounts": {"apiServer": mount},
                    },
                    "service": {"serviceType": "LoadBalancer"},
                },
                "kubernetes": {"version": "v1.36.3", "kubelet": {}},
                "networkProfile": {
                    "port": 6443, "serviceCidrs": ["10.96.0.0/16"], "podCidrs": ["10.244.0.0/16"],
                    "dnsServiceIPs": ["10.96.0.10"],
                },
            },
        });
        let tenants: Api<TenantControlPlane> = self.beside(namespace);
        tenants.create(&PostParams::default(), &serde_json::from_value(body)?).await?;
        let ours = json!({
            "metadata": {"finalizers": ["finalizer.kamaji.clastix.io", "finalizer.kamaji.clastix.io/soot"]},
        });
        Ok(tenants.patch(name, &as_kamaji(), &Patch::Merge(ours)).await?)
    }

    async fn address(&self, facts: &Facts) -> Result<String> {
        let services: Api<Service> = self.beside(&facts.namespace);
        eventually("the load balancer has an address", PATIENCE, || async {
            let service = services.get(&facts.name).await?;
            let status = service.status.and_then(|status| status.load_balancer);
            let ingress = status.and_then(|balancer| balancer.ingress).unwrap_or_default();
            ingress.into_iter().find_map(|entry| entry.ip).context("no address yet")
        })
        .await
    }

    /// Secrets, ConfigMap, and the user in the store.
    async fn make_material(&self, facts: &Facts) -> Result<Vec<Made>> {
        let now = SystemClock.now();
        let mut secrets = credentials::credentials(facts, now)?;
        secrets.extend(credentials::store(facts, &self.store_authority().await?, now)?);
        for secret in &secrets {
            self.make(&facts.namespace, secret).await?;
        }
        self.make(&facts.namespace, &objects::kubeadm_config(facts)).await?;
        let mut etcd = self.etcd.administrator().await?;
        let (uid, range) = (facts.uid.as_str(), format!("/{}/", facts.uid));
        etcd.role_add(uid).await?;
        let end = format!("/{uid}0");
        let permission = Permission::new(PermissionType::Readwrite, range).with_range_end(end);
        etcd.role_grant_permission(uid, permission).await?;
        etcd.user_add(uid, "", Some(UserAddOptions::new().with_no_pwd())).await?;
        etcd.user_grant_role(uid, uid).await?;
        Ok(secrets)
    }

    async fn store_authority(&self) -> Result<CertificateAuthority> {
        let secret: Secret = self.beside(NAMESPACE).get(&format!("{STORE}-ca")).await?;
        let text = |key: &str| -> Result<String> {
            let bytes = secret.data.as_ref().and_then(|data| data.get(key)).context("no such key")?;
            Ok(String::from_utf8(bytes.0.clone())?)
        };
        let pair = Pair { certificate: text("ca.crt")?, private_key: PrivateKey::from_pem(text("ca.key")?) };
        Ok(CertificateAuthority::from_pair(pair)?)
    }

    async fn rolled_out(&self, facts: &Facts) -> Result<Deployment> {
        let deployments: Api<Deployment> = self.beside(&facts.namespace);
        eventually(&format!("{} runs under Kamaji", facts.name), PATIENCE, || async {
            let deployment = deployments.get(&facts.name).await?;
            let status = deployment.status.clone().unwrap_or_default();
            if status.ready_replicas != Some(facts.replicas) || status.unavailable_replicas.is_some() {
                bail!("{status:?}");
            }
            Ok(deployment)
        })
        .await
    }

    /// What Kamaji's controllers put into the tenant's cluster, as far as a workload could miss it.
    async fn fill_tenant(&self, facts: &Facts, secrets: &[Made]) -> Result<()> {
        let tenant = client(&kubeconfig_of(secrets, "super-admin.conf")?).await?;
        let admins = json!({
            "metadata": {"name": "kubeadm:cluster-admins"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin",
            },
            "subjects": [{
                "apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "kubeadm:cluster-admins",
            }],
        });
        create::<ClusterRoleBinding>(&Api::all(tenant.clone()), &serde_json::from_value(admins)?).await?;
        ensure!(!facts.address.is_empty(), "no address");
        Ok(())
    }

    async fn make(&self, namespace: &str, made: &Made) -> Result<()> {
        let object = made.object.clone();
        match made.plural {
            "secrets" => create::<Secret>(&self.beside(namespace), &serde_json::from_value(object)?).await,
            "services" => create::<Service>(&self.beside(namespace), &serde_json::from_value(object)?).await,
            "configmaps" => {
                create::<ConfigMap>(&self.beside(namespace), &serde_json::from_value(object)?).await
            }
            _ => create::<Deployment>(&self.beside(namespace), &serde_json::from_value(object)?).await,
        }
    }

    async fn finish(&self, facts: &Facts, status: Value) -> Result<()> {
        let tenants: Api<TenantControlPlane> = self.beside(&facts.namespace);
        let patch = Patch::Merge(json!({"status": status}));
        tenants.patch_status(&facts.name, &as_kamaji(), &patch).await?;
        Ok(())
    }
}

/// The text of one of the administrator's kubeconfigs.
fn kubeconfig_of(secrets: &[Made], key: &str) -> Result<String> {
    let admin = secrets.iter().find(|secret| secret.name().ends_with("-admin-kubeconfig"));
    let value = admin.context("no Secret of the administrator")?.object["data"][key].clone();
    let bytes: k8s_openapi::ByteString = serde_json::from_value(value)?;
    Ok(String::from_utf8(bytes.0)?)
}

/// A client with a kubeconfig.
pub(crate) async fn client(kubeconfig: &str) -> Result<Client> {
    Ok(kubekit::client_for_kubeconfig(kubeconfig, None, Some(Duration::from_secs(10))).await?)
}

pub(crate) fn as_kamaji() -> PatchParams {
    PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() }
}

/// Creates an object as Kamaji does; one that is there already is left.
pub(crate) async fn create<K>(api: &Api<K>, object: &K) -> Result<()>
where
    K: Resource + Serialize + DeserializeOwned + Clone + std::fmt::Debug,
{
    let parameters = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
    match api.create(&parameters, object).await {
        Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(()),
        other => other.map(|_| ()).with_context(|| format!("create {:?}", object.meta().name)),
    }
}
