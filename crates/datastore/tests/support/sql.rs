//! Claims that hold for both SQL drivers, each against a real server and the real kine.

use std::time::{Duration, Instant};

use datastore::{
    Access, Change, Connection, Driver, Error, Login, Password, Raised, Record, Store, TenantSpace, Tls,
};
use launcher::Kine;
use pki::Pair;

use crate::kine::ApiServer;

pub(crate) const PASSWORD: &str = "tenants-secret";

/// Where a server is and who its administrator is.
pub(crate) struct Server {
    pub(crate) driver: Driver,
    pub(crate) endpoint: String,
    pub(crate) administrator: &'static str,
    pub(crate) password: &'static str,
    pub(crate) authority: Option<Pair>,
}

impl Server {
    pub(crate) fn connection(&self, username: &str, password: &str) -> Connection {
        Connection {
            driver: self.driver,
            endpoints: vec![self.endpoint.clone()],
            login: Some(Login { username: username.to_owned(), password: password.to_owned() }),
            tls: self.authority.as_ref().map(|authority| Tls {
                certificate_authority: authority.certificate.clone(),
                certificate_authority_key: None,
                client: None,
            }),
        }
    }

    pub(crate) async fn store(&self) -> Store {
        Store::connect(&self.connection(self.administrator, self.password)).await.unwrap()
    }

    pub(crate) async fn store_of(&self, tenant: &TenantSpace) -> Store {
        Store::connect(&self.connection(&tenant.user, PASSWORD)).await.unwrap()
    }

    pub(crate) async fn kine(&self, tenant: &TenantSpace) -> Kine {
        let (user, schema, endpoint) = (&tenant.user, &tenant.schema, &self.endpoint);
        let url = match self.driver {
            Driver::PostgreSql => format!("postgres://{user}:{PASSWORD}@{endpoint}/{schema}"),
            _ => format!("mysql://{user}:{PASSWORD}@tcp({endpoint})/{schema}"),
        };
        let authority = self.authority.as_ref().map(|authority| authority.certificate.as_str());
        Kine::start(&url, authority).await.unwrap()
    }
}

pub(crate) fn space(name: &str) -> TenantSpace {
    TenantSpace { schema: name.to_owned(), user: name.to_owned() }
}

pub(crate) async fn open(store: &Store, tenant: &TenantSpace) {
    store.ensure(tenant, Access::ReadWrite, &Password::new(PASSWORD)).await.unwrap();
}

pub(crate) fn put(key: &str, value: &str, ends_in: Option<u64>) -> Change {
    let ends_in = ends_in.map(Duration::from_secs);
    Change::Put(Record { key: key.into(), value: value.into(), ends_in })
}

pub(crate) async fn contents(store: &Store, tenant: &TenantSpace) -> Vec<(String, Vec<u8>)> {
    let mut reader = store.read(tenant).await.unwrap();
    let mut found = Vec::new();
    while let Some(record) = reader.next().await.unwrap() {
        found.push((String::from_utf8(record.key).unwrap(), record.value));
    }
    found
}

