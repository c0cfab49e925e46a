//! What happened to a hosted cluster's control plane: Events of the management cluster that regard it or its pods.

use std::cmp::Reverse;

use aide::transform::TransformOperation;
use api::TenantControlPlane;
use axum::Json;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use schemars::JsonSchema;
use serde::Serialize;

use super::backups::kept::of;
use super::hosted::readable;
use crate::caller::Caller;
use crate::extract::Named;
use crate::problem::Problem;

/// So many are shown; the management cluster keeps them for an hour.
const MOST: usize = 200;
/// Length of the random end of a pod's name.
const POD_SUFFIX: usize = 5;

/// What happened to a control plane, the newest first.
#[derive(Serialize, JsonSchema)]
pub(super) struct EventList {
    /// At most 200.
    items: Vec<EventRow>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct EventRow {
    /// Unique among all.
    id: String,
    /// When it happened last.
    time: Option<Timestamp>,
    /// How often.
    count: i32,
    /// `Normal` or `Warning`.
    kind: String,
    /// In one word.
    reason: String,
    /// For people.
    message: String,
    /// What it happened to, such as `Pod prod-7d9f8b6c5-x2x4z`.
    regarding: String,
    /// What tells of it.
    source: String,
}

pub(super) fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("What happened to a hosted cluster's control plane")
        .description("The newest first, as far as the management cluster remembers. Needs the verb `get`.")
        .tag("clusters")
}

pub(super) async fn list(caller: Caller, Named(id): Named) -> Result<Json<EventList>, Problem> {
    let cluster = readable(&caller, &id).await?;
    let (name, events) = (cluster.name_any(), of::<Event>(&caller, &cluster));
    let (own, sets, pods) = tokio::try_join!(
        about(&events, format!("involvedObject.name={name}")),
        about(&events, "involvedObject.kind=ReplicaSet".to_owned()),
        about(&events, "involvedObject.kind=Pod".to_owned()),
    )?;
    let found = own.into_iter().chain(sets).chain(pods).filter(|event| regards(event, &cluster));
    let mut items: Vec<EventRow> = found.map(|event| row(&event)).collect();
    items.sort_by_key(|row| (Reverse(row.time), row.id.clone()));
    items.dedup_by(|one, other| one.id == other.id);
    items.truncate(MOST);
    Ok(Json(EventList { items }))
}

async fn about(events: &Api<Event>, fields: String) -> Result<Vec<Event>, kube::Error> {
    Ok(events.list(&ListParams::default().fields(&fields)).await?.items)
}

/// Whether an event is about this control plane, and not about one whose name begins alike or that had its name before.
fn regards(event: &Event, cluster: &TenantControlPlane) -> bool {
    let object = &event.involved_object;
    let own = cluster.name_any();
    let name = object.name.as_deref().unwrap_or_default();
    // What is made for it has its name, then the hash of a template, then what tells pods apart.
    let parts: Option<Vec<&str>> =
        name.strip_prefix(&own).and_then(|rest| rest.strip_prefix('-')).map(|rest| rest.split('-').collect());
    match object.kind.as_deref().unwrap_or_default() {
        "TenantControlPlane" => name == own && object.uid == cluster.uid(),
        "Deployment" | "Service" | "Ingress" => name == own,
        "ReplicaSet" => parts.is_some_and(|parts| parts.len() == 1),
        "Pod" => parts.is_some_and(|parts| parts.len() == 2 && parts[1].len() == POD_SUFFIX),
        _ => false,
    }
}

fn row(event: &Event) -> EventRow {
    let series = event.series.as_ref();
    let time = series
        .and_then(|series| series.last_observed_time.as_ref().map(|time| time.0))
        .or_else(|| event.last_timestamp.as_ref().map(|time| time.0))
        .or_else(|| event.event_time.as_ref().map(|time| time.0))
        .or_else(|| event.creation_timestamp().map(|time| time.0));
    let object = &event.involved_object;
    let source = event.source.as_ref().and_then(|source| source.component.clone());
    EventRow {
        id: event.uid().unwrap_or_default(),
        time,
        count: series.and_then(|series| series.count).or(event.count).unwrap_or(1),
        kind: event.type_.clone().unwrap_or_default(),
        reason: event.reason.clone().unwrap_or_default(),
        message: event.message.clone().unwrap_or_default(),
        regarding: format!(
            "{} {}",
            object.kind.as_deref().unwrap_or_default(),
            object.name.as_deref().unwrap_or_default()
        ),
        source: source
            .filter(|source| !source.is_empty())
            .or_else(|| event.reporting_component.clone())
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use api::{TenantControlPlane, TenantControlPlaneSpec};
    use k8s_openapi::api::core::v1::Event;
    use serde_json::json;

    use super::{regards, row};

    fn event(kind: &str, name: &str, uid: &str) -> Event {
        serde_json::from_value(json!({
            "metadata": { "name": "e", "uid": "1" },
            "involvedObject": { "kind": kind, "name": name, "uid": uid },
            "series": { "count": 4, "lastObservedTime": "2026-11-30T12:00:00.000000Z" },
            "lastTimestamp": "2026-11-30T11:00:00Z", "reason": "BackOff", "message": "m", "type": "Warning",
        }))
        .unwrap()
    }

    #[test]
    fn events_of_a_neighbour_whose_name_begins_alike_are_not_its_own() {
        let mut cluster = TenantControlPlane::new("prod", TenantControlPlaneSpec::default());
        cluster.metadata.uid = Some("u".to_owned());
        let is_own = |kind: &str, name: &str| regards(&event(kind, name, "u"), &cluster);
        assert!(is_own("TenantControlPlane", "prod") && is_own("Service", "prod"));
        assert!(is_own("ReplicaSet", "prod-7d9f8b6c5") && is_own("Pod", "prod-7d9f8b6c5-x2x4z"));
        for (kind, name) in [
            ("TenantControlPlane", "prod-2"),
            ("ReplicaSet", "prod-2-7d9f8b6c5"),
            ("Pod", "prod-2-7d9f8b6c5-x2x4z"),
            ("Pod", "prod-backup-4f1c20aa"),
            ("Pod", "production-7d9f8b6c5-x2x4z"),
            ("Secret", "prod"),
        ] {
            assert!(!is_own(kind, name), "{kind} {name}");
        }
        assert!(!regards(&event("TenantControlPlane", "prod", "earlier"), &cluster));
    }

    #[test]
    fn an_event_that_came_again_has_the_last_time() {
        let row = row(&event("Pod", "prod-7d9f8b6c5-x2x4z", ""));
        assert_eq!((row.count, row.time.unwrap().to_string().as_str()), (4, "2026-11-30T12:00:00Z"));
    }
}
