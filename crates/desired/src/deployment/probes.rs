//! Probes of the components.
//!
//! A start is watched every second and may take ten minutes: on a node where many start at once each
//! takes long, and killing one only makes all of them take longer. Once up, a component is declared
//! dead as kubeadm would, after a minute and more without an answer.

use api::{ComponentProbes, ProbeSet, ProbeSpec};
use k8s_openapi::api::core::v1::{HTTPGetAction, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// Where a component answers.
#[derive(Clone, Copy)]
pub(super) struct Path {
    pub(super) live: &'static str,
    pub(super) ready: &'static str,
    pub(super) port: u16,
}

impl Path {
    pub(super) fn healthz(port: u16) -> Self {
        Self { live: "/healthz", ready: "/healthz", port }
    }
}

/// What the user set, for all components and for one.
#[derive(Clone, Copy)]
pub(super) struct Set<'a> {
    all: Option<&'a ComponentProbes>,
    one: Option<&'a ProbeSet>,
}

impl<'a> Set<'a> {
    pub(super) fn new(all: Option<&'a ComponentProbes>, one: Option<&'a ProbeSet>) -> Self {
        Self { all, one }
    }
}

const LIVENESS: Timing = Timing { period: 10, timeout: 15, failures: 8 };
const READINESS: Timing = Timing { period: 5, timeout: 5, failures: 3 };
const STARTUP: Timing = Timing { period: 1, timeout: 5, failures: 600 };

struct Timing {
    period: i32,
    timeout: i32,
    failures: i32,
}

/// Liveness, readiness and startup probe: for each number what is set for the component wins over what
/// is set for all, and that over ours.
pub(super) fn probes(path: Path, set: Set<'_>) -> (Probe, Probe, Probe) {
    let wished = |all: fn(&ComponentProbes) -> &Option<ProbeSpec>,
                  one: fn(&ProbeSet) -> &Option<ProbeSpec>| {
        [set.all.and_then(|set| *all(set)), set.one.and_then(|set| *one(set))]
    };
    (
        probe(path.live, path.port, &LIVENESS, wished(|all| &all.liveness, |one| &one.liveness)),
        probe(path.ready, path.port, &READINESS, wished(|all| &all.readiness, |one| &one.readiness)),
        // Ready and not only alive: the kubelet asks for readiness the moment that a start is over, and if
        // the answer is no, only a whole period later.
        probe(path.ready, path.port, &STARTUP, wished(|all| &all.startup, |one| &one.startup)),
    )
}

fn probe(path: &str, port: u16, timing: &Timing, wished: [Option<ProbeSpec>; 2]) -> Probe {
    let default = Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::Int(port.into()),
            scheme: Some("HTTPS".to_owned()),
            ..HTTPGetAction::default()
        }),
        initial_delay_seconds: None,
        timeout_seconds: Some(timing.timeout),
        period_seconds: Some(timing.period),
        success_threshold: Some(1),
        failure_threshold: Some(timing.failures),
        ..Probe::default()
    };
    wished.into_iter().flatten().fold(default, |probe, wished| Probe {
        // Zero is what an absent delay means; left out it does not differ from what the API server keeps.
        initial_delay_seconds: wished
            .initial_delay_seconds
            .or(probe.initial_delay_seconds)
            .filter(|delay| *delay > 0),
        timeout_seconds: wished.timeout_seconds.or(probe.timeout_seconds),
        period_seconds: wished.period_seconds.or(probe.period_seconds),
        success_threshold: wished.success_threshold.or(probe.success_threshold),
        failure_threshold: wished.failure_threshold.or(probe.failure_threshold),
        ..probe
    })
}