/// kine writes; the driver reads the same, in the order of bytes.
pub(crate) async fn what_kine_wrote_is_read(server: &Server) {
    let (store, tenant) = (server.store().await, space("read"));
    open(&store, &tenant).await;
    assert_eq!(store.count(&tenant).await.unwrap(), 0);
    assert_eq!(store.revision(&tenant).await.unwrap(), 0);
    let kine = server.kine(&tenant).await;
    let mut api_server = ApiServer::of(&kine).await;
    for key in ["pods/b", "pods/a", "pods-x/a", "pods/a/b", "Upper/a", "events/e", "gone"] {
        let lasting = if key == "events/e" { 3600 } else { 0 };
        api_server.put(key, b"k8s\0\n\xff".to_vec(), lasting).await.unwrap();
    }
    api_server.put("pods/a", "second", 0).await.unwrap();
    api_server.delete("gone").await;
    let last = api_server.put("large", "x".repeat(1_400_000), 0).await.unwrap();
    let listed = api_server.list().await;
    let read = contents(&store, &tenant).await;
    let keys: Vec<_> = read.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["Upper/a", "events/e", "large", "pods-x/a", "pods/a", "pods/a/b", "pods/b"]);
    let mut listed_in_order = listed;
    listed_in_order.sort();
    assert_eq!(read, listed_in_order);
    assert_eq!(store.count(&tenant).await.unwrap(), 7);
    assert_eq!(store.revision(&tenant).await.unwrap(), last);
    // The tenant's own credentials will do.
    assert_eq!(contents(&server.store_of(&tenant).await, &tenant).await, read);
    let mut reader = store.read(&tenant).await.unwrap();
    assert_eq!(reader.revision(), last);
    api_server.put("later", "", 0).await.unwrap();
    let mut ends = Vec::new();
    while let Some(record) = reader.next().await.unwrap() {
        assert_ne!(record.key, b"later", "the reader sees what was written after it began");
        ends.extend(record.ends_in);
    }
    assert_eq!(ends, [Duration::from_hours(1)]);
}

