//! The driver against a real NATS server, beside the real kine.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/kine.rs"]
mod kine;

use std::time::{Duration, Instant};

use datastore::{
    Access, Change, Connection, Driver, Error, Login, MOST_RAISED, NatsStore, Password, Raised, Record,
    TenantSpace, Tls,
};
use kine::ApiServer;
use launcher::{Kine, Nats};

fn connection(nats: &Nats) -> Connection {
    Connection {
        driver: Driver::Nats,
        endpoints: vec![nats.endpoint()],
        login: Some(Login { username: Nats::USER.to_owned(), password: Nats::PASSWORD.to_owned() }),
        tls: nats.authority().map(|authority| Tls {
            certificate_authority: authority.certificate.clone(),
            certificate_authority_key: None,
            client: None,
        }),
    }
}

fn space(name: &str) -> TenantSpace {
    TenantSpace { schema: name.to_owned(), user: name.to_owned() }
}

async fn connected(nats: &Nats) -> NatsStore {
    NatsStore::connect(&connection(nats)).await.unwrap()
}

async fn open(store: &NatsStore, tenant: &TenantSpace) {
    store.ensure(tenant, Access::ReadWrite, &Password::default()).await.unwrap();
}

async fn kine(nats: &Nats, tenant: &TenantSpace) -> Kine {
    let endpoint = format!(
        "nats://{}:{}@{}?bucket={}&noEmbed",
        Nats::USER,
        Nats::PASSWORD,
        nats.endpoint(),
        tenant.schema
    );
    let authority = nats.authority().map(|authority| authority.certificate.as_str());
    Kine::start(&endpoint, authority).await.unwrap()
}

async fn contents(store: &NatsStore, tenant: &TenantSpace) -> Vec<(String, Vec<u8>)> {
    let mut reader = store.read(tenant).await.unwrap();
    let mut found = Vec::new();
    while let Some(record) = reader.next().await.unwrap() {
        found.push((String::from_utf8(record.key).unwrap(), record.value));
    }
    found
}

fn put(key: &str, value: &[u8], ends_in: Option<u64>) -> Change {
    Change::Put(Record { key: key.into(), value: value.to_vec(), ends_in: ends_in.map(Duration::from_secs) })
}

