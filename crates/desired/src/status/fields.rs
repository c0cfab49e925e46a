//! The fields that Kamaji has too.

use api::names::{Component, labels};
use api::{CertificateEnd, DeploymentStatus, SecretStatus, ServiceStatus, TenantControlPlaneStatus};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, LoadBalancerIngress, LoadBalancerStatus, Secret, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{DataStoreOutcome, Observed, inside};
use crate::checksum::of_secret;
use crate::metadata::checksum_of;
use crate::{Issued, Validated};

pub(super) fn fill(
    status: &mut TenantControlPlaneStatus,
    control_plane: &Validated,
    observed: &Observed<'_>,
    now: Timestamp,
) {
    // The API server keeps whole seconds.
    let now = Time(Timestamp::from_second(now.as_second()).unwrap_or(now));
    if let Some(Ok(endpoint)) = observed.endpoint {
        status.control_plane_endpoint = Some(endpoint.to_string());
    }
    if let Some(issued) = observed.issued {
        fill_credentials(status, control_plane, issued, &now);
    }
    fill_storage(status, control_plane, &observed.data_store, &now);
    if let Some(config) = observed.kubeadm_config {
        fill_kubeadm_config(status, config, &now);
    }
    let resources = &mut status.kubernetes_resources;
    if let Some(service) = observed.service {
        resources.service = Some(service_status(control_plane, service));
    }
    if let Some(live) = observed.deployment {
        let previous = resources.deployment.take();
        resources.deployment = Some(deployment_status(control_plane, live, previous.as_ref(), now.clone()));
    }
    inside::fill(status, control_plane, &observed.tenant, &now);
}

fn fill_credentials(
    status: &mut TenantControlPlaneStatus,
    control_plane: &Validated,
    issued: &Issued,
    now: &Time,
) {
    let (certificates, kubeconfigs) = (&mut status.certificates, &mut status.kubeconfig);
    let konnectivity = &mut status.addons.konnectivity;
    let places = [
        (Component::Ca, &mut certificates.ca),
        (Component::FrontProxyCa, &mut certificates.front_proxy_ca),
        (Component::ServiceAccount, &mut certificates.sa),
        (Component::ApiServer, &mut certificates.api_server),
        (Component::ApiServerKubeletClient, &mut certificates.api_server_kubelet_client),
        (Component::FrontProxyClient, &mut certificates.front_proxy_client),
        (Component::AdminKubeconfig, &mut kubeconfigs.admin),
        (Component::ControllerManagerKubeconfig, &mut kubeconfigs.controller_manager),
        (Component::SchedulerKubeconfig, &mut kubeconfigs.scheduler),
        (Component::KonnectivityCertificate, &mut konnectivity.certificate),
        (Component::KonnectivityKubeconfig, &mut konnectivity.kubeconfig),
    ];
    for (component, place) in places {
        if let Some(checksum) = issued.checksums.get(&component) {
            record(place, component.object_name(control_plane.name()), checksum.clone(), now);
        }
    }
    let ends = issued
        .ends
        .iter()
        .map(|(component, end)| CertificateEnd { name: component.label().to_owned(), not_after: Time(*end) });
    status.certificate_ends = ends.collect();
}

fn fill_kubeadm_config(status: &mut TenantControlPlaneStatus, config: &ConfigMap, now: &Time) {
    let place = &mut status.kubeadmconfig;
    let checksum = checksum_of(&config.metadata);
    if place.checksum != checksum {
        place.checksum = checksum;
        place.last_update = Some(now.clone());
    }
    place.configmap_name.clone_from(&config.metadata.name);
}

fn fill_storage(
    status: &mut TenantControlPlaneStatus,
    control_plane: &Validated,
    outcome: &DataStoreOutcome<'_>,
    now: &Time,
) {
    let DataStoreOutcome::Ready { name, driver, config, certificate } = outcome else { return };
    let storage = &mut status.storage;
    storage.driver = Some(driver.to_string());
    storage.data_store_name = Some((*name).to_owned());
    let checksum = of_secret(config);
    storage.config.secret_name = name_of(config);
    storage.config.checksum = Some(checksum.clone());
    let setup = &mut storage.setup;
    setup.schema = Some(control_plane.schema().to_owned());
    setup.user = Some(control_plane.user().to_owned());
    if setup.checksum.as_ref() != Some(&checksum) {
        setup.checksum = Some(checksum);
        setup.last_update = Some(now.clone());
    }
    if let Some(secret) = certificate {
        let name = Component::DataStoreCertificate.object_name(control_plane.name());
        record(&mut storage.certificate, name, of_secret(secret), now);
    } else {
        storage.certificate = SecretStatus::default();
    }
}

fn record(place: &mut SecretStatus, name: String, checksum: String, now: &Time) {
    if place.checksum.as_ref() != Some(&checksum) {
        place.checksum = Some(checksum);
        place.last_update = Some(now.clone());
    }
    place.secret_name = Some(name);
}

fn name_of(secret: &Secret) -> Option<String> {
    secret.metadata.name.clone()
}

pub(super) fn service_status(control_plane: &Validated, service: &Service) -> ServiceStatus {
    let live = service.status.clone().unwrap_or_default();
    let ingress = live.load_balancer.unwrap_or_default().ingress.map(|entries| {
        entries.into_iter().map(|entry| LoadBalancerIngress { ports: None, ..entry }).collect()
    });
    ServiceStatus {
        conditions: live.conditions.unwrap_or_default(),
        load_balancer: Some(LoadBalancerStatus { ingress }),
        name: control_plane.name().to_owned(),
        namespace: control_plane.namespace().to_owned(),
        port: control_plane.port().into(),
    }
}

fn deployment_status(
    control_plane: &Validated,
    live: &Deployment,
    previous: Option<&DeploymentStatus>,
    now: Time,
) -> DeploymentStatus {
    let status = live.status.clone().unwrap_or_default();
    let since = previous.and_then(|previous| previous.last_update.clone());
    let new = DeploymentStatus {
        available_replicas: status.available_replicas,
        collision_count: status.collision_count,
        conditions: status.conditions.unwrap_or_default(),
        observed_generation: status.observed_generation,
        ready_replicas: status.ready_replicas,
        replicas: status.replicas,
        terminating_replicas: status.terminating_replicas,
        unavailable_replicas: status.unavailable_replicas,
        updated_replicas: status.updated_replicas,
        selector: format!("{}={}", labels::NAME, control_plane.name()),
        name: control_plane.name().to_owned(),
        namespace: control_plane.namespace().to_owned(),
        last_update: since,
    };
    if previous == Some(&new) && new.last_update.is_some() {
        new
    } else {
        DeploymentStatus { last_update: Some(now), ..new }
    }
}
