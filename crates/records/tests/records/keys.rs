//! Keys of programs.

use records::NewKey;

use crate::place::{Place, at, digest, on_both};

on_both!(
    a_key_is_found_until_it_expires_and_listed_after,
    only_its_owner_deletes_a_key,
    use_of_a_key_is_noted_once_a_minute,
);

fn key(id: &str, user: &str, expires: Option<i64>) -> NewKey {
    NewKey {
        id: id.to_owned(),
        digest: digest(3),
        user: user.to_owned(),
        name: "CI".to_owned(),
        scope: r#"{"verbs":["get"]}"#.to_owned(),
        expires: expires.map(at),
    }
}

async fn a_key_is_found_until_it_expires_and_listed_after(place: &Place) {
    let keys = place.open().await.keys();
    keys.add(&key("ends", "olga", Some(10)), at(0)).await.unwrap();
    keys.add(&key("stays", "olga", None), at(1)).await.unwrap();
    let found = keys.find("ends", at(9)).await.unwrap().unwrap();
    assert_eq!((found.digest, found.created, found.expires), (digest(3), at(0), Some(at(10))));
    assert_eq!((found.name.as_str(), found.scope.as_str()), ("CI", r#"{"verbs":["get"]}"#));
    assert_eq!((found.last_used, found.last_address), (None, None));
    assert_eq!(keys.find("ends", at(10)).await.unwrap(), None);
    assert!(keys.find("stays", at(1_000_000)).await.unwrap().is_some());
    let ids: Vec<String> = keys.of("olga").await.unwrap().into_iter().map(|key| key.id).collect();
    assert_eq!(ids, ["stays", "ends"]);
    assert_eq!(keys.sweep(at(1000)).await.unwrap(), 1);
    assert_eq!(keys.of("olga").await.unwrap().len(), 1);
}

async fn only_its_owner_deletes_a_key(place: &Place) {
    let keys = place.open().await.keys();
    keys.add(&key("a", "olga", None), at(0)).await.unwrap();
    assert!(!keys.delete("a", "eve").await.unwrap());
    assert!(keys.find("a", at(1)).await.unwrap().is_some());
    assert!(keys.delete("a", "olga").await.unwrap());
    assert_eq!(keys.find("a", at(1)).await.unwrap(), None);
    keys.add(&key("b", "olga", None), at(0)).await.unwrap();
    keys.add(&key("c", "piet", None), at(0)).await.unwrap();
    assert_eq!(keys.delete_all("olga").await.unwrap(), 1);
    assert_eq!(keys.of("piet").await.unwrap().len(), 1);
}

async fn use_of_a_key_is_noted_once_a_minute(place: &Place) {
    let keys = place.open().await.keys();
    keys.add(&key("a", "olga", None), at(0)).await.unwrap();
    let unused = keys.find("a", at(0)).await.unwrap().unwrap();
    assert!(keys.used(&unused, "10.0.0.1", at(5)).await.unwrap());
    // Another replica still has the old value.
    assert!(!keys.used(&unused, "10.0.0.2", at(6)).await.unwrap());
    let used = keys.find("a", at(6)).await.unwrap().unwrap();
    assert_eq!((used.last_used, used.last_address.as_deref()), (Some(at(5)), Some("10.0.0.1")));
    assert!(!keys.used(&used, "10.0.0.2", at(64)).await.unwrap());
    assert!(keys.used(&used, "10.0.0.2", at(65)).await.unwrap());
    assert_eq!(keys.find("a", at(66)).await.unwrap().unwrap().last_address.as_deref(), Some("10.0.0.2"));
}
