//! Claims about the start gate.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{Candidate, PATIENCE, Position, State, Urgency, admit, state};
use k8s_openapi::api::apps::v1::Deployment;

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn waiting(key: u8, since: i64) -> Candidate<u8> {
    Candidate { key, urgency: Urgency::Wish, waiting_since: second(since), state: State::Waiting }
}

fn upkeep(key: u8, since: i64) -> Candidate<u8> {
    Candidate { urgency: Urgency::Upkeep, ..waiting(key, since) }
}

fn starting(key: u8, since: i64) -> Candidate<u8> {
    let state = State::Starting { since: second(since) };
    Candidate { key, urgency: Urgency::Wish, waiting_since: second(0), state }
}

#[test]
fn who_came_first_starts_first() {
    let decision =
        admit(2, &[waiting(1, 5), waiting(2, 3), waiting(3, 3), waiting(4, 9)], second(10), PATIENCE);
    assert_eq!(decision.admitted, [2, 3].into());
    assert_eq!(decision.waiting[&1], Position { ahead: 0, waiting: 2 });
    assert_eq!(decision.waiting[&4], Position { ahead: 1, waiting: 2 });
}

#[test]
fn what_an_owner_waits_for_goes_before_upkeep() {
    let candidates = [upkeep(1, 0), upkeep(2, 1), waiting(3, 9)];
    let decision = admit(2, &candidates, second(10), PATIENCE);
    assert_eq!(decision.admitted, [1, 3].into());
    assert_eq!(decision.waiting[&2], Position { ahead: 0, waiting: 1 });
}

#[test]
fn a_start_occupies_its_slot_until_patience_ends() {
    let candidates = [starting(1, 0), waiting(2, 1)];
    let during = admit(1, &candidates, second(59), PATIENCE);
    assert_eq!(during.admitted, [].into());
    assert_eq!(during.next, Some(second(60)));
    let after = admit(1, &candidates, second(60), PATIENCE);
    assert_eq!((after.admitted, after.next), ([2].into(), None));
}

#[test]
fn the_state_is_read_from_the_deployment() {
    let deployment = |text: &str| -> Deployment { serde_json::from_str(text).unwrap() };
    let started = r#""metadata": {"annotations": {"flotilla.dev/started-at": "2026-01-01T00:00:00Z"}}"#;
    let since = "2026-01-01T00:00:00Z".parse().unwrap();
    let cases = [
        (
            "paused",
            r#"{"spec": {"paused": true, "replicas": 2, "selector": {}, "template": {}}}"#.to_owned(),
            State::Waiting,
        ),
        ("asleep", r#"{"spec": {"replicas": 0, "selector": {}, "template": {}}}"#.to_owned(), State::Waiting),
        (
            "starting",
            format!(r#"{{{started}, "spec": {{"replicas": 1, "selector": {{}}, "template": {{}}}}}}"#),
            State::Starting { since },
        ),
        (
            "ready",
            format!(
                r#"{{{started}, "spec": {{"replicas": 1, "selector": {{}}, "template": {{}}}}, "status": {{"readyReplicas": 1}}}}"#
            ),
            State::Started,
        ),
        (
            "of Kamaji",
            r#"{"spec": {"replicas": 1, "selector": {}, "template": {}}}"#.to_owned(),
            State::Started,
        ),
        (
            "replaced",
            rolling(r#""replicas": 2, "updatedReplicas": 1, "readyReplicas": 2"#),
            State::Starting { since: "2026-01-02T00:00:00Z".parse().unwrap() },
        ),
        (
            "all replaced",
            rolling(r#""replicas": 1, "updatedReplicas": 1, "readyReplicas": 1"#),
            State::Started,
        ),
    ];
    for (name, text, expected) in cases {
        assert_eq!(state(Some(&deployment(&text))), expected, "{name}");
    }
    assert_eq!(state(None), State::Waiting);
}

/// A running Deployment whose pods were let through to be replaced, with its status.
fn rolling(status: &str) -> String {
    let annotations = r#""flotilla.dev/started-at": "2026-01-01T00:00:00Z", "flotilla.dev/rolled-at": "2026-01-02T00:00:00Z""#;
    format!(
        r#"{{"metadata": {{"generation": 4, "annotations": {{{annotations}}}}},
            "spec": {{"replicas": 1, "selector": {{}}, "template": {{}}}},
            "status": {{"observedGeneration": 4, {status}}}}}"#
    )
}

/// Plays a herd: in each second the gate is asked, the admitted start, and a start is over after
/// its own time. Returns the order of starts and the largest number that ran at once.
fn play(slots: usize, arrivals: &[(u8, i64)], durations: &[i64]) -> (Vec<u8>, usize) {
    let mut running: Vec<(u8, i64)> = Vec::new();
    let (mut order, mut most) = (Vec::new(), 0);
    for moment in 0..4000 {
        running.retain(|(key, since)| moment - since < durations[usize::from(*key)]);
        let mut candidates: Vec<Candidate<u8>> =
            running.iter().map(|(key, since)| starting(*key, *since)).collect();
        candidates.extend(
            arrivals
                .iter()
                .filter(|(key, since)| *since <= moment && !order.contains(key))
                .map(|(key, since)| waiting(*key, *since)),
        );
        let decision = admit(slots, &candidates, second(moment), SignedDuration::from_secs(60));
        for key in decision.admitted {
            order.push(key);
            running.push((key, moment));
        }
        let in_slots = running.iter().filter(|(_, since)| moment - since < 60).count();
        most = most.max(in_slots);
    }
    (order, most)
}

proptest! {
    #[test]
    fn never_more_than_the_slots_start_and_everybody_does_in_turn(
        slots in 1_usize..5,
        arrivals in proptest::collection::vec(0_i64..100, 1..30),
        durations in proptest::collection::vec(1_i64..200, 30),
    ) {
        let arrivals: Vec<(u8, i64)> = (0..).zip(arrivals).collect();
        let (order, most) = play(slots, &arrivals, &durations);
        prop_assert!(most <= slots);
        prop_assert_eq!(order.len(), arrivals.len(), "nobody starves");
        let mut expected = arrivals.clone();
        expected.sort_by_key(|(key, since)| (*since, *key));
        let places = |key: u8| order.iter().position(|other| *other == key);
        for pair in expected.windows(2) {
            // Two that are let through in the same second start together.
            prop_assert!(places(pair[0].0).unwrap() < places(pair[1].0).unwrap() + slots);
        }
    }

    #[test]
    fn the_order_of_the_candidates_does_not_matter(
        slots in 0_usize..5,
        mut candidates in proptest::collection::vec((0_u8..40, 0_i64..10), 0..20),
    ) {
        candidates.sort_by_key(|(key, _)| *key);
        candidates.dedup_by_key(|(key, _)| *key);
        let forward: Vec<_> = candidates.iter().map(|(key, since)| waiting(*key, *since)).collect();
        let backward: Vec<_> = forward.iter().rev().cloned().collect();
        prop_assert_eq!(
            admit(slots, &forward, second(20), PATIENCE),
            admit(slots, &backward, second(20), PATIENCE)
        );
    }
}
