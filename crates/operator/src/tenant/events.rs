//! Events of a control plane: what changed, with cause and next step, for `kubectl describe`.

use api::TenantControlPlane;
use api::condition::{Holds, Kind, find};
use kube::Resource;
use kube::runtime::events::{Event, EventType};

use crate::context::Context;

/// Longest note that the API server takes.
const MAX_NOTE: usize = 1024;

/// Tells of the condition `Ready` where its status or reason changed.
pub(super) async fn tell(context: &Context, before: &TenantControlPlane, after: &TenantControlPlane) {
    let ready = |tenant: &TenantControlPlane| {
        tenant.status.as_ref().and_then(|status| find(&status.conditions, Kind::Ready)).cloned()
    };
    let Some(now) = ready(after) else { return };
    if ready(before).is_some_and(|then| (&then.status, &then.reason) == (&now.status, &now.reason)) {
        return;
    }
    let type_ = if is_trouble(&now.status, &now.reason) { EventType::Warning } else { EventType::Normal };
    publish(context, after, type_, &now.reason, "Reconcile", now.message).await;
}

/// Tells of an error.
pub(super) async fn warn(
    context: &Context,
    tenant: &TenantControlPlane,
    reason: &str,
    action: &str,
    error: &(dyn std::error::Error + Sync),
) {
    publish(context, tenant, EventType::Warning, reason, action, error.to_string()).await;
}

/// Tells of something to act on.
pub(super) async fn notice(
    context: &Context,
    tenant: &TenantControlPlane,
    reason: &str,
    action: &str,
    note: String,
) {
    publish(context, tenant, EventType::Warning, reason, action, note).await;
}

/// On the way to being ready nothing is wrong yet.
fn is_trouble(status: &str, reason: &str) -> bool {
    const ON_THE_WAY: [&str; 7] = [
        "Starting",
        "WaitingForStart",
        "Sleeping",
        "Pending",
        "RollingOut",
        "LoadBalancerPending",
        "Migrating",
    ];
    status != Holds::True.as_str() && !ON_THE_WAY.contains(&reason)
}

async fn publish(
    context: &Context,
    tenant: &TenantControlPlane,
    type_: EventType,
    reason: &str,
    action: &str,
    mut note: String,
) {
    while note.len() > MAX_NOTE {
        note.pop();
    }
    let event = Event {
        type_,
        reason: reason.to_owned(),
        note: Some(note),
        action: action.to_owned(),
        secondary: None,
    };
    if let Err(error) = context.recorder.publish(&event, &tenant.object_ref(&())).await {
        tracing::debug!(%error, "an event was not published");
    }
}
