//! The conditions of a control plane.

use api::condition::{Kind, Reason, Report, find, is_true, set};
use api::names::{Component, annotations};
use api::validation::Fault;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::storage;
use super::version::{is_rolled_out, ready_replicas};
use super::{DataStoreOutcome, Observed, Replacement, TenantOutcome, front, inside};
use crate::gate::{self, State, Urgency};
use crate::{Issued, Validated};

/// What `Ready` sums up, in the order in which a start passes through it: the first that does not hold
/// is the one to tell. Addons are extras on a control plane that serves.
const NEEDED: [Kind; 7] = [
    Kind::Accepted,
    Kind::AddressAssigned,
    Kind::DataStoreReady,
    Kind::CertificatesReady,
    Kind::ControlPlaneAvailable,
    Kind::TenantObjectsReady,
    Kind::Exposed,
];

pub(super) fn fill(
    conditions: &mut Vec<Condition>,
    control_plane: Result<&Validated, &[Fault]>,
    generation: Option<i64>,
    observed: &Observed<'_>,
    now: Timestamp,
) {
    let mut reports = vec![accepted(control_plane)];
    if let Ok(control_plane) = control_plane {
        reports.extend(address(observed));
        reports.extend(storage::report(&observed.migration).or_else(|| data_store(&observed.data_store)));
        reports.extend(observed.issued.map(|issued| certificates(control_plane, issued)));
        reports.extend(availability(control_plane, observed, now));
        reports.extend(inside::objects(control_plane, observed));
        reports.extend(front::report(observed));
        reports.extend(inside::addons(control_plane, observed));
        if let Some(failure) = &observed.failure {
            reports.retain(|report| report.kind != failure.kind);
            reports.push(Report::fails(failure.kind, Reason::ApplyFailed, failure.message.clone()));
        }
    }
    for report in reports {
        set(conditions, report, generation, now);
    }
    for kind in NEEDED {
        if find(conditions, kind).is_none() {
            let message = "not looked at yet: something before it has to succeed first";
            set(conditions, Report::unknown(kind, Reason::Pending, message), generation, now);
        }
    }
    let ready = ready(conditions);
    set(conditions, ready, generation, now);
}

/// Whether one pass got through everything that the spec asks for; pods may still be starting.
pub(super) fn is_brought_about(
    conditions: &[Condition],
    control_plane: Option<&Validated>,
    observed: &Observed<'_>,
) -> bool {
    const DONE: [Kind; 5] =
        [Kind::Accepted, Kind::AddressAssigned, Kind::DataStoreReady, Kind::CertificatesReady, Kind::Exposed];
    let tenant_is_done = match observed.tenant {
        TenantOutcome::Done { .. } => true,
        TenantOutcome::Pending => control_plane.is_some_and(Validated::is_sleeping),
        TenantOutcome::Failed { .. } => false,
    };
    observed.failure.is_none()
        && observed.replacement.is_none()
        && observed.deployment.is_some()
        && tenant_is_done
        && DONE.into_iter().all(|kind| is_true(conditions, kind))
}

fn accepted(control_plane: Result<&Validated, &[Fault]>) -> Report {
    match control_plane {
        Ok(_) => Report::holds(Kind::Accepted, Reason::Valid, "the spec can be brought about"),
        Err(faults) => {
            let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
            Report::fails(Kind::Accepted, Reason::InvalidSpec, texts.join("; "))
        }
    }
}

fn address(observed: &Observed<'_>) -> Option<Report> {
    Some(match observed.endpoint.as_ref()? {
        Ok(endpoint) => Report::holds(
            Kind::AddressAssigned,
            Reason::Assigned,
            format!("the API server is reached at {endpoint}"),
        ),
        Err(unassigned) => Report::fails(Kind::AddressAssigned, unassigned.reason(), unassigned.to_string()),
    })
}

fn data_store(outcome: &DataStoreOutcome<'_>) -> Option<Report> {
    let kind = Kind::DataStoreReady;
    Some(match outcome {
        DataStoreOutcome::Pending => return None,
        DataStoreOutcome::Ready { name, .. } => Report::holds(
            kind,
            Reason::Provisioned,
            format!("DataStore `{name}` holds a place for the tenant"),
        ),
        DataStoreOutcome::Unnamed => Report::fails(
            kind,
            Reason::DataStoreMissing,
            "no DataStore is named and the operator has no default; set spec.dataStore",
        ),
        DataStoreOutcome::NoRoom { message } => Report::fails(kind, Reason::DataStoreFull, message.clone()),
        DataStoreOutcome::NotFound { name } => Report::fails(
            kind,
            Reason::DataStoreNotFound,
            format!("there is no DataStore `{name}`; create it or set spec.dataStore to one that exists"),
        ),
        DataStoreOutcome::NotReady { name, message } => Report::fails(
            kind,
            Reason::DataStoreNotReady,
            format!("DataStore `{name}` is not ready: {message}"),
        ),
        DataStoreOutcome::Unreachable { name, message } => Report::fails(
            kind,
            Reason::DataStoreUnreachable,
            format!(
                "DataStore `{name}` did not answer as it should: {message}; check its endpoints and credentials"
            ),
        ),
    })
}