/// The driver writes before kine ever ran; kine serves it and goes on.
pub(crate) async fn what_is_written_is_served_by_kine(server: &Server) {
    let (store, tenant) = (server.store().await, space("written"));
    open(&store, &tenant).await;
    assert_eq!(store.raise_revision(&tenant, 1_000_000).await.unwrap(), Raised::Done { by: 1_000_000 });
    assert_eq!(store.raise_revision(&tenant, 7).await.unwrap(), Raised::Done { by: 0 });
    assert_eq!(store.revision(&tenant).await.unwrap(), 1_000_000);
    let mut writer = store.begin_writing(&tenant, "one").await.unwrap();
    let many: Vec<_> = (0..1500).map(|key| put(&format!("pods/{key:05}"), "first", None)).collect();
    writer.write(&many).await.unwrap();
    writer.write(&[put("pods/00000", "second", None), Change::Remove(b"pods/00001".to_vec())]).await.unwrap();
    writer.write(&[Change::Remove(b"pods/none".to_vec()), put("events/e", "", Some(4))]).await.unwrap();
    writer
        .write(&[put("pods/00002", "third", None), put("pods/x", &"x".repeat(1_400_000), None)])
        .await
        .unwrap();
    writer.write(&[Change::Remove(b"pods/00003".to_vec())]).await.unwrap();
    writer.write(&[put("pods/00003", "again", None)]).await.unwrap();
    assert_eq!(store.count(&tenant).await.unwrap(), 1501);

    // Only the latest writes, and none once copies ended.
    let mut second = store.begin_writing(&tenant, "two").await.unwrap();
    assert!(matches!(writer.write(&[put("late", "", None)]).await, Err(Error::Superseded)));
    second.write(&[put("pods/y", "", None)]).await.unwrap();
    store.end_copies(&tenant).await.unwrap();
    store.end_copies(&tenant).await.unwrap();
    assert!(matches!(second.write(&[put("late", "", None)]).await, Err(Error::Superseded)));
    let before = store.revision(&tenant).await.unwrap();
    assert!(before > 1_001_500, "{before}");
    let read = contents(&store, &tenant).await;
    assert_eq!(read.len(), 1502);

    let kine = server.kine(&tenant).await;
    let mut api_server = ApiServer::of(&kine).await;
    let mut listed: Vec<_> = api_server.list().await;
    listed.sort();
    let read: Vec<_> = read.into_iter().filter(|(key, _)| key != "events/e").collect();
    listed.retain(|(key, _)| key != "events/e");
    assert!(read == listed, "kine lists {} of {}", listed.len(), read.len());
    // It goes on where the driver ended: updates, deletions, creations of what was there before.
    let revision = api_server.put("pods/00000", "by kine", 0).await.unwrap();
    assert!(revision > before, "{revision} after {before}");
    api_server.delete("pods/00004").await;
    api_server.put("pods/00001", "made again", 0).await.unwrap();
    api_server.put("new", "", 0).await.unwrap();
    assert_eq!(store.count(&tenant).await.unwrap(), api_server.list().await.len() as u64);
    let began = Instant::now();
    while api_server.list().await.iter().any(|(key, _)| key == "events/e") {
        assert!(began.elapsed() < Duration::from_secs(20), "an entry with a lease does not end");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // And the driver after kine.
    let mut third = store.begin_writing(&tenant, "three").await.unwrap();
    third.write(&[put("pods/00004", "back", None), Change::Remove(b"new".to_vec())]).await.unwrap();
    let listed = api_server.list().await;
    assert!(listed.contains(&("pods/00004".to_owned(), b"back".to_vec())));
    assert!(!listed.iter().any(|(key, _)| key == "new"));
}

/// A tenant that restores with its own credentials before kine ever ran.
pub(crate) async fn a_tenant_fills_its_own_place(server: &Server) {
    let (store, tenant) = (server.store().await, space("restored"));
    open(&store, &tenant).await;
    let own = server.store_of(&tenant).await;
    own.raise_revision(&tenant, 5000).await.unwrap();
    let mut writer = own.begin_writing(&tenant, "job").await.unwrap();
    writer.write(&[put("pods/a", "restored", None)]).await.unwrap();
    own.end_copies(&tenant).await.unwrap();
    let kine = server.kine(&tenant).await;
    let mut api_server = ApiServer::of(&kine).await;
    assert_eq!(api_server.list().await, [("pods/a".to_owned(), b"restored".to_vec())]);
    assert!(api_server.put("pods/a", "on", 0).await.unwrap() > 5000);
}

/// Eight writers through kine; none is told of a success after the barrier.
pub(crate) async fn no_acknowledged_write_comes_after_the_barrier(server: &Server) {
    let (store, tenant) = (server.store().await, space("busy"));
    open(&store, &tenant).await;
    let kine = server.kine(&tenant).await;
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
    let writing = async { futures::future::join_all(writers).await.into_iter().sum::<u64>() };
    let barrier = async {
        while store.count(&tenant).await.unwrap() < 200 {
            tokio::task::yield_now().await;
        }
        store.ensure(&tenant, Access::ReadOnly, &Password::new(PASSWORD)).await.unwrap();
        store.count(&tenant).await.unwrap()
    };
    let (acknowledged, seen) = tokio::join!(writing, barrier);
    assert_eq!(acknowledged, seen, "writes were acknowledged after the barrier, or lost before it");
    assert_eq!(store.count(&tenant).await.unwrap(), seen);

    // It holds for new connections, is idempotent, lets the administrator write, and can be taken away.
    store.ensure(&tenant, Access::ReadOnly, &Password::new(PASSWORD)).await.unwrap();
    match Store::connect(&server.connection(&tenant.user, PASSWORD)).await {
        Ok(own) => {
            assert!(own.count(&tenant).await.is_err(), "kine would take refused creations for done");
            assert!(own.begin_writing(&tenant, "own").await.is_err(), "the barrier lets the tenant write");
        }
        Err(error) => assert!(matches!(error, Error::SignIn { .. }), "{error:?}"),
    }
    let mut api_server = ApiServer::of(&kine).await;
    let mut writer = store.begin_writing(&tenant, "administrator").await.unwrap();
    writer.write(&[put("copied", "", None)]).await.unwrap();
    store.ensure(&tenant, Access::ReadWrite, &Password::new(PASSWORD)).await.unwrap();
    let began = Instant::now();
    while let Err(error) = api_server.put("after", "", 0).await {
        assert!(began.elapsed() < Duration::from_secs(20), "kine does not write again: {error}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A tenant goes with all that is its own, and with nothing of one whose name begins alike.
pub(crate) async fn removal_takes_the_tenant_and_nothing_else(server: &Server) {
    let store = server.store().await;
    let tenants = ["team", "team-b", "team_b", "teamxb", "te`a\"m'; drop"].map(space);
    for tenant in &tenants {
        open(&store, tenant).await;
        open(&store, tenant).await;
        let mut writer = store.begin_writing(tenant, "x").await.unwrap();
        writer.write(&[put("a", "", None)]).await.unwrap();
    }
    let frozen = &tenants[1];
    store.ensure(frozen, Access::ReadOnly, &Password::new(PASSWORD)).await.unwrap();
    for (gone, tenant) in tenants.iter().enumerate() {
        store.remove(tenant).await.unwrap();
        store.remove(tenant).await.unwrap();
        assert_eq!(store.count(tenant).await.unwrap(), 0);
        for other in &tenants[gone + 1..] {
            assert_eq!(store.count(other).await.unwrap(), 1, "{other:?} after {tenant:?}");
        }
        let signed_in = Store::connect(&server.connection(&tenant.user, PASSWORD)).await;
        assert!(matches!(signed_in, Err(Error::SignIn { .. })), "{signed_in:?}");
    }
}

/// A changed password is set, and the old one is none any more.
pub(crate) async fn passwords_follow(server: &Server) {
    let (store, tenant) = (server.store().await, space("rotated"));
    for password in ["first", "second'\\\"`; --", "second'\\\"`; --"] {
        store.ensure(&tenant, Access::ReadWrite, &Password::new(password)).await.unwrap();
        Store::connect(&server.connection(&tenant.user, password)).await.unwrap();
    }
    let old = Store::connect(&server.connection(&tenant.user, "first")).await;
    assert!(matches!(old, Err(Error::SignIn { .. })), "{old:?}");
}

/// Names that are the administrator's or others' are refused, and nobody loses anything by it.
pub(crate) async fn what_is_others_is_left_alone(server: &Server, reserved: &[(&str, &str)]) {
    let store = server.store().await;
    open(&store, &space("first")).await;
    let mut taken: Vec<(&str, &str)> = vec![("second", "first"), ("first", "second")];
    taken.extend(reserved);
    for (schema, user) in taken {
        let space = TenantSpace { schema: schema.to_owned(), user: user.to_owned() };
        let refused = store.ensure(&space, Access::ReadWrite, &Password::new("stolen")).await;
        assert!(
            matches!(refused, Err(Error::Reserved { .. } | Error::Taken { .. } | Error::Name { .. })),
            "{schema} {user}: {refused:?}"
        );
        let _ = store.remove(&space).await;
    }
    server.store_of(&space("first")).await.begin_writing(&space("first"), "x").await.unwrap();
    server.store().await.health().await.unwrap();
}

/// Bad credentials, a wrong authority and a place where nothing is are told apart.
pub(crate) async fn failures_are_told_apart(server: &Server, other_authority: &Pair) {
    let wrong = Store::connect(&server.connection(server.administrator, "wrong")).await;
    assert!(matches!(wrong, Err(Error::SignIn { .. })), "{wrong:?}");
    let mut connection = server.connection(server.administrator, server.password);
    if let Some(tls) = &mut connection.tls {
        tls.certificate_authority.clone_from(&other_authority.certificate);
    }
    let untrusted = Store::connect(&connection).await;
    assert!(matches!(untrusted, Err(Error::Unreachable { .. })), "{untrusted:?}");
    let mut connection = server.connection(server.administrator, server.password);
    connection.tls = None;
    assert!(Store::connect(&connection).await.is_err(), "it takes connections in clear text");
    let mut connection = server.connection(server.administrator, server.password);
    connection.endpoints = vec!["127.0.0.1:1".to_owned()];
    let nothing = Store::connect(&connection).await;
    assert!(matches!(nothing, Err(Error::Unreachable { .. })), "{nothing:?}");
    let health = server.store().await.health().await.unwrap();
    assert!(health.used.unwrap() > 0, "{health:?}");
    assert_eq!(health.support(server.driver), datastore::Support::Supported);
    assert_eq!(health.refuses_writes, None);
}

/// Waits until a store answers again.
pub(crate) async fn answers(store: &Store) {
    let began = Instant::now();
    while let Err(error) = store.health().await {
        assert!(began.elapsed() < Duration::from_secs(30), "it does not answer: {error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
