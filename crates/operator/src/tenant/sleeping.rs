//! Puts a control plane to sleep and wakes it at the times of its schedule.

use std::time::Duration;

use api::{SleepAction, SleepScheduleStatus, TenantControlPlane};
use desired::sleeping::{Plan, Tick, plan};
use jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::Value;

use super::events;
use crate::context::Context;
use crate::data_stores::chain;
use crate::events::{Notice, publish};

/// What came of a look at the schedule.
pub(super) enum Followed {
    /// The control plane was changed, which brings another pass.
    Changed,
    /// Nothing was changed: how the schedule stands, and when it is looked at next.
    Stands(Option<Box<SleepScheduleStatus>>, Option<Duration>),
}

/// Follows the schedule. Who wakes by it needs room in the quotas as everybody does.
pub(super) async fn follow(tenant: &TenantControlPlane, context: &Context, now: Timestamp) -> Followed {
    let Some(mut plan) = plan(tenant, now) else { return Followed::Stands(None, None) };
    if let Some((tick, change)) = plan.act.take() {
        match act(tenant, context, change).await {
            Ok(is_done) => {
                if is_done {
                    tell(tenant, context, tick, &plan).await;
                }
                return Followed::Changed;
            }
            Err(reason) => {
                tell_of_refusal(tenant, context, tick, &reason).await;
                plan = plan.refused(tick, reason, now);
            }
        }
    }
    let until = |time: Timestamp| Duration::try_from(time.duration_since(now)).unwrap_or_default();
    Followed::Stands(Some(Box::new(plan.status)), plan.again.map(until))
}

/// Whether it was done; a change that came between brings another pass.
async fn act(tenant: &TenantControlPlane, context: &Context, change: Value) -> Result<bool, String> {
    let namespace = tenant.namespace().unwrap_or_default();
    let api: Api<TenantControlPlane> = Api::namespaced(context.client.clone(), &namespace);
    match api.patch(&tenant.name_any(), &PatchParams::default(), &Patch::Merge(change)).await {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => Ok(false),
        Err(error) => Err(chain(&error)),
    }
}

async fn tell(tenant: &TenantControlPlane, context: &Context, tick: Tick, plan: &Plan) {
    let (reason, what, next) = match tick.action {
        SleepAction::Sleep => ("AsleepBySchedule", "asleep", ("wakes", &plan.status.next_wake)),
        SleepAction::Wake => ("AwakeBySchedule", "awake", ("sleeps", &plan.status.next_sleep)),
    };
    let after = next.1.as_ref().map(|time| format!("; it {} at {}", next.0, time.0)).unwrap_or_default();
    let note = format!("{what} by its schedule since {}{after}", tick.time);
    publish(context, tenant, Notice::good(reason, tick.action.as_str(), note)).await;
}

async fn tell_of_refusal(tenant: &TenantControlPlane, context: &Context, tick: Tick, reason: &str) {
    let (event, what) = match tick.action {
        SleepAction::Sleep => ("NotAsleep", "could not be put to sleep"),
        SleepAction::Wake => ("NotAwake", "could not be woken"),
    };
    let note = format!("{what} by its schedule for {}, which is tried again: {reason}", tick.time);
    events::notice(context, tenant, event, tick.action.as_str(), note).await;
}
