//! A store of any kind: what the operator and backups use.

use crate::etcd::{EtcdReader, EtcdStore, EtcdWriter};
use crate::mysql::{MySqlReader, MySqlStore, MySqlWriter};
use crate::nats::{NatsReader, NatsStore, NatsWriter};
use crate::postgres::{PostgreSqlReader, PostgreSqlStore, PostgreSqlWriter};
use crate::{Access, Change, Connection, Driver, Error, Health, Password, Raised, Record, TenantSpace};

/// A connection to a store as its administrator, or as a tenant for what a tenant may do. Clones share it.
#[derive(Debug, Clone)]
pub enum Store {
    /// etcd.
    Etcd(Box<EtcdStore>),
    /// PostgreSQL.
    PostgreSql(PostgreSqlStore),
    /// MySQL or MariaDB.
    MySql(MySqlStore),
    /// NATS.
    Nats(Box<NatsStore>),
}

/// The contents of a tenant at one moment, in the order of their keys.
#[derive(Debug)]
pub enum Reader {
    /// Of etcd.
    Etcd(Box<EtcdReader>),
    /// Of PostgreSQL.
    PostgreSql(PostgreSqlReader),
    /// Of MySQL or MariaDB.
    MySql(MySqlReader),
    /// Of NATS.
    Nats(Box<NatsReader>),
}

/// Writes a tenant's contents, until another writer of the tenant begins or copying ends.
#[derive(Debug)]
pub enum Writer {
    /// To etcd.
    Etcd(Box<EtcdWriter>),
    /// To PostgreSQL.
    PostgreSql(PostgreSqlWriter),
    /// To MySQL or MariaDB.
    MySql(MySqlWriter),
    /// To NATS.
    Nats(Box<NatsWriter>),
}

/// Does the same with whatever a value holds. The futures are boxed: those of the drivers' clients are
/// large, and callers need not carry the largest of them.
macro_rules! each {
    ($kind:ident, $value:expr, $held:ident => $act:expr) => {
        match $value {
            $kind::Etcd($held) => Box::pin($act).await,
            $kind::PostgreSql($held) => Box::pin($act).await,
            $kind::MySql($held) => Box::pin($act).await,
            $kind::Nats($held) => Box::pin($act).await,
        }
    };
}

impl Store {
    /// Connects and signs in, so that bad credentials show now.
    ///
    /// # Errors
    /// [`Error`] if nothing answers, TLS fails or the credentials are refused.
    pub async fn connect(connection: &Connection) -> Result<Self, Error> {
        match connection.driver {
            Driver::Etcd => Box::pin(EtcdStore::connect(connection)).await.map(Box::new).map(Self::Etcd),
            Driver::Nats => Box::pin(NatsStore::connect(connection)).await.map(Box::new).map(Self::Nats),
            Driver::PostgreSql => Box::pin(PostgreSqlStore::connect(connection)).await.map(Self::PostgreSql),
            Driver::MySql => Box::pin(MySqlStore::connect(connection)).await.map(Self::MySql),
        }
    }

    /// What the store says about itself. It needs what a write needs: a leader, a primary.
    ///
    /// # Errors
    /// [`Error`] if it does not answer within seconds, or refuses.
    pub async fn health(&self) -> Result<Health, Error> {
        each!(Self, self, store => store.health())
    }

    /// Makes room for a tenant, with a user that has this access. What is so already is left as it is; a
    /// changed password is set. etcd knows users by certificates and NATS has none per tenant: there the
    /// password means nothing.
    ///
    /// # Errors
    /// [`Error`] if the store does not answer or refuses, or the place cannot be a tenant's.
    pub async fn ensure(
        &self,
        space: &TenantSpace,
        access: Access,
        password: &Password,
    ) -> Result<(), Error> {
        each!(Self, self, store => store.ensure(space, access, password))
    }

    /// Takes a tenant away: its rights, its contents, its user. What is gone already is no error.
    ///
    /// # Errors
    /// [`Error`] if the store does not answer or refuses.
    pub async fn remove(&self, space: &TenantSpace) -> Result<(), Error> {
        each!(Self, self, store => store.remove(space))
    }

