//! The steps of one pass, in the order in which one needs the other; what is independent runs in parallel.

use std::sync::Arc;
use std::time::Duration;

use api::condition::Kind;
use api::names::{Component, annotations, labels};
use api::{Driver, TenantControlPlane};
use desired::gate::Position;
use desired::{
    Credentials, DataStoreOutcome, DeploymentInputs, Endpoint, Failure, Observed, Renewal, Secrets, Start,
    TenantOutcome, Unassigned, Validated,
};
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Secret, Service};
use kube::ResourceExt;
use kube::api::{Api, ListParams};

use super::storage::{self, Storage};
use super::tenant_objects;
use super::{LOOK_EVERY, RETRY_AFTER};
use crate::caches::Caches;
use crate::context::Context;
use crate::data_stores::chain;
use crate::start_gate::Answer;

/// Certificates are renewed this long before they end, as Kamaji's `--certificate-expiration-deadline`.
const DEADLINE: SignedDuration = SignedDuration::from_hours(24);

/// How far a pass came.
#[derive(Default)]
pub(super) struct Pass {
    service: Option<Service>,
    endpoint: Option<Result<Endpoint, Unassigned>>,
    store: DataStoreOutcome<'static>,
    ready_store: Option<ReadyStore>,
    credentials: Option<Credentials>,
    deployment: Option<Deployment>,
    queue: Option<Position>,
    tenant: TenantOutcome,
    failure: Option<Failure>,
    ask_again: Option<Duration>,
}

/// What the status tells of a store that holds a place for the tenant.
struct ReadyStore {
    name: String,
    driver: Driver,
    config: Secret,
    certificate: Option<Secret>,
}

impl Pass {
    /// What the status is made from.
    pub(super) fn observed(&self) -> Observed<'_> {
        Observed {
            service: self.service.as_ref(),
            endpoint: self.endpoint.as_ref().map(|found| found.as_ref().map_err(|missing| *missing)),
            data_store: match &self.ready_store {
                Some(ready) => DataStoreOutcome::Ready {
                    name: &ready.name,
                    driver: ready.driver,
                    config: &ready.config,
                    certificate: ready.certificate.as_ref(),
                },
                None => self.store.clone(),
            },
            issued: self.credentials.as_ref().map(Credentials::issued),
            deployment: self.deployment.as_ref(),
            queue: self.queue,
            tenant: self.tenant.clone(),
            failure: self.failure.clone(),
        }
    }

    /// When the next pass is due though nothing changes.
    pub(super) fn again(&self, now: Timestamp) -> Duration {
        let is_stuck = self.failure.is_some()
            || matches!(self.tenant, TenantOutcome::Failed { .. })
            || matches!(self.store, DataStoreOutcome::Unreachable { .. } | DataStoreOutcome::NotReady { .. });
        if is_stuck {
            return RETRY_AFTER;
        }
        let renewal = self.credentials.as_ref().map(|credentials| credentials.issued().renew_at);
        let until = renewal.and_then(|due| Duration::try_from(due.duration_since(now)).ok());
        self.ask_again.or(until).unwrap_or(LOOK_EVERY).max(Duration::from_millis(100))
    }

    fn fail(mut self, kind: Kind, error: &dyn std::error::Error) -> Self {
        self.failure = Some(Failure { kind, message: chain(error) });
        self
    }
}

