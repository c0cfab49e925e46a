//! What slows down guessing.

use records::Attempts;

use crate::place::{Place, at, on_both, race};

on_both!(
    failures_at_once_are_all_counted,
    failures_of_one_key_are_no_matter_of_another,
    a_step_is_accepted_once,
    old_failures_are_swept,
);

fn one_more(attempts: Attempts) -> Attempts {
    Attempts { failures: attempts.failures + 1, last: at(i64::from(attempts.failures)) }
}

async fn failures_at_once_are_all_counted(place: &Place) {
    // Two replicas.
    let replicas = [place.open().await.guessing(), place.open().await.guessing()];
    let mut counts: Vec<u32> = race(64, |racer| {
        let guessing = replicas[racer % 2].clone();
        async move { guessing.failed("name:olga", one_more).await.unwrap().failures }
    })
    .await;
    counts.sort_unstable();
    assert_eq!(counts, (1..=64).collect::<Vec<_>>());
    assert_eq!(replicas[0].attempts("name:olga").await.unwrap(), Attempts { failures: 64, last: at(63) });
}

async fn failures_of_one_key_are_no_matter_of_another(place: &Place) {
    let guessing = place.open().await.guessing();
    guessing.failed("name:olga", one_more).await.unwrap();
    guessing.failed("name:ol\0ga", one_more).await.unwrap();
    assert_eq!(guessing.attempts("name:piet").await.unwrap(), Attempts::default());
    guessing.cleared("name:olga").await.unwrap();
    assert_eq!(guessing.attempts("name:olga").await.unwrap(), Attempts::default());
    assert_eq!(guessing.attempts("name:ol\0ga").await.unwrap().failures, 1);
}

async fn a_step_is_accepted_once(place: &Place) {
    let replicas = [place.open().await.codes(), place.open().await.codes()];
    for step in [5, 6] {
        let accepted = race(16, |racer| {
            let codes = replicas[racer % 2].clone();
            async move { codes.accept_step("olga", step).await.unwrap() }
        })
        .await;
        assert_eq!(accepted.into_iter().filter(|accepted| *accepted).count(), 1, "step {step}");
    }
    let codes = &replicas[0];
    assert!(!codes.accept_step("olga", 4).await.unwrap());
    assert!(!codes.accept_step("olga", u64::MAX).await.unwrap());
    assert!(codes.accept_step("piet", 4).await.unwrap());
    codes.forget("olga").await.unwrap();
    assert!(codes.accept_step("olga", 4).await.unwrap());
}

async fn old_failures_are_swept(place: &Place) {
    let guessing = place.open().await.guessing();
    for (key, last) in [("old", 0), ("new", 10)] {
        guessing.failed(key, |_| Attempts { failures: 1, last: at(last) }).await.unwrap();
    }
    assert_eq!(guessing.sweep(at(10)).await.unwrap(), 1);
    assert_eq!(guessing.attempts("new").await.unwrap().failures, 1);
}
