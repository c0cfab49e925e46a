//! Tests of schedules of sleep.

use api::{SleepAction, SleepSchedule, TenantControlPlane};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::{Strategy, any, prop, proptest};
use proptest::{prop_assert, prop_assert_eq};
use serde_json::{Value, json};

use super::{RETRY_REFUSED, Tick, asleep, awake, due, faults, plan};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn schedule(sleep: &str, wake: &str, zone: Option<&str>) -> SleepSchedule {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    SleepSchedule { sleep: text(sleep), wake: text(wake), time_zone: zone.map(str::to_owned) }
}

fn nightly() -> SleepSchedule {
    schedule("0 20 * * 1-5", "0 7 * * 1-5", Some("Europe/Berlin"))
}

fn cluster(replicas: i32, annotations: &Value) -> TenantControlPlane {
    let mut cluster: TenantControlPlane = serde_json::from_value(json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
        "metadata": {"name": "a", "resourceVersion": "7", "annotations": annotations},
        "spec": {
            "controlPlane": {"service": {"serviceType": "ClusterIP"}, "deployment": {"replicas": replicas}},
            "kubernetes": {"version": "v1.36.3", "kubelet": {}},
        },
    }))
    .unwrap();
    cluster.spec.sleep_schedule = Some(nightly());
    cluster
}

/// The control plane after one look, as the operator leaves it.
fn look(mut cluster: TenantControlPlane, now: &str) -> (TenantControlPlane, Option<Tick>) {
    let plan = plan(&cluster, at(now)).unwrap();
    let tick = plan.act.as_ref().map(|(tick, _)| *tick);
    if let Some((_, change)) = plan.act {
        let mut object = serde_json::to_value(&cluster).unwrap();
        json_patch::merge(&mut object, &change);
        cluster = serde_json::from_value(object).unwrap();
    }
    let status = super::plan(&cluster, at(now)).unwrap().status;
    cluster.status.get_or_insert_default().sleep_schedule = Some(status);
    (cluster, tick)
}

fn action(tick: Option<Tick>) -> Option<SleepAction> {
    tick.map(|tick| tick.action)
}

#[test]
fn it_sleeps_and_wakes_at_its_times_as_it_was_before() {
    // Monday in Berlin, in winter.
    let (cluster, tick) = look(cluster(3, &json!({})), "2026-11-30T12:00:00Z");
    assert_eq!(tick, None, "times before it was set do not count");
    let status = cluster.status.clone().unwrap().sleep_schedule.unwrap();
    assert_eq!(status.next_sleep.unwrap().0, at("2026-11-30T19:00:00Z"));
    assert_eq!(status.next_wake.unwrap().0, at("2026-12-01T06:00:00Z"));

    let (cluster, tick) = look(cluster, "2026-11-30T18:59:59Z");
    assert_eq!((tick, cluster.spec.replicas()), (None, 3));
    let (cluster, tick) = look(cluster, "2026-11-30T19:00:00Z");
    assert_eq!((action(tick), cluster.spec.replicas()), (Some(SleepAction::Sleep), 0));
    let (cluster, tick) = look(cluster, "2026-11-30T19:00:01Z");
    assert_eq!(tick, None, "a time counts once");
    let (cluster, tick) = look(cluster, "2026-12-01T06:00:00Z");
    assert_eq!((action(tick), cluster.spec.replicas()), (Some(SleepAction::Wake), 3));
    let status = cluster.status.unwrap().sleep_schedule.unwrap();
    assert_eq!(status.last_action, Some(SleepAction::Wake));
    assert_eq!(status.last_time.unwrap().0, at("2026-12-01T06:00:00Z"));
}

