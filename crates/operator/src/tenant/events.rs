//! Events of a control plane: what changed, with cause and next step, for `kubectl describe`.

use api::TenantControlPlane;
use api::condition::{Holds, Kind, Reason, find};

use crate::context::Context;
use crate::data_stores::chain;
use crate::events::{Notice, publish};

/// Tells of the condition `Ready` where its status or reason changed.
pub(super) async fn tell(context: &Context, before: &TenantControlPlane, after: &TenantControlPlane) {
    let ready = |tenant: &TenantControlPlane| {
        tenant.status.as_ref().and_then(|status| find(&status.conditions, Kind::Ready)).cloned()
    };
    let Some(now) = ready(after) else { return };
    if ready(before).is_some_and(|then| (&then.status, &then.reason) == (&now.status, &now.reason)) {
        return;
    }
    let is_trouble = is_trouble(&now.status, &now.reason);
    publish(
        context,
        after,
        Notice { is_trouble, reason: &now.reason, action: "Reconcile", note: now.message },
    )
    .await;
}

/// Tells of an error.
pub(super) async fn warn(
    context: &Context,
    tenant: &TenantControlPlane,
    reason: &str,
    action: &str,
    error: &(dyn std::error::Error + Sync),
) {
    notice(context, tenant, reason, action, chain(error)).await;
}

/// Tells of something to act on.
pub(super) async fn notice(
    context: &Context,
    tenant: &TenantControlPlane,
    reason: &str,
    action: &str,
    note: String,
) {
    publish(context, tenant, Notice { is_trouble: true, reason, action, note }).await;
}

/// On the way to being ready nothing is wrong yet.
fn is_trouble(status: &str, reason: &str) -> bool {
    const ON_THE_WAY: [Reason; 8] = [
        Reason::Starting,
        Reason::WaitingForStart,
        Reason::Sleeping,
        Reason::Pending,
        Reason::RollingOut,
        Reason::WaitingToRollOut,
        Reason::LoadBalancerPending,
        Reason::Migrating,
    ];
    status != Holds::True.as_str() && !ON_THE_WAY.iter().any(|known| known.as_str() == reason)
}
