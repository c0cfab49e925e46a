//! Sessions of people.

use records::NewSession;

use crate::place::{Place, at, digest, on_both, texts};

on_both!(
    a_session_is_found_until_it_expires,
    use_is_noted_once_a_minute,
    groups_are_replaced,
    a_session_ends_alone_and_those_of_a_user_together,
    expired_ones_are_swept,
    no_text_from_outside_breaks_a_session,
);

pub(crate) fn session(id: &str, user: &str, expires: i64) -> NewSession {
    NewSession {
        id: id.to_owned(),
        digest: digest(1),
        csrf: digest(2),
        user: user.to_owned(),
        provider: "corporate".to_owned(),
        groups: texts(&["developers", "Größen, \"quoted\""]),
        voucher: id.to_owned(),
        expires: at(expires),
        address: "10.0.0.1".to_owned(),
        agent: "Firefox".to_owned(),
    }
}

async fn a_session_is_found_until_it_expires(place: &Place) {
    let sessions = place.open().await.sessions();
    sessions.open(&session("a", "olga", 100), at(0)).await.unwrap();
    let found = sessions.find("a", at(99)).await.unwrap().unwrap();
    assert_eq!((found.digest, found.csrf), (digest(1), digest(2)));
    assert_eq!((found.user.as_str(), found.provider.as_str()), ("olga", "corporate"));
    assert_eq!(found.groups, texts(&["developers", "Größen, \"quoted\""]));
    assert_eq!((found.created, found.last_seen, found.expires), (at(0), at(0), at(100)));
    assert_eq!((found.address.as_str(), found.agent.as_str()), ("10.0.0.1", "Firefox"));
    assert!(!format!("{found:?}").contains("0101"));
    assert_eq!(sessions.find("a", at(100)).await.unwrap(), None);
    assert_eq!(sessions.find("A", at(0)).await.unwrap(), None);
    assert!(sessions.open(&session("a", "eve", 100), at(0)).await.is_err());
    assert_eq!(sessions.find("a", at(0)).await.unwrap().unwrap().user, "olga");
}

async fn use_is_noted_once_a_minute(place: &Place) {
    let sessions = place.open().await.sessions();
    sessions.open(&session("a", "olga", 1000), at(0)).await.unwrap();
    let opened = sessions.find("a", at(0)).await.unwrap().unwrap();
    assert!(!sessions.touch(&opened, at(59)).await.unwrap());
    assert!(sessions.touch(&opened, at(60)).await.unwrap());
    // Another replica still has the old value.
    assert!(!sessions.touch(&opened, at(61)).await.unwrap());
    assert_eq!(sessions.find("a", at(61)).await.unwrap().unwrap().last_seen, at(60));
}

async fn groups_are_replaced(place: &Place) {
    let sessions = place.open().await.sessions();
    sessions.open(&session("a", "olga", 100), at(0)).await.unwrap();
    assert!(sessions.set_groups("a", &texts(&["operators"])).await.unwrap());
    assert_eq!(sessions.find("a", at(1)).await.unwrap().unwrap().groups, texts(&["operators"]));
    assert!(!sessions.set_groups("b", &[]).await.unwrap());
}

async fn a_session_ends_alone_and_those_of_a_user_together(place: &Place) {
    let sessions = place.open().await.sessions();
    for (id, user, opened) in [("a", "olga", 0), ("b", "olga", 1), ("c", "olga", 2), ("d", "piet", 3)] {
        sessions.open(&session(id, user, 100), at(opened)).await.unwrap();
    }
    let ids = |list: Vec<records::Session>| list.into_iter().map(|session| session.id).collect::<Vec<_>>();
    assert_eq!(ids(sessions.of("olga", at(5)).await.unwrap()), ["c", "b", "a"]);
    assert!(sessions.end("b").await.unwrap());
    assert!(!sessions.end("b").await.unwrap());
    assert_eq!(sessions.end_all("olga", Some("c")).await.unwrap(), 1);
    assert_eq!(ids(sessions.of("olga", at(5)).await.unwrap()), ["c"]);
    assert_eq!(sessions.end_all("olga", None).await.unwrap(), 1);
    assert_eq!(ids(sessions.of("piet", at(5)).await.unwrap()), ["d"]);
}

async fn expired_ones_are_swept(place: &Place) {
    let sessions = place.open().await.sessions();
    sessions.open(&session("a", "olga", 10), at(0)).await.unwrap();
    sessions.open(&session("b", "olga", 11), at(0)).await.unwrap();
    assert_eq!(sessions.sweep(at(10)).await.unwrap(), 1);
    assert_eq!(sessions.of("olga", at(0)).await.unwrap().len(), 1);
}

async fn no_text_from_outside_breaks_a_session(place: &Place) {
    let sessions = place.open().await.sessions();
    let mut hostile = session("a", "'; DROP TABLE sessions; --", 100);
    hostile.agent = format!("nul \0 {}", "ß".repeat(1000));
    hostile.groups = texts(&["nul \0 group"]);
    sessions.open(&hostile, at(0)).await.unwrap();
    let found = sessions.find("a", at(1)).await.unwrap().unwrap();
    assert!(found.agent.starts_with("nul \u{fffd} ß") && found.agent.len() <= 520);
    assert_eq!(found.groups, texts(&["nul \0 group"]));
    assert_eq!(found.user, "'; DROP TABLE sessions; --");
    assert_eq!(sessions.find("a\0", at(1)).await.unwrap(), None);
}
