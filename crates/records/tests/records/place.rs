//! Databases for tests.

use std::sync::atomic::{AtomicU32, Ordering};

use jiff::{SignedDuration, Timestamp};
use launcher::PostgreSql;
use records::{Digest, Records};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use tempfile::TempDir;

/// A database that is empty, and gone when this is dropped.
pub(crate) struct Place {
    pub(crate) url: String,
    /// A file of `SQLite`.
    _directory: Option<TempDir>,
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        let directory = TempDir::new().unwrap();
        let url = format!("sqlite://{}/records.db?mode=rwc", directory.path().display());
        Self { url, _directory: Some(directory) }
    }

    /// A new database of a server.
    pub(crate) async fn postgresql(server: &PostgreSql) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("records_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let mut session = Self::administrator(server, "postgres").await;
        session.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
        session.close().await.unwrap();
        Self { url: Self::url_of(server, &name), _directory: None }
    }

    async fn administrator(server: &PostgreSql, database: &str) -> sqlx::AnyConnection {
        sqlx::any::install_default_drivers();
        sqlx::AnyConnection::connect(&Self::url_of(server, database)).await.unwrap()
    }

    fn url_of(server: &PostgreSql, database: &str) -> String {
        format!("postgres://{}:{}@{}/{database}", PostgreSql::USER, PostgreSql::PASSWORD, server.endpoint())
    }

    pub(crate) async fn open(&self) -> Records {
        Records::open(&self.url).await.unwrap()
    }

    /// A session past the records.
    pub(crate) async fn session(&self) -> sqlx::AnyConnection {
        sqlx::any::install_default_drivers();
        sqlx::AnyConnection::connect(&self.url).await.unwrap()
    }
}

/// Runs each function on a new database of `SQLite`, one test each, and all on one PostgreSQL in another.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    Box::pin(super::$name(&crate::place::Place::sqlite())).await;
                }
            )*
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn all_of_it_holds_on_postgresql() {
            let server = launcher::PostgreSql::start().await.unwrap();
            $(
                println!("{}", stringify!($name));
                Box::pin($name(&crate::place::Place::postgresql(&server).await)).await;
            )*
        }
    };
}
pub(crate) use on_both;

/// Seconds after the tests' noon.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_796_000_000).unwrap() + SignedDuration::from_secs(seconds)
}

pub(crate) fn digest(byte: u8) -> Digest {
    Digest([byte; 32])
}

pub(crate) fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

/// Lets so many do the same at once, and gathers what they get.
pub(crate) async fn race<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    racers: usize,
    start: impl Fn(usize) -> F,
) -> Vec<T> {
    let tasks: Vec<_> = (0..racers).map(|racer| tokio::spawn(start(racer))).collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    outcomes
}
