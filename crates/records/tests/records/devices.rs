//! Devices that wait for a person.

use jiff::SignedDuration;
use records::{Approval, DeviceState, NewDevice, Taken};

use crate::place::{Place, at, digest, on_both, race, texts};

on_both!(
    an_approved_device_is_let_in_once,
    nobody_decides_twice,
    a_device_that_expired_is_gone,
    a_user_code_is_one_of_those_that_wait,
    a_device_is_known_by_where_it_asks_and_how_often,
);

pub(crate) fn new(id: &str, user_code: &str, expires: i64) -> NewDevice {
    NewDevice {
        id: id.to_owned(),
        digest: digest(1),
        user_code: user_code.to_owned(),
        address: "10.0.0.1".to_owned(),
        agent: "flotilla".to_owned(),
        expires: at(expires),
    }
}

pub(crate) fn olga() -> Approval {
    let (user, provider) = ("olga".to_owned(), "corporate".to_owned());
    Approval { user, provider, groups: texts(&["developers"]), voucher: "first".to_owned() }
}

async fn an_approved_device_is_let_in_once(place: &Place) {
    let replicas = [place.open().await.devices(), place.open().await.devices()];
    assert!(replicas[0].begin(&new("a", "BCDF-GHJK", 600), at(0)).await.unwrap());
    assert_eq!(replicas[1].take("a", at(1)).await.unwrap(), Taken::Pending);
    let seen = replicas[1].find_by_user_code("BCDF-GHJK", at(1)).await.unwrap().unwrap();
    assert_eq!((seen.id.as_str(), seen.digest, seen.state), ("a", digest(1), DeviceState::Pending));
    assert!(replicas[1].approve("BCDF-GHJK", &olga(), at(2)).await.unwrap());
    let found = replicas[0].find("a", at(2)).await.unwrap().unwrap();
    assert_eq!(found.state, DeviceState::Approved(olga()));
    let taken = race(16, |racer| {
        let devices = replicas[racer % 2].clone();
        async move { devices.take("a", at(3)).await.unwrap() }
    })
    .await;
    assert_eq!(taken.iter().filter(|taken| **taken == Taken::Approved(olga())).count(), 1);
    assert!(taken.iter().all(|taken| *taken != Taken::Denied));
    assert_eq!(replicas[0].take("a", at(4)).await.unwrap(), Taken::Gone);
}

async fn nobody_decides_twice(place: &Place) {
    let devices = place.open().await.devices();
    devices.begin(&new("a", "BCDF-GHJK", 600), at(0)).await.unwrap();
    assert!(devices.deny("BCDF-GHJK", at(1)).await.unwrap());
    assert!(!devices.approve("BCDF-GHJK", &olga(), at(2)).await.unwrap());
    assert_eq!(devices.take("a", at(3)).await.unwrap(), Taken::Denied);
    devices.begin(&new("b", "LMNP-QRST", 600), at(0)).await.unwrap();
    assert!(devices.approve("LMNP-QRST", &olga(), at(1)).await.unwrap());
    let eve = Approval { user: "eve".to_owned(), ..olga() };
    assert!(!devices.approve("LMNP-QRST", &eve, at(2)).await.unwrap());
    assert!(!devices.deny("LMNP-QRST", at(2)).await.unwrap());
    assert_eq!(devices.take("b", at(3)).await.unwrap(), Taken::Approved(olga()));
    assert!(!devices.approve("nothing", &olga(), at(2)).await.unwrap());
}

async fn a_device_that_expired_is_gone(place: &Place) {
    let devices = place.open().await.devices();
    devices.begin(&new("a", "BCDF-GHJK", 10), at(0)).await.unwrap();
    assert!(!devices.approve("BCDF-GHJK", &olga(), at(10)).await.unwrap());
    assert!(devices.approve("BCDF-GHJK", &olga(), at(9)).await.unwrap());
    assert_eq!(devices.take("a", at(10)).await.unwrap(), Taken::Gone);
    assert_eq!(devices.find_by_user_code("BCDF-GHJK", at(10)).await.unwrap(), None);
    assert_eq!(devices.sweep(at(10)).await.unwrap(), 1);
}

async fn a_user_code_is_one_of_those_that_wait(place: &Place) {
    let devices = place.open().await.devices();
    assert!(devices.begin(&new("a", "BCDF-GHJK", 10), at(0)).await.unwrap());
    assert!(!devices.begin(&new("b", "BCDF-GHJK", 20), at(5)).await.unwrap());
    assert_eq!(devices.find_by_user_code("BCDF-GHJK", at(5)).await.unwrap().unwrap().id, "a");
    assert!(devices.begin(&new("b", "BCDF-GHJK", 20), at(10)).await.unwrap());
    assert_eq!(devices.find_by_user_code("BCDF-GHJK", at(10)).await.unwrap().unwrap().id, "b");
}

async fn a_device_is_known_by_where_it_asks_and_how_often(place: &Place) {
    let devices = place.open().await.devices();
    devices.begin(&new("a", "BCDF-GHJK", 600), at(0)).await.unwrap();
    devices.begin(&new("b", "LMNP-QRST", 10), at(0)).await.unwrap();
    let found = devices.find("a", at(1)).await.unwrap().unwrap();
    assert_eq!((found.address.as_str(), found.agent.as_str()), ("10.0.0.1", "flotilla"));
    for (address, second, waiting) in [("10.0.0.1", 1, 2), ("10.0.0.1", 10, 1), ("10.0.0.2", 1, 0)] {
        assert_eq!(devices.waiting(address, at(second)).await.unwrap(), waiting, "{address} {second}");
    }
    let interval = SignedDuration::from_secs(5);
    for (second, is_slow) in [(1, true), (2, false), (5, false), (6, true), (7, false)] {
        assert_eq!(devices.poll("a", interval, at(second)).await.unwrap(), is_slow, "{second}");
    }
    assert!(!devices.poll("nothing", interval, at(1)).await.unwrap());
}
