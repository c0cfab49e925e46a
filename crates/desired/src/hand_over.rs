//! Hands a control plane's clients over from pods that another program laid out to ours.
//!
//! Such a pod stops answering the moment that it is told to end, while the Service still leads to it.
//! So the Service leaves it first: new pods count as available only some seconds after they are ready,
//! and in these seconds the Service is narrowed to the new pods. When the old ones are gone it is as it
//! was. Pods of our own need none of this: they go on answering for a while.

use api::names::labels;
use k8s_openapi::api::apps::v1::Deployment;

use crate::gate::is_let_through;
use crate::rollout::is_rolled_out;

/// How long new pods are ready before old ones are ended: longer than the management cluster needs to
/// lead the Service's clients elsewhere.
const SECONDS: i32 = 10;

/// `minReadySeconds` of the Deployment: set from the moment that pods of another program are replaced
/// until the last of them is gone.
pub(crate) fn min_ready_seconds(live: Option<&Deployment>) -> Option<i32> {
    let live = live.filter(|live| is_let_through(live))?;
    (!has_our_pods(live) || (is_going_on(live) && !is_rolled_out(live))).then_some(SECONDS)
}

/// Whether the Service shall lead to new pods only: at least one of them is ready.
pub(crate) fn narrows_service(live: Option<&Deployment>) -> bool {
    let Some(live) = live.filter(|live| is_going_on(live) && !is_rolled_out(live)) else { return false };
    let Some(status) = live.status.as_ref() else { return false };
    let count = |number: Option<i32>| number.unwrap_or_default();
    let old = count(status.replicas) - count(status.updated_replicas);
    status.observed_generation == live.metadata.generation && old > 0 && count(status.ready_replicas) > old
}

fn has_our_pods(live: &Deployment) -> bool {
    let template = live.spec.as_ref().and_then(|spec| spec.template.metadata.as_ref());
    template
        .and_then(|metadata| metadata.labels.as_ref())
        .is_some_and(|labels| labels.contains_key(labels::MANAGED))
}

fn is_going_on(live: &Deployment) -> bool {
    has_our_pods(live) && live.spec.as_ref().is_some_and(|spec| spec.min_ready_seconds == Some(SECONDS))
}

#[cfg(test)]
mod tests {
    use super::{SECONDS, min_ready_seconds, narrows_service};
    use k8s_openapi::api::apps::v1::Deployment;
    use serde_json::json;

    /// A Deployment of two replicas: replicas, of them updated, ready.
    fn live(labels: &serde_json::Value, seconds: i32, counts: [i32; 3]) -> Deployment {
        let [replicas, updated, ready] = counts;
        serde_json::from_value(json!({
            "metadata": {"generation": 2},
            "spec": {
                "replicas": 2, "minReadySeconds": seconds, "selector": {},
                "template": {"metadata": {"labels": labels}},
            },
            "status": {
                "observedGeneration": 2, "replicas": replicas, "updatedReplicas": updated,
                "readyReplicas": ready,
            },
        }))
        .unwrap()
    }

    #[test]
    fn it_begins_with_pods_of_another_program_and_ends_with_the_last_of_them() {
        let ours = json!({"flotilla.dev/managed": "true"});
        assert_eq!(min_ready_seconds(None), None);
        assert_eq!(min_ready_seconds(Some(&live(&json!({}), 0, [2, 2, 2]))), Some(SECONDS));
        assert_eq!(min_ready_seconds(Some(&live(&ours, SECONDS, [4, 2, 3]))), Some(SECONDS));
        assert_eq!(min_ready_seconds(Some(&live(&ours, SECONDS, [2, 2, 2]))), None);
        assert_eq!(min_ready_seconds(Some(&live(&ours, 0, [4, 2, 3]))), None);
    }

    #[test]
    fn the_service_leaves_old_pods_once_a_new_one_is_ready() {
        let ours = json!({"flotilla.dev/managed": "true"});
        let narrows = |counts| narrows_service(Some(&live(&ours, SECONDS, counts)));
        assert!(!narrows([2, 0, 2]));
        assert!(!narrows([4, 2, 2]));
        assert!(narrows([4, 2, 3]));
        assert!(narrows([3, 2, 3]));
        assert!(!narrows([2, 2, 2]), "the old pods are gone");
        assert!(!narrows_service(Some(&live(&ours, 0, [4, 2, 4]))), "our own pods need none of it");
    }
}
