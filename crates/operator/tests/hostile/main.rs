//! Hostile specs: mutated and random ones, sent through admission and, where nothing admits, straight to
//! the operator, which runs as its program on a real API server (see crate `stage`).
//!
//! What must hold: none crashes or stalls the operator, a control plane beside them is not touched, and
//! whoever is refused reads which field, what stands there and what is allowed. Seeds make every run the
//! same.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod specs;
mod trial;

use stage::Options;

use crate::specs::{CRAFTED, crafted, mutated, random};
use crate::trial::Trial;

/// The program under test.
const OPERATOR: &str = env!("CARGO_BIN_EXE_flotilla-operator");
/// Mutations of a spec in which everything is set, and specs made from nothing but the schema.
const MUTATED: std::ops::Range<u64> = 0..160;
const RANDOM: std::ops::Range<u64> = 0..40;

#[tokio::test(flavor = "multi_thread")]
async fn through_admission_each_is_refused_with_reason_or_brought_about() {
    let trial = Trial::begin(Options::default()).await;
    let outcome = trial.run(MUTATED.map(mutated).chain(RANDOM.map(random)).collect()).await;
    let wrong = trial.run(CRAFTED.iter().map(crafted).collect()).await;
    assert_eq!(wrong.accepted, 0, "a spec that is known to be wrong was accepted");
    assert!(outcome.accepted >= 20 && outcome.refused >= 40, "one-sided: {outcome:?}");
    trial.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn past_admission_none_crashes_or_stalls_the_operator() {
    let trial = Trial::begin(Options { without_webhooks: true, ..Options::default() }).await;
    let outcome = trial.run(MUTATED.map(mutated).chain(RANDOM.map(random)).collect()).await;
    trial.run(CRAFTED.iter().map(crafted).collect()).await;
    assert!(outcome.accepted >= 40, "hardly any got past the schema: {outcome:?}");
    trial.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_control_plane_survives_hostile_updates() {
    let trial = Trial::begin(Options::default()).await;
    trial.update(MUTATED.map(|seed| mutated(seed + 1000)).collect()).await;
    trial.end().await;
}
