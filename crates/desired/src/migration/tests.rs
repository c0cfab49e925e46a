//! Which step of a move comes next.

use api::{MigrationPhase, MigrationStatus, TenantControlPlane};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use serde_json::{Value, json};

use super::{Move, may_replace, next, serves_from};

const START: &str = "2026-01-01T00:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A control plane in store `old` with generation 3, annotations and, if given, a record.
fn tenant(active: &str, annotations: &Value, record: Option<&MigrationStatus>) -> TenantControlPlane {
    let storage = json!({"dataStoreName": active, "migration": record});
    let body = json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
        "metadata": {"name": "a", "generation": 3, "annotations": annotations},
        "spec": {
            "controlPlane": {"service": {"serviceType": "ClusterIP"}},
            "kubernetes": {"version": "v1.36.3", "kubelet": {}},
        },
        "status": {"storage": storage, "kubeadmPhase": {"bootstrapToken": {}}},
    });
    serde_json::from_value(body).unwrap()
}

fn record(phase: MigrationPhase) -> MigrationStatus {
    serde_json::from_value(json!({
        "from": "old", "to": "new", "phase": phase, "startedAt": START, "generation": 3,
        "givenUpAfter": (phase == MigrationPhase::GivenUp).then_some("5m"),
    }))
    .unwrap()
}

#[test]
fn a_store_that_the_spec_does_not_change_is_no_move() {
    let tenant = tenant("old", &json!({}), None);
    assert_eq!(next(&tenant, Some("old"), at(START)), Move::None);
    assert_eq!(next(&tenant, None, at(START)), Move::None);
}

#[test]
fn another_store_in_the_spec_begins_a_move_at_this_moment() {
    let found = next(&tenant("old", &json!({}), None), Some("new"), at("2026-01-01T00:00:00.5Z"));
    assert_eq!(found, Move::Begin(record(MigrationPhase::Copying)));
}

#[test]
fn up_to_the_switch_a_move_goes_on_where_it_was() {
    for phase in [MigrationPhase::Copying, MigrationPhase::Freezing, MigrationPhase::Frozen] {
        let record = record(phase);
        let found = next(&tenant("old", &json!({}), Some(&record)), Some("new"), at("2026-01-01T00:04:00Z"));
        assert_eq!(found, Move::Go(record.clone()));
        assert_eq!(found.bars_writes(), phase == MigrationPhase::Frozen);
        assert_eq!(found.freezes(None), phase != MigrationPhase::Copying);
    }
}

#[test]
fn the_old_store_in_the_spec_again_undoes_a_move_and_a_third_store_too() {
    let frozen = record(MigrationPhase::Frozen);
    let tenant = tenant("old", &json!({}), Some(&frozen));
    for wished in ["old", "third"] {
        assert_eq!(next(&tenant, Some(wished), at(START)), Move::Undo(frozen.clone()));
    }
}

#[test]
fn after_the_time_limit_a_move_is_given_up_until_somebody_asks_anew() {
    let late = at("2026-01-01T00:05:01Z");
    let frozen = record(MigrationPhase::Frozen);
    let given_up = record(MigrationPhase::GivenUp);
    let found = next(&tenant("old", &json!({}), Some(&frozen)), Some("new"), late);
    assert_eq!(found, Move::GiveUp(given_up.clone()));
    let patient = json!({"kamaji.clastix.io/migration-timeout": "1h30m"});
    assert_eq!(next(&tenant("old", &patient, Some(&frozen)), Some("new"), late), Move::Go(frozen));

    let resting = next(&tenant("old", &json!({}), Some(&given_up)), Some("new"), late);
    assert_eq!(resting, Move::Rest(given_up.clone()));
    assert!(!resting.bars_writes() && !resting.freezes(None));
    let again = next(&tenant("old", &patient, Some(&given_up)), Some("new"), late);
    assert!(matches!(again, Move::Begin(_)), "{again:?}");
    let changed = MigrationStatus { generation: Some(2), ..given_up };
    let again = next(&tenant("old", &json!({}), Some(&changed)), Some("new"), late);
    assert!(matches!(again, Move::Begin(_)), "{again:?}");
}

#[test]
fn after_the_switch_the_time_limit_is_no_reason_to_go_back_but_the_spec_is() {
    let switched = record(MigrationPhase::Switched);
    let tenant = tenant("new", &json!({}), Some(&switched));
    let late = at("2026-01-02T00:00:00Z");
    assert_eq!(next(&tenant, Some("new"), late), Move::Finish(switched.clone()));
    let back = next(&tenant, Some("old"), at(START));
    let Move::Go(back) = back else { panic!("{back:?}") };
    assert_eq!((&*back.from, &*back.to, back.phase), ("new", "old", MigrationPhase::Copying));
}

#[test]
fn the_tenant_stays_frozen_until_no_pod_of_the_old_store_is_left() {
    let live = |store: &str, updated: i32| -> Deployment {
        serde_json::from_value(json!({
            "metadata": {"generation": 2},
            "spec": {
                "replicas": 2, "selector": {},
                "template": {"metadata": {"labels": {"component.kamaji.clastix.io/datastore": store}}},
            },
            "status": {
                "observedGeneration": 2, "replicas": 2, "readyReplicas": 2, "updatedReplicas": updated,
            },
        }))
        .unwrap()
    };
    let finish = Move::Finish(record(MigrationPhase::Switched));
    assert!(finish.freezes(Some(&live("old", 2))), "the template waits for its turn");
    assert!(finish.freezes(Some(&live("new", 1))));
    assert!(!finish.freezes(Some(&live("new", 2))));
    assert!(serves_from(None, "new"));
}

#[test]
fn only_the_word_of_the_user_lets_older_data_be_replaced() {
    let annotated =
        |text: &str| tenant("old", &json!({"kamaji.clastix.io/cleanup-prior-migration": text}), None);
    assert!(may_replace(&annotated("true")));
    assert!(!may_replace(&annotated("false")));
    assert!(!may_replace(&tenant("old", &json!({}), None)));
}