#[test]
fn who_is_woken_or_put_to_sleep_by_hand_stays_so_until_the_next_time() {
    let (cluster, _) = look(cluster(2, &json!({})), "2026-11-30T12:00:00Z");
    let (mut cluster, _) = look(cluster, "2026-11-30T19:00:00Z");
    cluster.spec.control_plane.deployment.get_or_insert_default().replicas = Some(2);
    let (cluster, tick) = look(cluster, "2026-11-30T23:00:00Z");
    assert_eq!((tick, cluster.spec.replicas()), (None, 2));
    // Awake already at the time to wake: nothing but the note that it was followed.
    let (mut cluster, tick) = look(cluster, "2026-12-01T06:00:00Z");
    assert_eq!((action(tick), cluster.spec.replicas()), (Some(SleepAction::Wake), 2));
    cluster.spec.control_plane.deployment.get_or_insert_default().replicas = Some(0);
    let (cluster, tick) = look(cluster, "2026-12-01T12:00:00Z");
    assert_eq!((tick, cluster.spec.replicas()), (None, 0));
    let (cluster, tick) = look(cluster, "2026-12-01T19:00:00Z");
    assert_eq!((action(tick), cluster.spec.replicas()), (Some(SleepAction::Sleep), 0));
    assert!(look(cluster, "2026-12-02T06:00:00Z").0.spec.replicas() > 0);
}

#[test]
fn of_times_that_were_missed_the_latest_counts_and_another_schedule_begins_anew() {
    let (cluster, _) = look(cluster(2, &json!({})), "2026-11-30T12:00:00Z");
    // Nobody looked for a night and a day.
    let (late, tick) = look(cluster.clone(), "2026-12-02T12:00:00Z");
    assert_eq!((action(tick), late.spec.replicas()), (Some(SleepAction::Wake), 2));
    let (late, tick) = look(cluster.clone(), "2026-12-01T23:00:00Z");
    assert_eq!((action(tick), late.spec.replicas()), (Some(SleepAction::Sleep), 0));

    let mut changed = cluster;
    changed.spec.sleep_schedule = Some(schedule("0 1 * * *", "", None));
    let (changed, tick) = look(changed, "2026-12-05T12:00:00Z");
    assert_eq!(tick, None);
    let status = changed.status.unwrap().sleep_schedule.unwrap();
    assert_eq!((status.next_wake, status.last_time), (None, None));
}

#[test]
fn a_suspension_and_a_restore_are_waited_for() {
    for key in ["flotilla.dev/replicas-before-suspension", "flotilla.dev/hold"] {
        let (mut cluster, _) = look(cluster(2, &json!({})), "2026-11-30T12:00:00Z");
        cluster.metadata.annotations = Some([(key.to_owned(), "2".to_owned())].into());
        let (mut cluster, tick) = look(cluster, "2026-11-30T20:00:00Z");
        assert_eq!(tick, None, "{key}");
        cluster.metadata.annotations = None;
        assert_eq!(action(look(cluster, "2026-11-30T20:00:01Z").1), Some(SleepAction::Sleep), "{key}");
    }
}

#[test]
fn what_is_refused_is_tried_again_later_and_not_lost() {
    let (mut cluster, _) = look(cluster(0, &json!({})), "2026-11-30T01:00:00Z");
    let now = at("2026-11-30T06:00:00Z");
    let found = plan(&cluster, now).unwrap();
    let (tick, _) = found.act.clone().unwrap();
    let refused = found.refused(tick, "no room".to_owned(), now);
    assert_eq!(refused.again, Some(now + RETRY_REFUSED));
    cluster.status.get_or_insert_default().sleep_schedule = Some(refused.status);
    let soon = plan(&cluster, now + SignedDuration::from_secs(1)).unwrap();
    assert_eq!((soon.act, soon.again), (None, Some(now + RETRY_REFUSED)));
    assert_eq!(soon.status.refused.unwrap().message, "no room");
    let later = plan(&cluster, now + RETRY_REFUSED).unwrap();
    assert_eq!(later.act.unwrap().0, tick);
    // The next time takes its place.
    let evening = plan(&cluster, at("2026-11-30T19:00:00Z")).unwrap();
    assert_eq!((evening.act.unwrap().0.action, evening.status.refused), (SleepAction::Sleep, None));
}

#[test]
fn hours_that_summer_time_leaves_out_or_repeats_count_once() {
    // 02:30 does not exist on 29 March 2026, and exists twice on 25 October.
    let half_past_two = schedule("30 2 * * *", "0 12 * * *", Some("Europe/Berlin"));
    for (last, night, noon) in [
        ("2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z", "2026-03-29T10:00:00Z"),
        ("2026-10-24T12:00:00Z", "2026-10-25T01:30:00Z", "2026-10-25T11:00:00Z"),
    ] {
        let found = due(&half_past_two, at(last), at(night)).unwrap().now.unwrap();
        assert_eq!(found.action, SleepAction::Sleep);
        assert_eq!(due(&half_past_two, found.time, at(night)).unwrap().now, None);
        let found = due(&half_past_two, found.time, at(noon)).unwrap().now.unwrap();
        assert_eq!(found, Tick { time: at(noon), action: SleepAction::Wake });
    }
}

