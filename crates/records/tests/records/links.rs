//! Who is who at identity providers.

use crate::place::{Place, at, on_both, race};

on_both!(
    a_subject_is_one_user,
    one_of_many_who_claim_a_subject_gets_it,
    links_go_one_by_one_or_all,
    the_links_of_a_provider_go_with_it,
);

async fn a_subject_is_one_user(place: &Place) {
    let links = place.open().await.links();
    assert_eq!(links.signed_in("corporate", "s1", at(0)).await.unwrap(), None);
    assert!(links.link("corporate", "s1", "olga", at(1)).await.unwrap());
    assert!(links.link("corporate", "s1", "olga", at(2)).await.unwrap());
    assert!(!links.link("corporate", "s1", "eve", at(3)).await.unwrap());
    assert!(links.link("other", "s1", "eve", at(3)).await.unwrap());
    assert_eq!(links.signed_in("corporate", "s1", at(9)).await.unwrap().as_deref(), Some("olga"));
    let [link] = links.of("olga").await.unwrap().try_into().unwrap();
    assert_eq!((link.provider.as_str(), link.subject.as_str()), ("corporate", "s1"));
    assert_eq!((link.created, link.last_sign_in), (at(1), at(9)));
}

async fn one_of_many_who_claim_a_subject_gets_it(place: &Place) {
    let links = place.open().await.links();
    let linked = race(16, |racer| {
        let links = links.clone();
        async move { links.link("corporate", "s1", &format!("user-{racer}"), at(0)).await.unwrap() }
    })
    .await;
    let winner = linked.iter().position(|linked| *linked).unwrap();
    assert_eq!(linked.iter().filter(|linked| **linked).count(), 1);
    let user = links.signed_in("corporate", "s1", at(1)).await.unwrap();
    assert_eq!(user, Some(format!("user-{winner}")));
}

async fn links_go_one_by_one_or_all(place: &Place) {
    let links = place.open().await.links();
    for subject in ["s1", "s2", "s3"] {
        links.link("corporate", subject, "olga", at(0)).await.unwrap();
    }
    assert!(!links.unlink("corporate", "s1", "eve").await.unwrap());
    assert!(links.unlink("corporate", "s1", "olga").await.unwrap());
    assert_eq!(links.signed_in("corporate", "s1", at(1)).await.unwrap(), None);
    assert_eq!(links.unlink_all("olga").await.unwrap(), 2);
    assert!(links.of("olga").await.unwrap().is_empty());
}

async fn the_links_of_a_provider_go_with_it(place: &Place) {
    let links = place.open().await.links();
    for (provider, subject, user) in
        [("a", "s1", "olga"), ("a", "s2", "olga"), ("a", "s3", "eve"), ("b", "s1", "olga")]
    {
        links.link(provider, subject, user, at(0)).await.unwrap();
    }
    assert_eq!(links.users_of("a").await.unwrap(), ["eve", "olga"]);
    assert_eq!(links.unlink_provider("a").await.unwrap(), 3);
    assert!(links.users_of("a").await.unwrap().is_empty());
    assert_eq!(links.of("olga").await.unwrap().len(), 1);
}
