//! The programs of backup Jobs on stores of every driver: an archive of one comes back in all of them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use datastore::{Access, Change, Connection, Driver, Login, Password, Record, Store, TenantSpace, Tls};
use launcher::{Etcd, MariaDb, Nats, PostgreSql};
use pki::Pair;

const KEYS: u32 = 700;

/// A tenant's place in a store.
struct Place {
    driver: Driver,
    connection: Connection,
    space: TenantSpace,
    store: Store,
}

/// How one reaches a server: address, authority, certificate, name and password.
type Reach<'a> = (String, &'a Pair, Option<&'a Pair>, Option<(&'a str, &'a str)>);

impl Place {
    async fn make(driver: Driver, reach: Reach<'_>) -> Self {
        let (endpoint, authority, client, administrator) = reach;
        let tls = Tls {
            certificate_authority: authority.certificate.clone(),
            certificate_authority_key: None,
            client: client.cloned(),
        };
        let login =
            |(user, word): (&str, &str)| Login { username: user.to_owned(), password: word.to_owned() };
        let connection =
            |login| Connection { driver, endpoints: vec![endpoint.clone()], login, tls: Some(tls.clone()) };
        let space = TenantSpace { schema: "team".to_owned(), user: "team".to_owned() };
        let store = Store::connect(&connection(administrator.map(login))).await.unwrap();
        store.ensure(&space, Access::ReadWrite, &Password::new("of-team")).await.unwrap();
        // NATS has no users of tenants, etcd knows them by certificates.
        let tenant = match driver {
            Driver::PostgreSql | Driver::MySql => Some(("team", "of-team")),
            Driver::Etcd | Driver::Nats => administrator,
        };
        Self { driver, connection: connection(tenant.map(login)), space, store }
    }

    async fn write(&self, changes: &[Change]) {
        self.store.begin_writing(&self.space, "test").await.unwrap().write(changes).await.unwrap();
        self.store.end_copies(&self.space).await.unwrap();
    }

    async fn contents(&self) -> Vec<Record> {
        let mut reader = self.store.read(&self.space).await.unwrap();
        let mut all = Vec::new();
        while let Some(record) = reader.next().await.unwrap() {
            // How long it has left changes while one looks.
            all.push(Record { ends_in: record.ends_in.map(|_| Duration::ZERO), ..record });
        }
        all
    }

    /// Runs a task with the Secrets that the tenant's pods have, and returns its outcome.
    fn run(&self, task: &str, archive: &str, directory: &Path) -> serde_json::Value {
        let secrets = directory.join(format!("{:?}", self.driver));
        let write = |path: &str, text: &str| {
            let path = secrets.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("config/DB_USER", &self.space.user);
        write("config/DB_SCHEMA", &self.space.schema);
        write("config/DB_PASSWORD", self.connection.login.as_ref().map_or("", |login| &login.password));
        if let Some(login) = &self.connection.login {
            write("config/DB_USER", &login.username);
        }
        let tls = self.connection.tls.as_ref().unwrap();
        write("certificate/ca.crt", &tls.certificate_authority);
        if let Some(client) = &tls.client {
            write("certificate/server.crt", &client.certificate);
            write("certificate/server.key", client.private_key.expose_pem());
        }
        write("key/key", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
        let result = directory.join("result");
        let driver = match self.driver {
            Driver::Etcd => "etcd",
            Driver::PostgreSql => "PostgreSQL",
            Driver::MySql => "MySQL",
            Driver::Nats => "NATS",
        };
        let mut command = Command::new(env!("CARGO_BIN_EXE_flotilla-operator"));
        command.args([task, "--archive", archive, "--driver", driver]);
        command.arg("--endpoint").arg(&self.connection.endpoints[0]);
        command.arg("--directory").arg(directory).arg("--secrets").arg(&secrets).arg("--result").arg(&result);
        if task == "backup" {
            command.args(["--namespace=a", "--name=team", "--uid=1"]);
        }
        let ended = command.output().unwrap();
        let outcome = std::fs::read(&result).unwrap_or_default();
        assert!(ended.status.success(), "{task} {driver}: {}", String::from_utf8_lossy(&outcome));
        serde_json::from_slice(&outcome).unwrap()
    }
}

fn put(key: &str, value: &str, ends_in: Option<Duration>) -> Change {
    Change::Put(Record { key: key.into(), value: value.into(), ends_in })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_of_any_driver_comes_back_in_every_driver() {
    let etcd = Etcd::start().await.unwrap();
    let postgresql = PostgreSql::start_with_tls().await.unwrap();
    let mariadb = MariaDb::start_with_tls().await.unwrap();
    let nats = Nats::start_with_tls().await.unwrap();
    let places = [
        Place::make(Driver::Etcd, (etcd.endpoint(), etcd.authority(), Some(etcd.root()), None)).await,
        Place::make(
            Driver::PostgreSql,
            (
                postgresql.endpoint(),
                postgresql.authority().unwrap(),
                None,
                Some((PostgreSql::USER, PostgreSql::PASSWORD)),
            ),
        )
        .await,
        Place::make(
            Driver::MySql,
            (
                mariadb.endpoint(),
                mariadb.authority().unwrap(),
                None,
                Some((MariaDb::USER, MariaDb::PASSWORD)),
            ),
        )
        .await,
        Place::make(
            Driver::Nats,
            (nats.endpoint(), nats.authority().unwrap(), None, Some((Nats::USER, Nats::PASSWORD))),
        )
        .await,
    ];
    let directory = tempfile::tempdir().unwrap();
    for (number, place) in places.iter().enumerate() {
        let value = format!("of {number} {}", "x".repeat(400));
        let records: Vec<Change> = (0..KEYS)
            .map(|key| {
                put(
                    &format!("configmaps/{key:05}"),
                    &value,
                    (key % 10 == 0).then_some(Duration::from_hours(1)),
                )
            })
            .collect();
        place.write(&records).await;
        let known = place.contents().await;
        let outcome = place.run("backup", &number.to_string(), directory.path());
        assert_eq!(outcome["objects"], known.len(), "{outcome}");
    }
    for number in 0..places.len() {
        for place in &places {
            let stray = [
                put("secrets/new", "since", None),
                put("configmaps/00001", "changed", None),
                Change::Remove(b"configmaps/00002".to_vec()),
            ];
            place.write(&stray).await;
            let before = place.store.revision(&place.space).await.unwrap();
            let outcome = place.run("restore", &number.to_string(), directory.path());
            let contents = place.contents().await;
            assert_eq!(contents.len(), KEYS as usize, "{outcome}");
            let value = format!("of {number} ");
            for (key, record) in (0..KEYS).zip(&contents) {
                assert_eq!(String::from_utf8_lossy(&record.key), format!("configmaps/{key:05}"));
                assert!(record.value.starts_with(value.as_bytes()), "archive {number} in {:?}", place.driver);
                assert_eq!(record.ends_in.is_some(), key % 10 == 0, "{record:?}");
            }
            assert!(place.store.revision(&place.space).await.unwrap() > before, "{:?}", place.driver);
        }
    }
}
