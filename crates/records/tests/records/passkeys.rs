//! What authenticators are asked, and how often they answered.

use records::Challenge;

use crate::place::{Place, at, on_both, race};

on_both!(
    a_challenge_is_answered_once_by_whom_and_for_what_it_was_made,
    a_count_that_does_not_grow_is_refused,
    a_passkey_is_one_users,
);

fn challenge(id: &str, user: &str) -> Challenge {
    Challenge {
        id: id.to_owned(),
        purpose: "add".to_owned(),
        user: user.to_owned(),
        address: "10.0.0.1".to_owned(),
        expires: at(300),
    }
}

async fn a_challenge_is_answered_once_by_whom_and_for_what_it_was_made(place: &Place) {
    let replicas = [place.open().await.challenges(), place.open().await.challenges()];
    replicas[0].begin(&challenge("a", "olga")).await.unwrap();
    replicas[0].begin(&challenge("b", "olga")).await.unwrap();
    assert_eq!(replicas[1].waiting("10.0.0.1", at(1)).await.unwrap(), 2);
    assert_eq!(replicas[1].waiting("10.0.0.2", at(1)).await.unwrap(), 0);
    for (purpose, user, second) in [("sign-in", "olga", 1), ("add", "eve", 1), ("add", "olga", 300)] {
        assert!(
            !replicas[1].take("a", purpose, user, at(second)).await.unwrap(),
            "{purpose} {user} {second}"
        );
    }
    let taken = race(16, |racer| {
        let challenges = replicas[racer % 2].clone();
        async move { challenges.take("a", "add", "olga", at(2)).await.unwrap() }
    })
    .await;
    assert_eq!(taken.into_iter().filter(|taken| *taken).count(), 1);
    assert_eq!(replicas[0].sweep(at(300)).await.unwrap(), 1);
    assert_eq!(replicas[0].waiting("10.0.0.1", at(1)).await.unwrap(), 0);
}

async fn a_count_that_does_not_grow_is_refused(place: &Place) {
    let passkeys = place.open().await.passkeys();
    assert!(passkeys.add("a", "olga", 3).await.unwrap());
    for (counter, is_taken) in [(3, false), (4, true), (4, false), (0, false), (9, true), (5, false)] {
        assert_eq!(passkeys.used("a", "olga", counter, at(1)).await.unwrap(), is_taken, "{counter}");
    }
    assert!(passkeys.add("b", "olga", 0).await.unwrap());
    for (counter, is_taken) in [(0, true), (0, true), (1, true), (0, false)] {
        assert_eq!(passkeys.used("b", "olga", counter, at(2)).await.unwrap(), is_taken, "{counter}");
    }
    assert!(passkeys.used("unknown", "olga", 7, at(3)).await.unwrap());
    assert!(!passkeys.used("unknown", "olga", 7, at(4)).await.unwrap());
}

async fn a_passkey_is_one_users(place: &Place) {
    let passkeys = place.open().await.passkeys();
    assert!(passkeys.add("a", "olga", 0).await.unwrap());
    assert!(!passkeys.add("a", "eve", 0).await.unwrap());
    assert!(!passkeys.used("a", "eve", 5, at(1)).await.unwrap());
    passkeys.forget("a", "eve").await.unwrap();
    assert!(passkeys.last_uses("olga").await.unwrap().is_empty());
    assert!(passkeys.used("a", "olga", 1, at(2)).await.unwrap());
    assert_eq!(passkeys.last_uses("olga").await.unwrap(), [("a".to_owned(), at(2))]);
    passkeys.forget("a", "olga").await.unwrap();
    assert!(passkeys.add("a", "eve", 0).await.unwrap());
    assert_eq!(passkeys.forget_all("eve").await.unwrap(), 1);
}
