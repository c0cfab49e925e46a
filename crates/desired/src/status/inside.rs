//! What is said of the tenant's own cluster.

use api::condition::{Kind, Reason, Report};
use api::{
    AddonStatus, AddonsSpec, KonnectivityAgentStatus, KonnectivityStatus, ObjectStatus,
    TenantControlPlaneStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::Observed;
use super::version::ready_replicas;
use crate::inside::{AGENT, AGENT_BINDING, Part};
use crate::{Validated, shared_tunnel};

/// What happened inside the tenant's cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TenantOutcome {
    /// The pass did not come to it, or had to leave it alone.
    #[default]
    Pending,
    /// It was gone through.
    Done(Inside),
    /// It could not be reached.
    Failed {
        /// What went wrong.
        message: String,
    },
}

/// How the tenant's cluster stands after it was gone through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inside {
    /// Checksum of what workers need to join.
    pub join_checksum: Option<String>,
    /// What does not stand as it should, and why.
    pub faults: Vec<(Part, String)>,
    /// Whether some of that may pass by itself: the API server refused it.
    pub is_refused: bool,
}

/// Fills in Kamaji's fields.
pub(super) fn fill(
    status: &mut TenantControlPlaneStatus,
    control_plane: &Validated,
    outcome: &TenantOutcome,
    now: &Time,
) {
    let TenantOutcome::Done(inside) = outcome else { return };
    let phase = &mut status.kubeadm_phase.bootstrap_token;
    if inside.join_checksum.is_some() && phase.checksum != inside.join_checksum {
        phase.checksum.clone_from(&inside.join_checksum);
        phase.last_update = Some(now.clone());
    }
    let wished = control_plane.spec().addons.clone().unwrap_or_default();
    fill_addon(&mut status.addons.core_dns, wished.core_dns.is_some(), now);
    fill_addon(&mut status.addons.kube_proxy, wished.kube_proxy.is_some(), now);
    fill_agent(&mut status.addons.konnectivity, &wished, now);
}

fn fill_addon(status: &mut AddonStatus, is_wished: bool, now: &Time) {
    if status.enabled != is_wished {
        *status = AddonStatus { enabled: is_wished, last_update: Some(now.clone()) };
    }
}

fn fill_agent(status: &mut KonnectivityStatus, wished: &AddonsSpec, now: &Time) {
    let Some(tunnel) = &wished.konnectivity else {
        status.sa = ObjectStatus::default();
        status.clusterrolebinding = ObjectStatus::default();
        status.agent = KonnectivityAgentStatus::default();
        return;
    };
    let named = |namespace: Option<&str>, name: &str, since: Option<Time>| ObjectStatus {
        name: Some(name.to_owned()),
        namespace: namespace.map(str::to_owned),
        last_update: since,
    };
    status.sa = named(Some(&AGENT.namespace), &AGENT.name, status.sa.last_update.clone());
    status.clusterrolebinding =
        named(None, &AGENT_BINDING.name, status.clusterrolebinding.last_update.clone());
    let agent = KonnectivityAgentStatus {
        name: Some(AGENT.name.into_owned()),
        namespace: Some(AGENT.namespace.into_owned()),
        last_update: status.agent.last_update.clone(),
        mode: Some(tunnel.agent.as_ref().and_then(|agent| agent.mode).unwrap_or_default()),
    };
    if status.agent != agent || agent.last_update.is_none() {
        status.agent = KonnectivityAgentStatus { last_update: Some(now.clone()), ..agent };
    }
}

/// Whether what workers and administrators need is there.
pub(super) fn objects(control_plane: &Validated, observed: &Observed<'_>) -> Option<Report> {
    let kind = Kind::TenantObjectsReady;
    match &observed.tenant {
        TenantOutcome::Done(inside) => Some(match sum(inside, |part| part.addon().is_none()) {
            None => {
                Report::holds(kind, Reason::Applied, "what workers need to join is in the tenant's cluster")
            }
            Some(message) => Report::fails(kind, Reason::ApplyFailed, message),
        }),
        TenantOutcome::Failed { message } => {
            Some(Report::fails(kind, Reason::TenantUnreachable, message.clone()))
        }
        TenantOutcome::Pending if control_plane.is_sleeping() => None,
        TenantOutcome::Pending => observed.deployment.filter(|live| ready_replicas(live) == 0).map(|_| {
            Report::unknown(kind, Reason::Pending, "the tenant's cluster is looked at once a pod is ready")
        }),
    }
}

/// Whether the addons are there. Before the tenant's cluster was seen, there is nothing to say but that
/// none is wished.
pub(super) fn addons(control_plane: &Validated, observed: &Observed<'_>) -> Option<Report> {
    let kind = Kind::AddonsReady;
    if shared_tunnel::is_wished(control_plane.spec()) && control_plane.shared_tunnel().is_none() {
        return Some(Report::fails(kind, Reason::NoSharedTunnel, NO_SHARED_TUNNEL));
    }
    let addons = control_plane.spec().addons.clone().unwrap_or_default();
    let wished: Vec<&str> = [
        (Part::CoreDns, addons.core_dns.is_some()),
        (Part::KubeProxy, addons.kube_proxy.is_some()),
        (Part::Konnectivity, addons.konnectivity.is_some()),
    ]
    .into_iter()
    .filter_map(|(part, is_wished)| part.addon().filter(|_| is_wished))
    .collect();
    match &observed.tenant {
        TenantOutcome::Done(inside) => Some(match sum(inside, |part| part.addon().is_some()) {
            Some(message) => Report::fails(kind, Reason::ApplyFailed, message),
            None if wished.is_empty() => no_addons(),
            None => Report::holds(
                kind,
                Reason::Applied,
                format!("these stand in the tenant's cluster: {}", wished.join(", ")),
            ),
        }),
        _ if wished.is_empty() => Some(no_addons()),
        TenantOutcome::Failed { message } => {
            Some(Report::fails(kind, Reason::TenantUnreachable, message.clone()))
        }
        TenantOutcome::Pending => observed
            .deployment
            .filter(|live| ready_replicas(live) == 0)
            .map(|_| Report::unknown(kind, Reason::Pending, "addons are brought in once a pod is ready")),
    }
}

const NO_SHARED_TUNNEL: &str = "konnectivity: the spec asks for the shared tunnel and the installation has \
    none, so that the API server connects to workers directly; have tunnel.enabled=true set in the chart, or \
    remove spec.addons.konnectivity.server.shared";

fn no_addons() -> Report {
    Report::holds(Kind::AddonsReady, Reason::NoAddons, "the spec asks for no addon")
}

/// The faults of some parts in one sentence; addons with their names.
fn sum(inside: &Inside, concerns: fn(Part) -> bool) -> Option<String> {
    let texts: Vec<String> = inside
        .faults
        .iter()
        .filter(|(part, _)| concerns(*part))
        .map(|(part, text)| part.addon().map_or_else(|| text.clone(), |addon| format!("{addon}: {text}")))
        .collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}