#[test]
fn what_is_wrong_with_a_schedule_is_named_with_its_field() {
    let paths = |schedule: &SleepSchedule| -> Vec<String> {
        faults(schedule).into_iter().map(|fault| fault.path.replace("spec.sleepSchedule", "")).collect()
    };
    assert_eq!(paths(&nightly()), Vec::<String>::new());
    assert_eq!(paths(&schedule("0 20 * * *", "", None)), Vec::<String>::new());
    assert_eq!(paths(&schedule("at night", "0 0 31 6 *", None)), [".sleep", ".wake"]);
    assert_eq!(paths(&schedule("0 20 * * *", "0 7 * * *", Some("Mars/Base"))), [".timeZone"]);
    assert_eq!(paths(&schedule("0 7 * * *", "0 7 * * *", None)), [".sleep"]);
    assert_eq!(paths(&schedule("", "", None)), [""]);
}

#[test]
fn a_change_is_made_only_where_something_changes() {
    assert_eq!(asleep(&cluster(0, &json!({}))), None);
    assert_eq!(awake(&cluster(1, &json!({}))), None);
    let replicas =
        |change: Option<Value>| change.unwrap()["spec"]["controlPlane"]["deployment"]["replicas"].take();
    let before = |text: &str| json!({"flotilla.dev/replicas-before-sleep": text});
    assert_eq!(replicas(awake(&cluster(0, &before("3")))), 3);
    assert_eq!(replicas(awake(&cluster(0, &before("many")))), 1);
    assert_eq!(replicas(awake(&cluster(0, &json!({})))), 1);
    assert_eq!(replicas(asleep(&cluster(3, &json!({})))), 0);
}

fn any_schedule() -> impl Strategy<Value = SleepSchedule> {
    let zones = prop::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]);
    (0..60_u8, 0..24_u8, 0..60_u8, 0..24_u8, zones, any::<bool>())
        .prop_filter("two times", |(minute, hour, other, another, ..)| (minute, hour) != (other, another))
        .prop_map(|(minute, hour, other, another, zone, weekdays)| {
            let days = if weekdays { "1-5" } else { "*" };
            schedule(&format!("{minute} {hour} * * {days}"), &format!("{other} {another} * * *"), Some(zone))
        })
}

proptest! {
    #[test]
    fn who_looks_often_and_who_was_away_come_to_the_same(
        schedule in any_schedule(),
        begin in 1_700_000_000_i64..1_900_000_000,
        steps in prop::collection::vec(1_i64..200_000, 1..12),
    ) {
        let begin = Timestamp::from_second(begin).unwrap();
        let (mut now, mut last, mut stands) = (begin, begin, None);
        for step in steps {
            now += SignedDuration::from_secs(step);
            let found = due(&schedule, last, now).unwrap();
            if let Some(tick) = found.now {
                prop_assert!(tick.time > last && tick.time <= now);
                stands = Some(tick);
                last = tick.time;
            }
            prop_assert_eq!(due(&schedule, last, now).unwrap().now, None);
            let next = [found.next_sleep, found.next_wake].into_iter().flatten().min().unwrap();
            prop_assert!(next > now);
            prop_assert!(due(&schedule, last, next).unwrap().now.is_some());
        }
        prop_assert_eq!(due(&schedule, begin, now).unwrap().now, stands);
    }

    #[test]
    fn a_tick_is_read_as_it_was_written(second in -1_000_000_000_i64..4_000_000_000, sleeps in any::<bool>()) {
        let action = if sleeps { SleepAction::Sleep } else { SleepAction::Wake };
        let tick = Tick { time: Timestamp::from_second(second).unwrap(), action };
        prop_assert_eq!(tick.to_string().parse::<Tick>(), Ok(tick));
    }
}