    /// How many keys a tenant has; 0 where there is no such tenant.
    ///
    /// # Errors
    /// [`Error`] if the store does not answer or refuses.
    pub async fn count(&self, space: &TenantSpace) -> Result<u64, Error> {
        each!(Self, self, store => store.count(space))
    }

    /// The newest resource version that the tenant's clients can know.
    ///
    /// # Errors
    /// [`Error`] if the store does not answer or refuses.
    pub async fn revision(&self, space: &TenantSpace) -> Result<i64, Error> {
        each!(Self, self, store => store.revision(space))
    }

    /// Raises the resource version of the tenant's next write above `at_least`, as far as that is reasonable.
    ///
    /// # Errors
    /// [`Error`] if the store does not answer or refuses.
    pub async fn raise_revision(&self, space: &TenantSpace, at_least: i64) -> Result<Raised, Error> {
        each!(Self, self, store => store.raise_revision(space, at_least))
    }

    /// Lets no writer write the tenant's contents here any more.
    ///
    /// # Errors
    /// [`Error`] if the store does not answer or refuses.
    pub async fn end_copies(&self, space: &TenantSpace) -> Result<(), Error> {
        each!(Self, self, store => store.end_copies(space))
    }

    /// The tenant's contents as they are now, whatever is written meanwhile. The tenant's own credentials
    /// will do.
    ///
    /// # Errors
    /// [`Error`] if the store does not answer or refuses.
    pub async fn read(&self, space: &TenantSpace) -> Result<Reader, Error> {
        match self {
            Self::Etcd(store) => Box::pin(store.read(space)).await.map(Box::new).map(Reader::Etcd),
            Self::PostgreSql(store) => Box::pin(store.read(space)).await.map(Reader::PostgreSql),
            Self::MySql(store) => Box::pin(store.read(space)).await.map(Reader::MySql),
            Self::Nats(store) => Box::pin(store.read(space)).await.map(Box::new).map(Reader::Nats),
        }
    }

    /// Begins to write the tenant's contents and shuts out earlier writers; `pass` is a text that no other
    /// writer has.
    ///
    /// # Errors
    /// [`Error`] if the store does not answer or refuses.
    pub async fn begin_writing(&self, space: &TenantSpace, pass: &str) -> Result<Writer, Error> {
        match self {
            Self::Etcd(store) => {
                Box::pin(store.begin_writing(space, pass)).await.map(Box::new).map(Writer::Etcd)
            }
            Self::PostgreSql(store) => {
                Box::pin(store.begin_writing(space, pass)).await.map(Writer::PostgreSql)
            }
            Self::MySql(store) => Box::pin(store.begin_writing(space, pass)).await.map(Writer::MySql),
            Self::Nats(store) => {
                Box::pin(store.begin_writing(space, pass)).await.map(Box::new).map(Writer::Nats)
            }
        }
    }
}

impl Reader {
    /// The resource version of the moment that is read.
    #[must_use]
    pub fn revision(&self) -> i64 {
        match self {
            Self::Etcd(reader) => reader.revision(),
            Self::PostgreSql(reader) => reader.revision(),
            Self::MySql(reader) => reader.revision(),
            Self::Nats(reader) => reader.revision(),
        }
    }

    /// The next entry; none if there are no more.
    ///
    /// # Errors
    /// [`Error`] if the store does not answer, or has forgotten the moment.
    pub async fn next(&mut self) -> Result<Option<Record>, Error> {
        each!(Self, self, reader => reader.next())
    }
}

impl Writer {
    /// Brings the changes about, each key at most once. They are split to what the store takes at once.
    ///
    /// # Errors
    /// [`Error::Superseded`] if another writer took over, [`Error`] if the store does not answer or refuses.
    /// Some of the changes may be made then.
    pub async fn write(&mut self, changes: &[Change]) -> Result<(), Error> {
        each!(Self, self, writer => writer.write(changes))
    }
}
