//! Copies between stores of all drivers, each pair with real servers.
//!
//! `FLOTILLA_COPY_RECORDS` sets how many records are round, for measurements; the times are printed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use datastore::{
    Access, Change, Connection, Copier, Driver, Login, Password, Progress, Record, Store, TenantSpace, Tls,
};
use launcher::{Etcd, MariaDb, Nats, PostgreSql};
use pki::Pair;

const RECORDS: usize = 1200;
const DRIVERS: [Driver; 4] = [Driver::Etcd, Driver::PostgreSql, Driver::MySql, Driver::Nats];

/// Servers of every driver.
struct Servers {
    etcd: Etcd,
    postgresql: PostgreSql,
    mariadb: MariaDb,
    nats: Nats,
}

impl Servers {
    async fn start() -> Self {
        Self {
            etcd: Etcd::start().await.unwrap(),
            postgresql: PostgreSql::start_with_tls().await.unwrap(),
            mariadb: MariaDb::start_with_tls().await.unwrap(),
            nats: Nats::start_with_tls().await.unwrap(),
        }
    }

    async fn store(&self, driver: Driver) -> Store {
        let (endpoint, authority, client, login) = match driver {
            Driver::Etcd => (self.etcd.endpoint(), Some(self.etcd.authority()), Some(self.etcd.root()), None),
            Driver::PostgreSql => {
                let login = (PostgreSql::USER, PostgreSql::PASSWORD);
                (self.postgresql.endpoint(), self.postgresql.authority(), None, Some(login))
            }
            Driver::MySql => {
                let login = (MariaDb::USER, MariaDb::PASSWORD);
                (self.mariadb.endpoint(), self.mariadb.authority(), None, Some(login))
            }
            Driver::Nats => {
                (self.nats.endpoint(), self.nats.authority(), None, Some((Nats::USER, Nats::PASSWORD)))
            }
        };
        let tls = |authority: &Pair| Tls {
            certificate_authority: authority.certificate.clone(),
            certificate_authority_key: None,
            client: client.cloned(),
        };
        let login = login.map(|(user, word)| Login { username: user.to_owned(), password: word.to_owned() });
        let tls = authority.map(tls);
        Store::connect(&Connection { driver, endpoints: vec![endpoint], login, tls }).await.unwrap()
    }
}

fn put(key: String, value: Vec<u8>, ends_in: Option<Duration>) -> Change {
    Change::Put(Record { key: key.into_bytes(), value, ends_in })
}

/// As an API server's contents are: some large, some that end, names in which order by bytes matters.
fn contents(records: usize, with_mysql: bool) -> Vec<Change> {
    let mut all: Vec<Change> = (0..records)
        .map(|number| {
            let ends_in = (number % 10 == 0).then_some(Duration::from_hours(1));
            put(format!("pods/team/{number:06}"), vec![u8::try_from(number % 251).unwrap(); 1000], ends_in)
        })
        .collect();
    all.push(put("pods/team-b/large".to_owned(), vec![b'x'; 1_300_000], None));
    // kine's table in MySQL takes ASCII only.
    let foreign = if with_mysql { "unicode/a" } else { "ünicode/ä" };
    for key in ["Upper/a", "pods/team", "pods/team.b/a", "pods/TEAM/a", foreign, "empty"] {
        let value = if key == "empty" { Vec::new() } else { b"k8s\0\n\xff".to_vec() };
        all.push(put(key.to_owned(), value, None));
    }
    all
}

/// Keys, values and whether they end.
async fn everything(store: &Store, space: &TenantSpace) -> Vec<(String, Vec<u8>, bool)> {
    let mut reader = store.read(space).await.unwrap();
    let mut all = Vec::new();
    while let Some(Record { key, value, ends_in }) = reader.next().await.unwrap() {
        all.push((String::from_utf8(key).unwrap(), value, ends_in.is_some()));
    }
    assert!(all.windows(2).all(|pair| pair[0].0 < pair[1].0), "not in the order of bytes");
    all
}

async fn copy(from: Driver, to: Driver, servers: &Servers, records: usize) {
    let name = format!("{from:?}-{to:?}").to_lowercase();
    let space = TenantSpace { schema: name.clone(), user: name.clone() };
    let (source, target) = (servers.store(from).await, servers.store(to).await);
    for store in [&source, &target] {
        store.ensure(&space, Access::ReadWrite, &Password::new("secret")).await.unwrap();
    }
    let mut filling = source.begin_writing(&space, "fill").await.unwrap();
    let with_mysql = [from, to].contains(&Driver::MySql);
    filling.write(&contents(records, with_mysql)).await.unwrap();
    let expected = everything(&source, &space).await;
    assert_eq!(expected.len(), records + 7, "{name}");

    let began = Instant::now();
    target.raise_revision(&space, source.revision(&space).await.unwrap()).await.unwrap();
    let progress = Progress::default();
    let mut copier = Copier::begin(source.clone(), target.clone(), space.clone(), "copy").await.unwrap();
    let round = copier.round(&progress).await.unwrap();
    eprintln!("{name}: {} keys in {} ms", round.written, began.elapsed().as_millis());
    assert!(copier.round(&progress).await.unwrap().is_settled(), "{name}");
    assert!(everything(&target, &space).await == expected, "{name}: the contents differ");
    assert_eq!(target.count(&space).await.unwrap(), expected.len() as u64, "{name}");
    assert!(target.revision(&space).await.unwrap() >= source.revision(&space).await.unwrap(), "{name}");

    // What changed since, and only that, is round by the next round.
    let changes = [
        Change::Remove(b"pods/team/000001".to_vec()),
        put("pods/team/000002".to_owned(), b"changed".to_vec(), None),
        put("pods/zebra".to_owned(), b"new".to_vec(), None),
    ];
    filling.write(&changes).await.unwrap();
    let round = copier.round(&progress).await.unwrap();
    assert_eq!((round.written, round.removed), (2, 1), "{name}");
    assert!(everything(&target, &space).await == everything(&source, &space).await, "{name}: they differ");
    target.end_copies(&space).await.unwrap();
    filling.write(&[Change::Remove(b"empty".to_vec())]).await.unwrap();
    copier.round(&progress).await.unwrap_err();
    for store in [&source, &target] {
        store.end_copies(&space).await.unwrap();
        store.remove(&space).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_driver_takes_what_every_other_one_holds() {
    let servers = Box::pin(Servers::start()).await;
    let wished = std::env::var("FLOTILLA_COPY_RECORDS").ok();
    let records = wished.and_then(|text| text.parse().ok()).unwrap_or(RECORDS);
    for from in DRIVERS {
        for to in DRIVERS.into_iter().filter(|to| *to != from) {
            Box::pin(copy(from, to, &servers, records)).await;
        }
    }
}
