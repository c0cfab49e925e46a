//! Requests that come again.

use records::{Begun, LONGEST_BODY, RecordsError, Response};

use crate::place::{Place, at, digest, on_both, race};

on_both!(
    a_request_is_done_once_and_answered_again,
    one_of_many_at_once_gets_the_claim,
    a_claim_ends_by_itself_and_its_owner_comes_too_late,
    a_body_that_is_too_large_is_refused,
);

fn created() -> Response {
    Response { status: 201, body: r#"{"name":"web"}"#.to_owned() }
}

async fn a_request_is_done_once_and_answered_again(place: &Place) {
    let answers = place.open().await.idempotency();
    let Begun::Claimed(claim) = answers.begin("olga", "k", digest(1), at(60), at(0)).await.unwrap() else {
        panic!("it is not claimed")
    };
    assert_eq!(answers.begin("olga", "k", digest(1), at(61), at(1)).await.unwrap(), Begun::InProgress);
    assert_eq!(answers.begin("olga", "k", digest(2), at(61), at(1)).await.unwrap(), Begun::Conflict);
    assert!(matches!(answers.begin("piet", "k", digest(2), at(61), at(1)).await.unwrap(), Begun::Claimed(_)));
    assert!(answers.finish(&claim, &created(), at(1000)).await.unwrap());
    assert!(!answers.finish(&claim, &created(), at(1000)).await.unwrap());
    assert_eq!(
        answers.begin("olga", "k", digest(1), at(700), at(600)).await.unwrap(),
        Begun::Replay(created())
    );
    assert_eq!(answers.begin("olga", "k", digest(2), at(700), at(600)).await.unwrap(), Begun::Conflict);
    assert_eq!(answers.sweep(at(999)).await.unwrap(), 1);
    assert!(matches!(
        answers.begin("olga", "k", digest(2), at(1100), at(1000)).await.unwrap(),
        Begun::Claimed(_)
    ));
}

async fn one_of_many_at_once_gets_the_claim(place: &Place) {
    let replicas = [place.open().await.idempotency(), place.open().await.idempotency()];
    let begun = race(16, |racer| {
        let answers = replicas[racer % 2].clone();
        async move { answers.begin("olga", "k", digest(1), at(60), at(0)).await.unwrap() }
    })
    .await;
    assert_eq!(begun.iter().filter(|begun| matches!(begun, Begun::Claimed(_))).count(), 1);
    assert_eq!(begun.iter().filter(|begun| matches!(begun, Begun::InProgress)).count(), 15);
}

async fn a_claim_ends_by_itself_and_its_owner_comes_too_late(place: &Place) {
    let answers = place.open().await.idempotency();
    let Begun::Claimed(slow) = answers.begin("olga", "k", digest(1), at(60), at(0)).await.unwrap() else {
        panic!("it is not claimed")
    };
    let Begun::Claimed(next) = answers.begin("olga", "k", digest(1), at(120), at(60)).await.unwrap() else {
        panic!("it is not claimed")
    };
    assert!(!answers.finish(&slow, &created(), at(1000)).await.unwrap());
    assert!(!answers.give_up(&slow).await.unwrap());
    assert!(answers.give_up(&next).await.unwrap());
    assert!(matches!(
        answers.begin("olga", "k", digest(2), at(120), at(61)).await.unwrap(),
        Begun::Claimed(_)
    ));
}

async fn a_body_that_is_too_large_is_refused(place: &Place) {
    let answers = place.open().await.idempotency();
    let Begun::Claimed(claim) = answers.begin("olga", "k", digest(1), at(60), at(0)).await.unwrap() else {
        panic!("it is not claimed")
    };
    let large = Response { status: 200, body: "x".repeat(LONGEST_BODY + 1) };
    let refused = answers.finish(&claim, &large, at(100)).await.unwrap_err();
    assert!(matches!(refused, RecordsError::TooLarge { .. }), "{refused}");
    let fits = Response { status: 200, body: "x".repeat(LONGEST_BODY) };
    assert!(answers.finish(&claim, &fits, at(100)).await.unwrap());
    assert_eq!(answers.begin("olga", "k", digest(1), at(60), at(1)).await.unwrap(), Begun::Replay(fits));
}