/// What no compression makes smaller.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_le_bytes()[7]
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_kine_wrote_is_read_in_order() {
    let nats = Nats::start_with_tls().await.unwrap();
    let (store, tenant) = (connected(&nats).await, space("read"));
    open(&store, &tenant).await;
    let kine = kine(&nats, &tenant).await;
    let mut api_server = ApiServer::of(&kine).await;
    let noise = noise(200_000);
    let values: [(&str, Vec<u8>); 6] = [
        ("a/b.c/D_9", b"k8s\0\n\x0c".to_vec()),
        ("a-b/c", Vec::new()),
        ("pods/default/x", b"text ".repeat(60_000)),
        ("pods/default/y", noise),
        ("pods/default-b/x", b"neighbour".to_vec()),
        ("secrets/z", b"once".to_vec()),
    ];
    for (key, value) in values.iter().rev() {
        api_server.put(key, value.clone(), 0).await.unwrap();
    }
    api_server.put("secrets/z", "twice", 0).await.unwrap();
    api_server.put("gone", "", 0).await.unwrap();
    api_server.delete("gone").await;
    let revision = api_server.put("events/e", "soon over", 3600).await.unwrap();

    let listed = api_server.list().await;
    assert_eq!(contents(&store, &tenant).await, listed);
    assert_eq!(listed.len(), 7);
    assert_eq!(store.count(&tenant).await.unwrap(), 7);
    let mut reader = store.read(&tenant).await.unwrap();
    assert_eq!((reader.revision(), store.revision(&tenant).await.unwrap()), (revision, revision));
    while let Some(record) = reader.next().await.unwrap() {
        let left = record.ends_in.map(|left| left.as_secs());
        assert_eq!(left.is_some(), record.key == b"events/e");
        assert!(left.is_none_or(|left| (3500..=3600).contains(&left)), "{left:?} s left");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kine_goes_on_with_what_was_written() {
    let nats = Nats::start().await.unwrap();
    let (store, tenant) = (connected(&nats).await, space("written"));
    open(&store, &tenant).await;
    let raised = store.raise_revision(&tenant, 3_000_000_000).await.unwrap();
    assert_eq!(raised, Raised::Done { by: 3_000_000_000 });
    let mut writer = store.begin_writing(&tenant, "first").await.unwrap();
    let mut changes: Vec<Change> = (0..1000)
        .map(|number| put(&format!("configmaps/{number:04}"), &b"value ".repeat(500), None))
        .collect();
    changes.push(put("events/e", b"event", Some(600)));
    changes.push(put("secrets/s", b"to go", None));
    writer.write(&changes).await.unwrap();
    writer
        .write(&[Change::Remove(b"secrets/s".to_vec()), put("configmaps/0003", b"new", None)])
        .await
        .unwrap();
    store.end_copies(&tenant).await.unwrap();
    assert_eq!(store.count(&tenant).await.unwrap(), 1001);

    let kine = kine(&nats, &tenant).await;
    let mut api_server = ApiServer::of(&kine).await;
    let listed = api_server.list().await;
    assert_eq!(listed.len(), 1001);
    assert_eq!(listed[3], ("configmaps/0003".to_owned(), b"new".to_vec()));
    assert_eq!(listed, contents(&store, &tenant).await);
    let revision = api_server.put("configmaps/0004", "changed", 0).await.unwrap();
    assert!(revision > 3_000_000_000, "{revision}");
    api_server.put("secrets/s", "again", 0).await.unwrap();
    api_server.delete("configmaps/0005").await;
    assert_eq!(contents(&store, &tenant).await, api_server.list().await);
    assert_eq!(store.count(&tenant).await.unwrap(), 1001);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_write_comes_after_the_barrier() {
    let nats = Nats::start().await.unwrap();
    let (store, tenant) = (connected(&nats).await, space("busy"));
    open(&store, &tenant).await;
    let kine = kine(&nats, &tenant).await;
    let writers = (0..8).map(|writer| {
        let kine = &kine;
        async move {
            let mut api_server = ApiServer::of(kine).await;
            let mut acknowledged = 0_u64;
            while api_server.put(&format!("{writer}/{acknowledged}"), "", 0).await.is_ok() {
                acknowledged += 1;
            }
            acknowledged
        }
    });
    let barrier = async {
        while store.count(&tenant).await.unwrap() < 200 {
            tokio::task::yield_now().await;
        }
        for _ in 0..2 {
            store.ensure(&tenant, Access::ReadOnly, &Password::default()).await.unwrap();
        }
        store.count(&tenant).await.unwrap()
    };
    let (acknowledged, seen) = tokio::join!(futures::future::join_all(writers), barrier);
    let acknowledged: u64 = acknowledged.into_iter().sum();
    assert_eq!(acknowledged, seen, "writes were acknowledged after the barrier, or lost before it");

    let mut api_server = ApiServer::of(&kine).await;
    assert_eq!(api_server.list().await.len() as u64, seen);
    open(&store, &tenant).await;
    api_server.put("after", "", 0).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_writer_that_began_last_writes_and_none_once_copies_ended() {
    let nats = Nats::start().await.unwrap();
    let (store, tenant) = (connected(&nats).await, space("once"));
    open(&store, &tenant).await;
    let mut stale = store.begin_writing(&tenant, "stale").await.unwrap();
    let mut current = store.begin_writing(&tenant, "current").await.unwrap();
    let change = [put("a", b"", None)];
    assert!(matches!(stale.write(&change).await, Err(Error::Superseded)));
    assert_eq!(store.count(&tenant).await.unwrap(), 0);
    current.write(&change).await.unwrap();
    for _ in 0..2 {
        store.end_copies(&tenant).await.unwrap();
    }
    assert!(matches!(current.write(&change).await, Err(Error::Superseded)));
    assert_eq!(store.count(&tenant).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_the_server_does_not_take_is_named_with_the_limit() {
    let nats = Nats::start().await.unwrap();
    let (store, tenant) = (connected(&nats).await, space("large"));
    open(&store, &tenant).await;
    let mut writer = store.begin_writing(&tenant, "pass").await.unwrap();
    let error = writer.write(&[put("large", &noise(9_000_000), None)]).await.unwrap_err();
    let text = format!("{error:?}");
    assert!(text.contains("max_payload of 8388608 bytes"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_is_of_one_moment() {
    let nats = Nats::start().await.unwrap();
    let (store, tenant) = (connected(&nats).await, space("moment"));
    open(&store, &tenant).await;
    let mut filler = store.begin_writing(&tenant, "pass").await.unwrap();
    let many: Vec<Change> =
        (0..5000).map(|number| put(&format!("m/{number:05}"), b"filling", None)).collect();
    filler.write(&many).await.unwrap();
    let kine = kine(&nats, &tenant).await;
    // Each number goes to `z` only after it has gone to `a`.
    let writing = async {
        let mut api_server = ApiServer::of(&kine).await;
        for number in 0..400 {
            for key in ["a", "z"] {
                api_server.put(key, number.to_string(), 0).await.unwrap();
            }
        }
    };
    let reading = async {
        let mut last = 0;
        while last < 390 {
            let found = contents(&store, &tenant).await;
            let number = |wanted: &str| -> i64 {
                let value = found.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.clone());
                value.map_or(-1, |value| String::from_utf8(value).unwrap().parse().unwrap())
            };
            let (a, z) = (number("a"), number("z"));
            assert!(a == z || a == z + 1, "a is {a}, z is {z}");
            assert!(found.len() >= 5000, "{} entries", found.len());
            last = z;
        }
    };
    tokio::join!(writing, reading);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_is_raised_by_writing_where_there_are_entries_and_never_beyond_what_is_reasonable() {
    let nats = Nats::start().await.unwrap();
    let (store, tenant) = (connected(&nats).await, space("raised"));
    open(&store, &tenant).await;
    store.begin_writing(&tenant, "pass").await.unwrap().write(&[put("a", b"1", None)]).await.unwrap();
    let before = store.revision(&tenant).await.unwrap();
    let raised = store.raise_revision(&tenant, before + 5000).await.unwrap();
    assert_eq!(raised, Raised::Done { by: 5000 });
    assert_eq!(store.revision(&tenant).await.unwrap(), before + 5000);
    assert_eq!(store.raise_revision(&tenant, before).await.unwrap(), Raised::Done { by: 0 });
    let too_far = store.raise_revision(&tenant, before + 5000 + MOST_RAISED + 1).await.unwrap();
    assert_eq!(too_far, Raised::TooFar { missing: MOST_RAISED + 1 });
    assert_eq!(contents(&store, &tenant).await, [("a".to_owned(), b"1".to_vec())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn taking_one_tenant_away_harms_no_other_whose_name_begins_alike() {
    let nats = Nats::start().await.unwrap();
    let store = connected(&nats).await;
    let (short, long) = (space("team"), space("team-b"));
    for tenant in [&short, &long] {
        open(&store, tenant).await;
        store.begin_writing(tenant, "pass").await.unwrap().write(&[put("a", b"", None)]).await.unwrap();
    }
    store.remove(&short).await.unwrap();
    store.remove(&short).await.unwrap();
    assert_eq!((store.count(&short).await.unwrap(), store.count(&long).await.unwrap()), (0, 1));
    assert_eq!(store.revision(&short).await.unwrap(), 0);
    store.end_copies(&short).await.unwrap();
    assert!(contents(&store, &short).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_and_authorities_are_told_apart() {
    let nats = Nats::start_with_tls().await.unwrap();
    let good = connection(&nats);
    let health = NatsStore::connect(&good).await.unwrap().health().await.unwrap();
    assert_eq!((health.version.as_str(), health.limit), ("2.15.2", None));
    let refusal = async |change: &dyn Fn(&mut Connection)| {
        let mut connection = good.clone();
        change(&mut connection);
        let error = NatsStore::connect(&connection).await.unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string);
        (error, source.unwrap_or_default())
    };
    let (error, _) = refusal(&|connection| {
        connection.login.as_mut().unwrap().password = "battery-staple".to_owned();
    })
    .await;
    assert!(matches!(error, Error::SignIn { .. }), "{error:?}");
    let other = Nats::start_with_tls().await.unwrap();
    let (error, cause) = refusal(&|connection| {
        connection.tls.as_mut().unwrap().certificate_authority =
            other.authority().unwrap().certificate.clone();
    })
    .await;
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(cause.contains("certificate"), "{cause}");
    let (error, cause) = refusal(&|connection| connection.endpoints = vec!["127.0.0.1:1".to_owned()]).await;
    assert!(matches!(error, Error::Unreachable { .. }) && cause.contains("refused"), "{error:?} {cause}");
    let (error, _) =
        refusal(&|connection| connection.tls.as_mut().unwrap().certificate_authority.clear()).await;
    assert!(error.to_string().contains("certificate authority"), "{error}");
    assert!(!format!("{good:?}").contains(Nats::PASSWORD));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_goes_away_is_named_and_answers_again_with_all_that_it_acknowledged() {
    let mut nats = Nats::start().await.unwrap();
    let (store, tenant) = (connected(&nats).await, space("away"));
    open(&store, &tenant).await;
    store.begin_writing(&tenant, "pass").await.unwrap().write(&[put("a", b"1", None)]).await.unwrap();
    nats.stop().await;
    let began = Instant::now();
    store.health().await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    nats.resume().await.unwrap();
    let began = Instant::now();
    while let Err(error) = store.health().await {
        assert!(began.elapsed() < Duration::from_secs(30), "it does not answer: {error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(contents(&store, &tenant).await, [("a".to_owned(), b"1".to_vec())]);
}
