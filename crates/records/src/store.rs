//! The connections: how they are opened, and how long is waited for an answer.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::any::{Any, AnyPoolOptions, install_default_drivers};
use sqlx::{AnyPool, Connection as _, Executor as _, Transaction};
use tokio::time::{Instant, sleep, timeout};

use crate::RecordsError;
use crate::address::{Address, Dialect};
use crate::migrations;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest wait for a connection, which a server that is down does not give; part of [`PATIENCE`].
const UNTIL_CONNECTED: Duration = Duration::from_secs(5);
/// Between tries while another process opens the same file.
const PAUSE: Duration = Duration::from_millis(20);
/// Connections to PostgreSQL; a replica needs few, and a server has a hundred for all.
const CONNECTIONS: u32 = 16;
/// Connections that read a file while one writes.
const READERS: u32 = 4;

/// How a connection to `SQLite` is set up. `FULL`: a commit is on disk before it is acknowledged. The cache
/// (32 MiB) and a log of 4000 pages keep the audit log's indexes from being read and written again and again. What is
/// temporary is in memory: where the server runs there may be no directory for it.
const SQLITE: &str = "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -32768; \
    PRAGMA wal_autocheckpoint = 4000; PRAGMA temp_store = MEMORY;";
/// And one that must not write.
const SQLITE_READER: &str = "PRAGMA synchronous = FULL; PRAGMA query_only = ON; PRAGMA temp_store = MEMORY;";
/// How a session of PostgreSQL is set up: what hangs ends, and with it its locks.
const POSTGRESQL: &str = "SET statement_timeout = '10s'; SET idle_in_transaction_session_timeout = '30s';";

/// The connections. Clones share them.
#[derive(Clone)]
pub(crate) struct Store {
    dialect: Dialect,
    place: Arc<str>,
    readers: AnyPool,
    /// One connection if it is `SQLite`, so that writers queue here, in order, and not in the file's lock.
    writers: AnyPool,
}

impl Store {
    /// Connects and migrates.
    pub(crate) async fn open(url: &str) -> Result<Self, RecordsError> {
        install_default_drivers();
        let address = Address::parse(url)?;
        let opened = match address.dialect {
            Dialect::Sqlite => Self::open_file(&address).await,
            Dialect::PostgreSql => Self::open_server(&address).await,
        };
        let store = opened.map_err(|error| address.cannot_open(&error))?;
        migrations::apply(&store).await.map_err(|fault| fault.into_error(&address))?;
        Ok(store)
    }

    async fn open_file(address: &Address) -> sqlx::Result<Self> {
        if let Some(file) = &address.new_file {
            make_private(file)?;
        }
        let writers = pool(1, SQLITE).connect(&address.url).await?;
        log_ahead(&writers).await?;
        let readers = pool(READERS, SQLITE_READER).connect(&address.url).await?;
        Ok(Self { dialect: address.dialect, place: address.place.as_str().into(), readers, writers })
    }

    async fn open_server(address: &Address) -> sqlx::Result<Self> {
        let writers = pool(CONNECTIONS, POSTGRESQL).connect(&address.url).await?;
        let readers = writers.clone();
        Ok(Self { dialect: address.dialect, place: address.place.as_str().into(), readers, writers })
    }

    /// What speaks SQL there.
    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Where it is, for people.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// For statements that only read.
    pub(crate) fn readers(&self) -> &AnyPool {
        &self.readers
    }

    /// For statements that write.
    pub(crate) fn writers(&self) -> &AnyPool {
        &self.writers
    }

    /// A transaction that writes. In `SQLite` it has the lock from the beginning, or it could fail in its midst.
    pub(crate) async fn begin(&self) -> sqlx::Result<Transaction<'static, Any>> {
        let statement = match self.dialect {
            Dialect::Sqlite => "BEGIN IMMEDIATE",
            Dialect::PostgreSql => "BEGIN",
        };
        self.writers.begin_with(statement).await
    }

    /// Does something within [`PATIENCE`]. What is not done by then is rolled back, unless it was being committed.
    pub(crate) async fn run<T>(
        &self,
        action: &'static str,
        work: impl Future<Output = sqlx::Result<T>>,
    ) -> Result<T, RecordsError> {
        match timeout(PATIENCE, Box::pin(work)).await {
            Ok(outcome) => outcome.map_err(|error| RecordsError::Failed { action, source: Arc::new(error) }),
            Err(_) => Err(RecordsError::Unanswered { action, seconds: PATIENCE.as_secs() }),
        }
    }

    /// Whether it answers.
    pub(crate) async fn ping(&self) -> Result<(), RecordsError> {
        let asked = async { self.readers.execute("SELECT 1").await.map(drop) };
        self.run("reach the database", asked).await
    }

    /// Ends all connections.
    pub(crate) async fn close(&self) {
        self.writers.close().await;
        self.readers.close().await;
    }
}

fn pool(size: u32, set_up: &'static str) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(UNTIL_CONNECTED)
        .after_connect(move |connection, _| {
            Box::pin(async move { connection.execute(set_up).await.map(drop) })
        })
        // A transaction that the database itself has given up, as when its disk fails, is open for the driver for
        // ever. Such a connection is of no use to anybody; another one is opened.
        .before_acquire(|connection, _| Box::pin(std::future::ready(Ok(!connection.is_in_transaction()))))
}

/// Makes the file readable by its owner only, as `SQLite` then does with its log. Leaves one that is there.
fn make_private(file: &std::path::Path) -> io::Result<()> {
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(file).map(drop)
}

/// Lets others read while one writes. The switch takes the whole file and does not wait for it, so it is tried until it
/// succeeds.
async fn log_ahead(pool: &AnyPool) -> sqlx::Result<()> {
    let began = Instant::now();
    loop {
        match pool.execute("PRAGMA journal_mode = WAL").await {
            Err(error) if is_busy(&error) && began.elapsed() < PATIENCE => sleep(PAUSE).await,
            other => return other.map(drop),
        }
    }
}

fn is_busy(error: &sqlx::Error) -> bool {
    // SQLITE_BUSY is 5 in the lowest byte of the extended code.
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}

#[cfg(test)]
mod tests {
    use sqlx::Executor as _;

    use super::Store;

    async fn file() -> (tempfile::TempDir, Store) {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", directory.path().join("hub.db").display());
        let store = Store::open(&url).await.unwrap();
        (directory, store)
    }

    #[tokio::test]
    async fn a_transaction_that_the_database_gave_up_does_not_stop_those_that_follow() {
        let (_directory, store) = file().await;
        let mut transaction = store.begin().await.unwrap();
        // As SQLite does by itself when a write fails.
        transaction.execute("ROLLBACK").await.unwrap();
        drop(transaction);
        let mut next = store.begin().await.unwrap();
        next.execute("CREATE TABLE more (id BIGINT)").await.unwrap();
        next.commit().await.unwrap();
    }

    #[tokio::test]
    async fn nothing_temporary_needs_a_directory() {
        let (_directory, store) = file().await;
        for pool in [store.writers(), store.readers()] {
            let kept: i64 = sqlx::query_scalar("PRAGMA temp_store").fetch_one(pool).await.unwrap();
            assert_eq!(kept, 2, "in memory");
        }
    }
}
