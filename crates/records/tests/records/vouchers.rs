//! By what providers are asked again.

use jiff::{SignedDuration, Timestamp};
use records::{Approval, NewSession, Taken};

use crate::devices::{new, olga};
use crate::place::{Place, at, on_both, race};
use crate::sessions::session;

on_both!(
    one_of_many_asks_the_provider,
    a_sign_in_comes_back_once,
    a_session_that_has_ended_leaves_nothing,
    a_program_goes_on_with_the_voucher_of_who_let_it_in
);

const LASTS: SignedDuration = SignedDuration::from_secs(8);
const PAUSE: SignedDuration = SignedDuration::from_secs(10);

async fn one_of_many_asks_the_provider(place: &Place) {
    let vouchers = place.open().await.vouchers();
    vouchers.keep("session", "s1", "sealed", at(0)).await.unwrap();
    assert!(!vouchers.claim("session", LASTS, PAUSE, at(9)).await.unwrap());
    let claims = race(16, |_| {
        let vouchers = vouchers.clone();
        async move { vouchers.claim("session", LASTS, PAUSE, at(60)).await.unwrap() }
    })
    .await;
    assert_eq!(claims.into_iter().filter(|claimed| *claimed).count(), 1);
    assert_eq!(vouchers.find("session").await.unwrap().unwrap().busy_until, at(68));
    vouchers.unanswered("session").await.unwrap();
    assert!(!vouchers.claim("session", LASTS, PAUSE, at(69)).await.unwrap());
    assert!(vouchers.claim("session", LASTS, PAUSE, at(70)).await.unwrap());
    vouchers.answered("session", "another", at(71)).await.unwrap();
    let voucher = vouchers.find("session").await.unwrap().unwrap();
    assert_eq!((voucher.subject.as_str(), voucher.refresh_token.as_str()), ("s1", "another"));
    assert_eq!((voucher.checked, voucher.busy_until), (at(71), Timestamp::UNIX_EPOCH));
    assert!(!vouchers.claim("other", LASTS, PAUSE, at(200)).await.unwrap());
}

async fn a_sign_in_comes_back_once(place: &Place) {
    let vouchers = place.open().await.vouchers();
    let spent = race(16, |_| {
        let vouchers = vouchers.clone();
        async move { vouchers.spend_flow("state", at(600)).await.unwrap() }
    })
    .await;
    assert_eq!(spent.into_iter().filter(|spent| *spent).count(), 1);
    assert!(vouchers.spend_flow("other", at(600)).await.unwrap());
}

async fn a_session_that_has_ended_leaves_nothing(place: &Place) {
    let records = place.open().await;
    let (sessions, vouchers) = (records.sessions(), records.vouchers());
    for id in ["ended", "lasts"] {
        sessions.open(&session(id, "olga", 100), at(0)).await.unwrap();
        vouchers.keep(id, "s1", "sealed", at(0)).await.unwrap();
    }
    sessions.end("ended").await.unwrap();
    vouchers.sweep(at(1)).await.unwrap();
    assert!(vouchers.find("ended").await.unwrap().is_none());
    assert!(vouchers.find("lasts").await.unwrap().is_some());
    assert_eq!(sessions.end_provider("corporate").await.unwrap(), 1);
    assert_eq!(sessions.find("lasts", at(1)).await.unwrap(), None);
}

async fn a_program_goes_on_with_the_voucher_of_who_let_it_in(place: &Place) {
    let records = place.open().await;
    let (sessions, vouchers, devices) = (records.sessions(), records.vouchers(), records.devices());
    sessions.open(&session("person", "olga", 100), at(0)).await.unwrap();
    vouchers.keep("person", "s1", "sealed", at(0)).await.unwrap();
    devices.begin(&new("d", "AAAA-BBBB", 100), at(0)).await.unwrap();
    let approval = Approval { voucher: "person".to_owned(), ..olga() };
    assert!(devices.approve("AAAA-BBBB", &approval, at(1)).await.unwrap());
    // Who signs out before the program comes takes nothing from it.
    sessions.end("person").await.unwrap();
    vouchers.sweep(at(2)).await.unwrap();
    assert_eq!(devices.take("d", at(3)).await.unwrap(), Taken::Approved(approval));
    let program = NewSession { voucher: "person".to_owned(), ..session("program", "olga", 100) };
    sessions.open(&program, at(3)).await.unwrap();
    vouchers.sweep(at(4)).await.unwrap();
    assert!(vouchers.find("person").await.unwrap().is_some());
    assert_eq!(sessions.end_voucher("").await.unwrap(), 0);
    assert_eq!(sessions.end_voucher("person").await.unwrap(), 1);
    vouchers.sweep(at(5)).await.unwrap();
    assert!(vouchers.find("person").await.unwrap().is_none());
}
