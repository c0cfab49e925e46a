//! What is to be done for a control plane's schedule of sleep, and what is said of it.

use api::condition::whole_seconds;
use api::names::annotations;
use api::{SleepAction, SleepRefusal, SleepScheduleStatus, TenantControlPlane};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use serde_json::{Value, json};

use super::{Due, Tick, asleep, awake, due};

/// How soon something that was refused is tried again.
pub const RETRY_REFUSED: SignedDuration = SignedDuration::from_mins(2);

/// What a schedule asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// How it stands.
    pub status: SleepScheduleStatus,
    /// The time to follow now, and the change of the control plane that does.
    pub act: Option<(Tick, Value)>,
    /// When to look again.
    pub again: Option<Timestamp>,
}

impl Plan {
    /// How it stands once the change was refused.
    #[must_use]
    pub fn refused(mut self, tick: Tick, message: String, now: Timestamp) -> Self {
        self.status.refused = Some(SleepRefusal {
            action: tick.action,
            time: Time(tick.time),
            tried_at: Time(whole_seconds(now)),
            message,
        });
        self.again = earliest([self.again, now.checked_add(RETRY_REFUSED).ok()]);
        self
    }
}

/// Plans for a control plane; nothing if it has no schedule, or one that cannot be read.
///
/// A schedule counts from when it is first seen. While a restore or a suspension keeps the control plane down, nothing is
/// done; afterwards the latest time that has passed counts. What was refused stays due, and is tried again after
/// [`RETRY_REFUSED`].
#[must_use]
pub fn plan(cluster: &TenantControlPlane, now: Timestamp) -> Option<Plan> {
    let schedule = cluster.spec.sleep_schedule.as_ref()?;
    let known = cluster.status.as_ref().and_then(|status| status.sleep_schedule.as_ref());
    let known = known.filter(|known| known.schedule == *schedule);
    let since = known.map_or_else(|| whole_seconds(now), |known| known.since.0);
    let followed = followed(cluster).filter(|tick| tick.time >= since);
    let last = followed.map_or(since, |tick| tick.time);
    let Due { now: tick, next_sleep, next_wake } = due(schedule, last, now).ok()?;

    let refused = known.and_then(|known| known.refused.clone());
    let refused = refused.filter(|refused| tick.is_some_and(|tick| tick.time == refused.time.0));
    let retry = refused.as_ref().and_then(|refused| refused.tried_at.0.checked_add(RETRY_REFUSED).ok());
    let is_early = retry.is_some_and(|retry| now < retry);
    let act = tick.filter(|_| !is_early && !is_kept_down(cluster));
    let status = SleepScheduleStatus {
        schedule: schedule.clone(),
        since: Time(since),
        last_action: followed.map(|tick| tick.action),
        last_time: followed.map(|tick| Time(tick.time)),
        next_sleep: next_sleep.map(Time),
        next_wake: next_wake.map(Time),
        refused,
    };
    Some(Plan {
        status,
        act: act.map(|tick| (tick, change(cluster, tick))),
        again: earliest([next_sleep, next_wake, retry.filter(|_| is_early)]),
    })
}

fn earliest<const N: usize>(times: [Option<Timestamp>; N]) -> Option<Timestamp> {
    times.into_iter().flatten().min()
}

/// The time that was followed last, if any.
fn followed(cluster: &TenantControlPlane) -> Option<Tick> {
    cluster.annotations().get(annotations::SLEEP_SCHEDULE_FOLLOWED)?.parse().ok()
}

/// Whether a restore or the suspension of its tenant keeps it down; each lets it go as it was before.
fn is_kept_down(cluster: &TenantControlPlane) -> bool {
    [annotations::HOLD, annotations::REPLICAS_BEFORE]
        .iter()
        .any(|key| cluster.annotations().contains_key(*key))
}

/// One that is as it shall be is told of the time all the same, which would count again otherwise.
fn change(cluster: &TenantControlPlane, tick: Tick) -> Value {
    let change = match tick.action {
        SleepAction::Sleep => asleep(cluster),
        SleepAction::Wake => awake(cluster),
    };
    let mut change = change
        .unwrap_or_else(|| json!({ "metadata": { "resourceVersion": cluster.metadata.resource_version } }));
    change["metadata"]["annotations"][annotations::SLEEP_SCHEDULE_FOLLOWED] = json!(tick.to_string());
    change
}
