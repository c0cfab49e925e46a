//! What the leader looks after, read from its caches when Prometheus asks: a series ends with its object,
//! and none has to be taken back.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use api::{DataStore, TenantControlPlane, VersionState};
use base::{Clock, SystemClock};
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::runtime::reflector::{ObjectRef, Store};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;

use super::certificates::{Certificates, End, Key, Strategy};
use super::kamaji;
use crate::stores::DataStoreLookup;

/// Labels of one series.
pub(super) type Labels = Vec<(&'static str, String)>;

/// All states, so that each has a series.
const STATES: [VersionState; 9] = [
    VersionState::Unknown,
    VersionState::Provisioning,
    VersionState::CertificateAuthorityRotating,
    VersionState::Upgrading,
    VersionState::Migrating,
    VersionState::Ready,
    VersionState::NotReady,
    VersionState::Sleeping,
    VersionState::WriteLimited,
];

/// The caches, once this replica leads, and what passes noted.
pub(crate) struct State {
    caches: RwLock<Option<Readers>>,
    certificates: Certificates,
    seen: Mutex<HashMap<Key, Option<String>>>,
    deadline: SignedDuration,
}

/// The caches that are read.
struct Readers {
    tenants: Store<TenantControlPlane>,
    data_stores: DataStoreLookup,
}

impl Readers {
    fn knows(&self, (namespace, name): &Key) -> bool {
        self.tenants.get(&ObjectRef::new(name).within(namespace)).is_some()
    }
}

/// What is exported at one moment.
pub(super) struct View<'a> {
    pub(super) tenants: &'a [Arc<TenantControlPlane>],
    pub(super) stores: &'a [Arc<DataStore>],
    pub(super) certificates: &'a [(Key, Vec<End>)],
    pub(super) deadline: SignedDuration,
    pub(super) now: jiff::Timestamp,
}

impl State {
    /// Of a replica that does not lead; certificates that end within `deadline` count as expiring.
    pub(crate) fn new(deadline: SignedDuration) -> Self {
        Self {
            caches: RwLock::default(),
            certificates: Certificates::default(),
            seen: Mutex::default(),
            deadline,
        }
    }

    /// From now on this replica leads.
    pub(crate) fn show(&self, tenants: Store<TenantControlPlane>, data_stores: DataStoreLookup) {
        let mut caches = self.caches.write().unwrap_or_else(PoisonError::into_inner);
        *caches = Some(Readers { tenants, data_stores });
    }

    /// From now on another replica may lead.
    pub(crate) fn hide(&self) {
        *self.caches.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Notes the certificates of a control plane.
    pub(crate) fn note_certificates<'a>(
        &self,
        namespace: &str,
        name: &str,
        secrets: impl Iterator<Item = &'a Secret>,
    ) {
        self.certificates.note((namespace.to_owned(), name.to_owned()), secrets);
    }

    /// Notes that a reconcile of this version of a control plane has begun.
    pub(crate) fn note_begun(&self, tenant: &TenantControlPlane) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(key(tenant), tenant.resource_version());
    }

    /// How many control planes changed since their last reconcile began.
    fn queue_depth(&self, tenants: &[Arc<TenantControlPlane>], caches: &Readers) -> usize {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|key, _| caches.knows(key));
        tenants.iter().filter(|tenant| seen.get(&key(tenant)) != Some(&tenant.resource_version())).count()
    }

    fn encode_own(
        &self,
        view: &View<'_>,
        caches: &Readers,
        encoder: &mut DescriptorEncoder<'_>,
    ) -> fmt::Result {
        gauge(
            encoder,
            "flotilla_queue_depth",
            "Control planes that changed and whose reconcile has not begun",
            [(Vec::new(), count(self.queue_depth(view.tenants, caches)))],
        )?;
        gauge(
            encoder,
            "flotilla_tenant_control_planes",
            "Control planes by state",
            STATES.map(|state| {
                let number = view.tenants.iter().filter(|tenant| state_of(tenant) == state).count();
                (vec![("state", state.as_str().to_owned())], count(number))
            }),
        )?;
        gauge(
            encoder,
            "flotilla_certificate_expiration_timestamp_seconds",
            "When the first certificate of a control plane ends, or the first of its authorities",
            view.certificates.iter().flat_map(expirations),
        )?;
        gauge(
            encoder,
            "flotilla_data_store_up",
            "Whether a data store's settings are complete and it answers",
            view.stores.iter().map(|store| {
                let is_up = store.status.as_ref().is_some_and(|status| status.ready);
                (vec![("data_store", store.name_any())], count(usize::from(is_up)))
            }),
        )?;
        gauge(
            encoder,
            "flotilla_data_store_control_planes",
            "Control planes that keep their state in a data store",
            view.stores.iter().map(|store| {
                let users = store.status.as_ref().map_or(0, |status| status.used_by.len());
                (vec![("data_store", store.name_any())], count(users))
            }),
        )
    }
}

impl fmt::Debug for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("State").finish_non_exhaustive()
    }
}

impl Collector for State {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        kamaji::encode_build(&mut encoder)?;
        let caches = self.caches.read().unwrap_or_else(PoisonError::into_inner);
        let Some(caches) = caches.as_ref() else { return Ok(()) };
        let (tenants, stores) = (caches.tenants.state(), caches.data_stores.all());
        let view = View {
            tenants: &tenants,
            stores: &stores,
            certificates: &self.certificates.of_existing(|key| caches.knows(key)),
            deadline: self.deadline,
            now: SystemClock.now(),
        };
        self.encode_own(&view, caches, &mut encoder)?;
        kamaji::encode(&view, &mut encoder)
    }
}

/// Writes one gauge with its series.
pub(super) fn gauge(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    series: impl IntoIterator<Item = (Labels, f64)>,
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (labels, value) in series {
        if labels.is_empty() {
            metric.encode_gauge(&value)?;
        } else {
            metric.encode_family(&labels)?.encode_gauge(&value)?;
        }
    }
    Ok(())
}

/// The state in a control plane's status.
pub(super) fn state_of(tenant: &TenantControlPlane) -> VersionState {
    let status = tenant.status.as_ref();
    status.and_then(|status| status.kubernetes_resources.version.status).unwrap_or(VersionState::Unknown)
}

pub(super) fn key(tenant: &TenantControlPlane) -> Key {
    (tenant.namespace().unwrap_or_default(), tenant.name_any())
}

/// A number of objects as a metric's value.
#[expect(clippy::cast_precision_loss, reason = "there are never 2^52 objects")]
pub(super) fn count(number: usize) -> f64 {
    number as f64
}

fn expirations(((namespace, name), ends): &(Key, Vec<End>)) -> impl Iterator<Item = (Labels, f64)> {
    let first = |is_of_kind: fn(Strategy) -> bool| {
        ends.iter().filter(|(strategy, _)| is_of_kind(*strategy)).filter_map(|(_, end)| *end).min()
    };
    let series = |kind: &str, end: Option<jiff::Timestamp>| {
        let labels =
            vec![("tcp_namespace", namespace.clone()), ("tcp_name", name.clone()), ("kind", kind.to_owned())];
        #[expect(clippy::cast_precision_loss, reason = "whole seconds of any date fit")]
        end.map(|end| (labels, end.as_second() as f64))
    };
    let leaf = series("leaf", first(|strategy| strategy != Strategy::Authority));
    let authority = series("authority", first(|strategy| strategy == Strategy::Authority));
    leaf.into_iter().chain(authority)
}