fn certificates(control_plane: &Validated, issued: &Issued) -> Report {
    let mut message = format!("all credentials are valid, the next renewal is due at {}", issued.renew_at);
    if issued.rotates_authority {
        message.push_str(
            "; the certificate authority is being rotated: its successor signs once every pod trusts it",
        );
    } else if issued.trusts_previous {
        let secret = Component::Ca.object_name(control_plane.name());
        message = format!(
            "{message}; a previous certificate authority is still trusted: when no kubeconfig and no worker \
             needs it any more, `kubectl annotate secret {secret} {}= --overwrite` ends that",
            annotations::RETIRE_PREVIOUS
        );
    }
    Report::holds(Kind::CertificatesReady, Reason::Issued, message)
}

fn availability(control_plane: &Validated, observed: &Observed<'_>, now: Timestamp) -> Option<Report> {
    let kind = Kind::ControlPlaneAvailable;
    let live = observed.deployment?;
    if control_plane.is_sleeping() {
        let message = "the control plane sleeps; raise spec.controlPlane.deployment.replicas to wake it";
        return Some(Report::fails(kind, Reason::Sleeping, message));
    }
    if let Some(position) = observed.queue {
        let message = format!(
            "the pods wait for their turn to start: {} of {} waiting are before this one",
            position.ahead, position.waiting
        );
        return Some(Report::fails(kind, Reason::WaitingForStart, message));
    }
    let ready = ready_replicas(live);
    let wished = control_plane.replicas();
    if ready > 0 {
        let (reason, message) = if let Some(replacement) = observed.replacement {
            (Reason::WaitingToRollOut, format!("{ready} of {wished} pods are ready; {}", turn(replacement)))
        } else if is_rolled_out(live) {
            (Reason::Available, format!("{ready} of {wished} pods are ready"))
        } else {
            (
                Reason::RollingOut,
                format!("{ready} of {wished} pods are ready while others are replaced or started"),
            )
        };
        return Some(Report::holds(kind, reason, message));
    }
    Some(not_available(live, now))
}

fn turn(replacement: Replacement) -> String {
    match replacement.urgency {
        Urgency::Wish => format!(
            "what was changed waits for its turn to start: {} of {} waiting are before this one",
            replacement.position.ahead, replacement.position.waiting
        ),
        // The place would change many times, and nobody waits for it.
        Urgency::Upkeep => {
            "the operator will replace them when no start that somebody waits for is before".to_owned()
        }
    }
}

fn not_available(live: &Deployment, now: Timestamp) -> Report {
    let kind = Kind::ControlPlaneAvailable;
    let trouble = replica_failure(live);
    match gate::state(Some(live)) {
        State::Waiting => {
            Report::fails(kind, Reason::WaitingForStart, "the pods wait for their turn to start")
        }
        State::Starting { since } if trouble.is_none() && now.duration_since(since) < gate::PATIENCE => {
            Report::fails(kind, Reason::Starting, "the pods are starting")
        }
        _ => {
            let cause = trouble.unwrap_or_else(|| "no pod is ready".to_owned());
            let message = format!(
                "{cause}; look at the events and logs of the pods of Deployment `{}`",
                live.metadata.name.as_deref().unwrap_or_default()
            );
            Report::fails(kind, Reason::Unavailable, message)
        }
    }
}

/// What the Deployment controller says of pods that it cannot create.
fn replica_failure(live: &Deployment) -> Option<String> {
    let conditions = live.status.as_ref()?.conditions.as_ref()?;
    let failure = conditions
        .iter()
        .find(|condition| condition.type_ == "ReplicaFailure" && condition.status == "True")?;
    failure.message.clone()
}

fn ready(conditions: &[Condition]) -> Report {
    let mut needed = NEEDED.into_iter().filter_map(|kind| find(conditions, kind));
    // What was not looked at waits for what failed, whatever their order.
    let failing = needed
        .clone()
        .find(|condition| condition.status == "False")
        .or_else(|| needed.find(|condition| condition.status != "True"));
    let Some(condition) = failing else {
        return Report::holds(Kind::Ready, Reason::Ready, "the control plane serves");
    };
    let reason = Reason::parse(&condition.reason).unwrap_or(Reason::Pending);
    Report::fails(Kind::Ready, reason, condition.message.clone())
}
