//! Metrics under Kamaji's names and with its labels, so that dashboards made for it go on.

use std::collections::BTreeMap;
use std::fmt;

use api::condition::Holds;
use api::{DataStore, TenantControlPlane, VersionState};
use kube::ResourceExt;
use prometheus_client::encoding::DescriptorEncoder;

use super::certificates::{Strategy, status};
use super::state::{Labels, View, count, gauge, key, state_of};
use crate::data_stores::VALIDATION;

/// What was built.
pub(super) fn encode_build(encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let labels = [
        ("version", env!("CARGO_PKG_VERSION")),
        ("commit", ""),
        ("dirty", ""),
        ("repo", env!("CARGO_PKG_REPOSITORY")),
        ("build_time", ""),
    ];
    let labels = labels.map(|(key, value)| (key, value.to_owned())).to_vec();
    gauge(encoder, "kamaji_build_info", "Version of the operator", [(labels, 1.0)])
}

/// Everything that is about objects.
pub(super) fn encode(view: &View<'_>, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    encode_tenants(view, encoder)?;
    encode_stores(view, encoder)?;
    gauge(
        encoder,
        "kamaji_certificates_current",
        "Certificate Secrets of a control plane by status and kind",
        certificates(view),
    )
}

fn encode_tenants(view: &View<'_>, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    gauge(
        encoder,
        "kamaji_tenant_control_plane_info",
        "A control plane and its settings",
        view.tenants.iter().map(|tenant| (info(tenant), 1.0)),
    )?;
    gauge(
        encoder,
        "kamaji_tenant_control_plane_status",
        "State of a control plane",
        view.tenants.iter().map(|tenant| {
            let mut labels = identity(tenant);
            labels.push(("status", state_of(tenant).as_str().to_owned()));
            labels.push(("ready", is_ready(tenant).to_string()));
            (labels, 1.0)
        }),
    )?;
    gauge(
        encoder,
        "kamaji_tenant_control_planes_current",
        "Control planes by readiness",
        [true, false].map(|ready| {
            let number = view.tenants.iter().filter(|tenant| is_ready(tenant) == ready).count();
            (vec![("ready", ready.to_string())], count(number))
        }),
    )
}

fn encode_stores(view: &View<'_>, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let named = |store: &DataStore| ("datastore_name", store.name_any());
    let driver = |store: &DataStore| ("driver", store.spec.driver.to_string());
    gauge(
        encoder,
        "kamaji_datastore_info",
        "A data store and its driver",
        view.stores.iter().map(|store| (vec![named(store), driver(store)], 1.0)),
    )?;
    gauge(
        encoder,
        "kamaji_datastore_status",
        "State of a data store",
        view.stores.iter().map(|store| {
            let ready = is_up(store).to_string();
            (vec![named(store), ("status", validation(store)), ("ready", ready)], 1.0)
        }),
    )?;
    gauge(
        encoder,
        "kamaji_datastores_current",
        "Data stores by readiness and driver",
        view.stores.iter().flat_map(|store| {
            [true, false].map(|ready| {
                let labels = vec![named(store), ("ready", ready.to_string()), driver(store)];
                (labels, count(usize::from(is_up(store) == ready)))
            })
        }),
    )
}

fn certificates(view: &View<'_>) -> Vec<(Labels, f64)> {
    let mut series = Vec::new();
    for ((namespace, name), ends) in view.certificates {
        let mut counts = BTreeMap::new();
        for kind in ["x509", "kubeconfig"] {
            for state in ["valid", "expiring", "invalid"] {
                counts.insert((state, kind), 0_usize);
            }
        }
        for (strategy, end) in ends {
            let kind = match strategy {
                Strategy::Authority => continue,
                Strategy::X509 => "x509",
                Strategy::Kubeconfig => "kubeconfig",
            };
            *counts.entry((status(*end, view.deadline, view.now), kind)).or_default() += 1;
        }
        series.extend(counts.into_iter().map(|((state, kind), number)| {
            let labels = vec![
                ("tcp_namespace", namespace.clone()),
                ("tcp_name", name.clone()),
                ("status", state.to_owned()),
                ("strategy", kind.to_owned()),
            ];
            (labels, count(number))
        }));
    }
    series
}

fn identity(tenant: &TenantControlPlane) -> Labels {
    let (namespace, name) = key(tenant);
    vec![("tcp_namespace", namespace), ("tcp_name", name)]
}

fn info(tenant: &TenantControlPlane) -> Labels {
    let status = tenant.status.clone().unwrap_or_default();
    let front = &tenant.spec.control_plane;
    let exposure = if front.gateway.is_some() { "gateway" } else { "service" };
    let mut labels = identity(tenant);
    labels.extend([
        ("kubernetes_version", tenant.spec.kubernetes.version.clone()),
        ("datastore_driver", status.storage.driver.unwrap_or_else(|| "unknown".to_owned())),
        (
            "address",
            status.control_plane_endpoint.map_or_else(String::new, |found| format!("https://{found}")),
        ),
        ("exposure_strategy", exposure.to_owned()),
    ]);
    labels
}

fn is_ready(tenant: &TenantControlPlane) -> bool {
    state_of(tenant) == VersionState::Ready
}

fn is_up(store: &DataStore) -> bool {
    store.status.as_ref().is_some_and(|status| status.ready)
}

/// Status of the condition that the store's settings are complete.
fn validation(store: &DataStore) -> String {
    let conditions = store.status.iter().flat_map(|status| &status.conditions);
    let mut validations = conditions.filter(|condition| condition.type_ == VALIDATION);
    validations.next().map_or_else(|| Holds::Unknown.as_str().to_owned(), |found| found.status.clone())
}
