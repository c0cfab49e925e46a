//! Moves between stores of different drivers, with real servers.

use api::names::annotations;
use api::{DataStore, MigrationPhase};
use datastore::{Store, TenantSpace};
use kube::api::{Api, PostParams};
use launcher::{MariaDb, Nats, PostgreSql};
use serde_json::json;

use crate::server::Server;
use crate::setting::{KEYS, Setting};

/// Every pair of drivers, as one journey.
const JOURNEY: [&str; 12] = [
    "postgresql",
    "mariadb",
    "postgresql",
    "nats",
    "postgresql",
    "first",
    "mariadb",
    "nats",
    "mariadb",
    "first",
    "nats",
    "first",
];

/// Servers beside the setting's etcds.
struct Servers {
    postgresql: PostgreSql,
    mariadb: MariaDb,
    nats: Nats,
}

impl Servers {
    async fn start(setting: &Setting) -> Self {
        let servers = Self {
            postgresql: PostgreSql::start_with_tls().await.unwrap(),
            mariadb: MariaDb::start_with_tls().await.unwrap(),
            nats: Nats::start_with_tls().await.unwrap(),
        };
        let stores: Api<DataStore> = Api::all(setting.stage.client());
        for name in ["postgresql", "mariadb", "nats"] {
            let object = servers.of(name, setting).object(name);
            stores.create(&PostParams::default(), &serde_json::from_value(object).unwrap()).await.unwrap();
        }
        servers
    }

    fn of(&self, name: &str, setting: &Setting) -> Server {
        match name {
            "postgresql" => (&self.postgresql).into(),
            "mariadb" => (&self.mariadb).into(),
            "nats" => (&self.nats).into(),
            _ => (&setting.first).into(),
        }
    }
}

/// A tenant's keys with their values.
async fn records(store: &Store, space: &TenantSpace) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut reader = store.read(space).await.unwrap();
    let mut all = Vec::new();
    while let Some(record) = reader.next().await.unwrap() {
        all.push((record.key, record.value));
    }
    all
}

async fn look(server: &Server, space: &TenantSpace) -> (Store, i64) {
    let store = server.administrator().await;
    let revision = store.revision(space).await.unwrap();
    (store, revision)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_plane_travels_through_all_drivers_though_the_operator_is_killed_at_every_phase() {
    let mut setting = Setting::set().await;
    let servers = Box::pin(Servers::start(&setting)).await;
    setting.fill().await;
    let space = setting.space().await;
    let (first, mut known) = look(&servers.of("first", &setting), &space).await;
    let before = records(&first, &space).await;
    assert_eq!(before.len(), KEYS);
    let phases =
        [MigrationPhase::Copying, MigrationPhase::Freezing, MigrationPhase::Frozen, MigrationPhase::Switched];
    let mut at = "first";
    for (to, phase) in JOURNEY.into_iter().zip(phases.into_iter().cycle()) {
        setting.wish(to, json!({annotations::CLEANUP_PRIOR_MIGRATION: "true"})).await;
        setting.in_phase(phase).await;
        setting.operator.kill().await;
        setting.operator.restart().await.unwrap();
        setting.ready_in(to).await;
        let (store, revision) = look(&servers.of(to, &setting), &space).await;
        assert!(records(&store, &space).await == before, "{at} -> {to}: the contents differ");
        assert!(revision >= known, "{at} -> {to}: the version went from {known} to {revision}");
        assert!(!setting.is_frozen().await, "{at} -> {to}: writes are still refused");
        (at, known) = (to, revision);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_that_go_away_at_any_phase_are_waited_for() {
    let setting = Setting::set().await;
    let mut servers = Box::pin(Servers::start(&setting)).await;
    setting.fill().await;
    let space = setting.space().await;
    let before = records(&servers.of("first", &setting).administrator().await, &space).await;
    let journey = [
        ("postgresql", MigrationPhase::Copying),
        ("mariadb", MigrationPhase::Freezing),
        ("postgresql", MigrationPhase::Frozen),
        ("mariadb", MigrationPhase::Switched),
    ];
    for (to, phase) in journey {
        setting.wish(to, json!({annotations::CLEANUP_PRIOR_MIGRATION: "true"})).await;
        setting.in_phase(phase).await;
        servers.postgresql.stop().await;
        servers.mariadb.stop().await;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        servers.mariadb.resume().await.unwrap();
        servers.postgresql.resume().await.unwrap();
        setting.ready_in(to).await;
        let store = servers.of(to, &setting).administrator().await;
        assert!(records(&store, &space).await == before, "{to}, {phase:?}: the contents differ");
        assert!(!setting.is_frozen().await, "{to}, {phase:?}: writes are still refused");
    }
}