/// Runs the steps until one cannot be done now.
pub(super) async fn run(
    tenant: &TenantControlPlane,
    validated: &Validated,
    context: &Context,
    now: Timestamp,
) -> Pass {
    let mut pass = Pass::default();
    let is_set_up = tenant.status.as_ref().is_some_and(|status| status.storage.setup.user.is_some());
    let storage = match storage::prepare(tenant, validated, is_set_up, context).await {
        Ok(storage) => storage,
        Err(outcome) => {
            pass.store = outcome;
            return pass;
        }
    };
    pass.store = storage.trouble.clone().unwrap_or_default();

    let endpoint = match apply_service(&mut pass, validated, context).await {
        Ok(Some(endpoint)) => endpoint,
        Ok(None) => return pass,
        Err(error) => return pass.fail(Kind::AddressAssigned, &error),
    };
    let renewal = Renewal { now, deadline: DEADLINE };
    let existing = match existing_secrets(validated, context).await {
        Ok(existing) => existing,
        Err(error) => return pass.fail(Kind::CertificatesReady, &error),
    };
    let credentials = match desired::credentials(validated, &endpoint, &existing, renewal) {
        Ok(credentials) => credentials,
        Err(error) => return pass.fail(Kind::CertificatesReady, &error),
    };
    let store = match store_secrets(validated, &storage, &existing, renewal) {
        Ok(store) => store,
        Err(error) => return pass.fail(Kind::DataStoreReady, &error),
    };
    let store_secrets = std::iter::once(&store.config).chain(&store.certificate);
    let all = credentials.secrets().iter().chain(store_secrets);
    let writes =
        all.map(|secret| context.applier.apply(secret, existing.get(&secret.name_any()).map(AsRef::as_ref)));
    if let Err(error) = try_join_all(writes).await {
        return pass.fail(Kind::CertificatesReady, &error);
    }

    let start = ask_gate(&mut pass, tenant, validated, context, now);
    let deployed = apply_deployment(
        &Parts {
            validated,
            endpoint: &endpoint,
            credentials: &credentials,
            storage: &storage,
            store: &store,
            start,
            now,
        },
        context,
    )
    .await;
    pass.credentials = Some(credentials);
    if storage.trouble.is_none() {
        pass.ready_store = Some(store);
    }
    match deployed {
        Ok(deployment) => pass.deployment = Some(deployment),
        Err(error) => {
            context.gate.forget(tenant);
            return pass.fail(Kind::ControlPlaneAvailable, &error);
        }
    }
    prepare_tenant(&mut pass, tenant, validated, &endpoint, context).await;
    pass
}

/// Applies the Service and finds the address, if there is one yet.
async fn apply_service(
    pass: &mut Pass,
    validated: &Validated,
    context: &Context,
) -> Result<Option<Endpoint>, kubekit::ApplyError> {
    let live = Caches::find(&context.caches.services, validated.namespace(), validated.name());
    let applied = context.applier.apply(&desired::service(validated), live.as_deref()).await?.into_inner();
    let endpoint = desired::endpoint(validated, &applied);
    pass.service = Some(applied);
    pass.endpoint = Some(endpoint.clone());
    Ok(endpoint.ok())
}

/// The Secrets that exist. The cache may not have seen them yet, and a key that is made twice breaks
/// the cluster: where one is missing, the API server is asked.
async fn existing_secrets(validated: &Validated, context: &Context) -> Result<Secrets, kube::Error> {
    let names: Vec<String> = SECRETS.iter().map(|part| part.object_name(validated.name())).collect();
    let cached = context.caches.secrets_of(validated.namespace(), &names);
    if cached.len() == names.len() {
        return Ok(cached);
    }
    let api: Api<Secret> = Api::namespaced(context.client.clone(), validated.namespace());
    let own = format!("{}={},{}={}", labels::PROJECT, labels::PROJECT_VALUE, labels::NAME, validated.name());
    let listed = api.list(&ListParams::default().labels(&own)).await?;
    Ok(listed.into_iter().map(|secret| (secret.name_any(), Arc::new(secret))).collect())
}

const SECRETS: [Component; 11] = [
    Component::Ca,
    Component::FrontProxyCa,
    Component::ServiceAccount,
    Component::ApiServer,
    Component::ApiServerKubeletClient,
    Component::FrontProxyClient,
    Component::AdminKubeconfig,
    Component::ControllerManagerKubeconfig,
    Component::SchedulerKubeconfig,
    Component::DataStoreConfig,
    Component::DataStoreCertificate,
];

fn store_secrets(
    validated: &Validated,
    storage: &Storage,
    existing: &Secrets,
    renewal: Renewal,
) -> Result<ReadyStore, desired::data_store::Error> {
    let find = |part: Component| existing.get(&part.object_name(validated.name())).map(AsRef::as_ref);
    let password = uuid::Uuid::new_v4().to_string();
    let material = &storage.material;
    let config =
        desired::data_store::config_secret(validated, material, find(Component::DataStoreConfig), &password);
    let certificate = desired::data_store::certificate_secret(
        validated,
        material,
        find(Component::DataStoreCertificate),
        renewal,
    )?;
    Ok(ReadyStore { name: material.name.clone(), driver: material.driver, config, certificate })
}

