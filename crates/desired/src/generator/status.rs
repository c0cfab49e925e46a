//! The status of a generator.

use api::{KubeconfigGenerator, KubeconfigGeneratorStatus, KubeconfigGeneratorStatusError};
use kube::ResourceExt;

use super::Fault;

/// What the status says: of each selected control plane (`namespace/name`, in order) what came of it.
#[must_use]
pub fn status(
    generation: Option<i64>,
    outcomes: &[(String, Result<(), String>)],
) -> KubeconfigGeneratorStatus {
    let errors: Vec<KubeconfigGeneratorStatusError> = outcomes
        .iter()
        .filter_map(|(resource, outcome)| {
            let message = outcome.as_ref().err()?.clone();
            Some(KubeconfigGeneratorStatusError { resource: resource.clone(), message })
        })
        .collect();
    let count = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
    KubeconfigGeneratorStatus {
        observed_generation: generation,
        resources: count(outcomes.len()),
        available_resources: count(outcomes.len() - errors.len()),
        errors,
    }
}

/// What the status says while a selector cannot be used: the counts stay as they were.
#[must_use]
pub fn faulty_status(generator: &KubeconfigGenerator, fault: &Fault) -> KubeconfigGeneratorStatus {
    let known = generator.status.clone().unwrap_or_default();
    let error = KubeconfigGeneratorStatusError { resource: generator.name_any(), message: fault.to_string() };
    KubeconfigGeneratorStatus {
        observed_generation: generator.metadata.generation,
        errors: vec![error],
        ..known
    }
}