fn ask_gate(
    pass: &mut Pass,
    tenant: &TenantControlPlane,
    validated: &Validated,
    context: &Context,
    now: Timestamp,
) -> Start {
    if validated.is_sleeping() {
        context.gate.forget(tenant);
        return Start::Admitted;
    }
    match context.gate.ask(tenant, &context.caches, now) {
        Answer::Admitted => Start::Admitted,
        Answer::Waits { position, ask_again } => {
            pass.queue = Some(position);
            pass.ask_again = Some(ask_again);
            Start::Held
        }
    }
}

/// What the Deployment is made of.
struct Parts<'a> {
    validated: &'a Validated,
    endpoint: &'a Endpoint,
    credentials: &'a Credentials,
    storage: &'a Storage,
    store: &'a ReadyStore,
    start: Start,
    now: Timestamp,
}

async fn apply_deployment(parts: &Parts<'_>, context: &Context) -> Result<Deployment, kubekit::ApplyError> {
    let validated = parts.validated;
    let live = Caches::find(&context.caches.deployments, validated.namespace(), validated.name());
    let settings = desired::Settings {
        kine_image: context.settings.kine_image.clone(),
        go_gc: Some(context.settings.go_gc).filter(|percent| *percent > 0),
    };
    let inputs = DeploymentInputs {
        checksums: &parts.credentials.issued().checksums,
        store: &parts.storage.material,
        store_config: checksum(&parts.store.config),
        store_certificate: parts.store.certificate.as_ref().map_or("", checksum),
        overrides: &parts.storage.overrides,
        settings: &settings,
        start: parts.start,
        live: live.as_deref(),
        now: parts.now,
    };
    let wanted = desired::deployment(validated, parts.endpoint, &inputs);
    Ok(context.applier.apply(&wanted, live.as_deref()).await?.into_inner())
}

fn checksum(secret: &Secret) -> &str {
    secret.annotations().get(annotations::CHECKSUM).map_or("", String::as_str)
}

/// Once a pod is ready: what must stand in the tenant's cluster, unless it was put there already.
async fn prepare_tenant(
    pass: &mut Pass,
    tenant: &TenantControlPlane,
    validated: &Validated,
    endpoint: &Endpoint,
    context: &Context,
) {
    let uid = tenant.uid().unwrap_or_default();
    let status = pass.deployment.as_ref().and_then(|deployment| deployment.status.as_ref());
    if status.and_then(|status| status.ready_replicas).unwrap_or_default() == 0 {
        if validated.is_sleeping() {
            context.prepared.forget(&uid);
        }
        return;
    }
    let key = tenant.annotations().get(annotations::KUBECONFIG_SECRET_KEY);
    let key = key.map_or("super-admin.conf", String::as_str);
    let Some(credentials) = &pass.credentials else { return };
    let Some(kubeconfig) = credentials.admin_kubeconfig(key) else {
        let message = format!(
            "the administrator's Secret has no key `{key}`; mend the annotation {}",
            annotations::KUBECONFIG_SECRET_KEY
        );
        pass.tenant = TenantOutcome::Failed { message };
        return;
    };
    let fingerprint =
        credentials.issued().checksums.get(&Component::AdminKubeconfig).cloned().unwrap_or_default();
    if !context.prepared.is_current(&uid, &fingerprint) {
        let address = endpoint.service_ip.map_or_else(
            || validated.service_host(),
            |ip| match ip {
                std::net::IpAddr::V4(address) => address.to_string(),
                std::net::IpAddr::V6(address) => format!("[{address}]"),
            },
        );
        let reach = kubekit::Endpoint {
            url: format!("https://{address}:{}", validated.port()),
            server_name: validated.service_host(),
        };
        if let Err(error) = tenant_objects::apply(kubeconfig, &reach).await {
            pass.tenant = TenantOutcome::Failed { message: chain(&error) };
            return;
        }
        context.prepared.note(&uid, fingerprint);
    }
    pass.tenant = TenantOutcome::Done { checksum: None };
}
