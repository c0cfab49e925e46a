//! Who may do what: the tenants' databases and users.

use std::time::{Duration, Instant};

use postgres_protocol::password::scram_sha_256;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::names::{check, literal, quoted};
use super::session::Failure;
use super::{MAINTENANCE, PostgreSqlStore};
use crate::sql::LONG_TIMEOUT;
use crate::{Access, Error, Password, TenantSpace};

/// Longest wait until nobody writes the tenant's table any more.
const BARRIER_TIMEOUT: Duration = Duration::from_mins(1);

/// What there is of a tenant's place.
const FIND: &str = "SELECT current_user::text, \
      (SELECT s.rolsuper FROM pg_roles s WHERE s.rolname = current_user), r.oid IS NOT NULL, \
      coalesce(r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls, false), \
      (SELECT min(o.datname::text) FROM pg_database o WHERE o.datdba = r.oid AND o.datname::text <> $1), \
      d.oid IS NOT NULL, coalesce(pg_get_userbyid(d.datdba)::text, ''), \
      coalesce(shobj_description(d.oid, 'pg_database'), ''), \
      coalesce(has_database_privilege('public', d.oid, 'CONNECT'), false) \
    FROM (SELECT 1) one LEFT JOIN pg_roles r ON r.rolname::text = $2 \
    LEFT JOIN pg_database d ON d.datname::text = $1";

/// What there is of a tenant's place.
#[expect(clippy::struct_excessive_bools, reason = "facts that do not depend on one another")]
struct Found {
    administrator: String,
    is_superuser: bool,
    has_user: bool,
    user_is_mighty: bool,
    /// Another database of the user's.
    elsewhere: Option<String>,
    has_database: bool,
    owner: String,
    comment: String,
    is_open_to_all: bool,
}

impl Found {
    /// Whether the database is the tenant's, or was until it may only read.
    fn is_tenants(&self, space: &TenantSpace) -> bool {
        self.owner == space.user || self.comment == mark(space)
    }

    /// Refuses what belongs to others: a shared server may serve other programs as well.
    fn check(&self, space: &TenantSpace) -> Result<(), Error> {
        check(space, &self.administrator)?;
        if self.user_is_mighty {
            return Err(Error::Reserved { name: space.user.clone() });
        }
        let taken = |what, name: &str| Err(Error::Taken { what, name: name.to_owned() });
        if self.elsewhere.is_some() {
            return taken("user", &space.user);
        }
        if self.has_database && !self.is_tenants(space) {
            return taken("database", &space.schema);
        }
        Ok(())
    }
}

/// Stands at a database that is the tenant's although it is not its owner now.
fn mark(space: &TenantSpace) -> String {
    format!("flotilla: closed to {}", space.user)
}

impl PostgreSqlStore {
    /// Makes room for a tenant: a database that nobody else enters, and its owner, who signs in with this
    /// password. What is so already is left as it is.
    ///
    /// While a tenant may not write, it owns neither database nor table, and kine in front of them cannot read
    /// either. The change waits until what is being written is written; what comes after is refused, also on
    /// sessions that were open.
    pub async fn ensure(
        &self,
        space: &TenantSpace,
        access: Access,
        password: &Password,
    ) -> Result<(), Error> {
        let session = self.session().await?;
        let found = self.find(&session, space).await?;
        found.check(space)?;
        let user = quoted(&space.user);
        // The statement holds a hash: statements may be logged.
        let secret = || literal(&scram_sha_256(password.expose().as_bytes()));
        if !found.has_user {
            let statement = format!(
                "CREATE ROLE {user} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD {}",
                secret()
            );
            self.make(&session, "add the tenant's user", &statement).await?;
        } else if !self.signs_in(space, password).await? {
            let statement = format!("ALTER ROLE {user} LOGIN PASSWORD {}", secret());
            self.run(&session, "change the password of the tenant's user", &statement).await?;
        }
        if !found.is_superuser {
            // Nobody else gives databases to others than itself, unless it is a member.
            self.run(&session, "join the tenant's role", &format!("GRANT {user} TO CURRENT_USER")).await?;
        }
        if !found.has_database {
            let database = quoted(&space.schema);
            let statement = format!(
                "CREATE DATABASE {database} OWNER {user} TEMPLATE template0 ENCODING 'UTF8' \
                 LC_COLLATE 'C' LC_CTYPE 'C'"
            );
            self.make(&session, "add the tenant's database", &statement).await?;
        }
        if !found.has_database || found.is_open_to_all {
            let statement = format!("REVOKE ALL ON DATABASE {} FROM PUBLIC", quoted(&space.schema));
            self.run(&session, "close the tenant's database to others", &statement).await?;
        }
        self.set_access(space, access).await
    }

    /// Takes a tenant away: its rights, its database, its user. What is gone already, or was never the
    /// tenant's, is no error.
    pub async fn remove(&self, space: &TenantSpace) -> Result<(), Error> {
        let session = self.session().await?;
        let found = self.find(&session, space).await?;
        check(space, &found.administrator)?;
        if found.check(space).is_err() {
            return Ok(());
        }
        let (database, user) = (quoted(&space.schema), quoted(&space.user));
        if found.has_user && !found.is_superuser {
            self.run(&session, "join the tenant's role", &format!("GRANT {user} TO CURRENT_USER")).await?;
        }
        if found.has_database {
            let revoked = format!(
                "ALTER DATABASE {database} OWNER TO CURRENT_USER; \
                 COMMENT ON DATABASE {database} IS {}; REVOKE ALL ON DATABASE {database} FROM {}",
                literal(&mark(space)),
                if found.has_user { user.as_str() } else { "PUBLIC" }
            );
            self.run(&session, "revoke the tenant's rights", &revoked).await?;
            let dropped = format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)");
            self.run(&session, "delete the tenant's database", &dropped).await?;
        }
        if found.has_user {
            let dropped = format!("DROP OWNED BY {user} CASCADE; DROP ROLE IF EXISTS {user}");
            self.run(&session, "delete the tenant's user", &dropped).await?;
        }
        Ok(())
    }

    async fn find(&self, session: &Client, space: &TenantSpace) -> Result<Found, Error> {
        let action = "look for the tenant's database";
        let row = self.ask(session, action, FIND, &[&space.schema, &space.user]).await?;
        Ok(Found {
            administrator: row.get(0),
            is_superuser: row.get::<_, Option<bool>>(1).unwrap_or_default(),
            has_user: row.get(2),
            user_is_mighty: row.get(3),
            elsewhere: row.get(4),
            has_database: row.get(5),
            owner: row.get(6),
            comment: row.get(7),
            is_open_to_all: row.get(8),
        })
    }

    /// Whether the tenant's user signs in with this password.
    async fn signs_in(&self, space: &TenantSpace, password: &Password) -> Result<bool, Error> {
        let mut config = self.shared.config.clone();
        config.user(&space.user).password(password.expose()).dbname(MAINTENANCE);
        match self.open_with(&config).await {
            Ok(_) | Err(Failure::Absent(_) | Failure::Forbidden(_)) => Ok(true),
            Err(Failure::Other(Error::SignIn { .. })) => Ok(false),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn run(&self, session: &Client, action: &'static str, statements: &str) -> Result<(), Error> {
        self.bounded(action, LONG_TIMEOUT, session.batch_execute(statements)).await
    }

    /// Runs a statement that makes something which another may have made meanwhile.
    async fn make(&self, session: &Client, action: &'static str, statement: &str) -> Result<(), Error> {
        let made = async {
            match session.batch_execute(statement).await {
                Err(error) if is_there_already(&error) => Ok(()),
                other => other,
            }
        };
        self.bounded(action, LONG_TIMEOUT, made).await
    }

    async fn set_access(&self, space: &TenantSpace, access: Access) -> Result<(), Error> {
        let session = self.open(&space.schema).await?;
        let query = "SELECT pg_get_userbyid(d.datdba)::text = $1 \
              AND coalesce((SELECT pg_get_userbyid(c.relowner)::text = $1 FROM pg_class c \
                            WHERE c.oid = to_regclass('public.kine')), true), \
              pg_get_userbyid(d.datdba)::text <> $1 \
              AND coalesce((SELECT pg_get_userbyid(c.relowner)::text <> $1 FROM pg_class c \
                            WHERE c.oid = to_regclass('public.kine')), true), \
              to_regclass('public.kine') IS NOT NULL \
            FROM pg_database d WHERE d.datname = current_database()";
        let action = "read the tenant's rights";
        let row = self.ask(&session, action, query, &[&space.user]).await?;
        let (may_write, may_only_read, has_table): (bool, bool, bool) = (row.get(0), row.get(1), row.get(2));
        match access {
            Access::ReadWrite if may_write => Ok(()),
            Access::ReadOnly if may_only_read => Ok(()),
            Access::ReadWrite => {
                let statements = open_statements(space, has_table);
                self.run(&session, "give the tenant its database", &statements).await
            }
            Access::ReadOnly => self.close(&session, space, has_table).await,
        }
    }

    /// Waits until nobody writes, and lets nobody begin.
    async fn close(&self, session: &Client, space: &TenantSpace, has_table: bool) -> Result<(), Error> {
        let statements = close_statements(space, has_table);
        let began = Instant::now();
        loop {
            let action = "make the tenant's database read-only";
            match session.batch_execute(&statements).await {
                Ok(()) => return Ok(()),
                Err(error) if is_locked(&error) && began.elapsed() < BARRIER_TIMEOUT => {
                    self.run(session, action, "ROLLBACK").await?;
                }
                Err(error) => return Err(self.failed(action, &error)),
            }
        }
    }
}

fn open_statements(space: &TenantSpace, has_table: bool) -> String {
    let (database, user) = (quoted(&space.schema), quoted(&space.user));
    let table = if has_table {
        format!("ALTER TABLE public.kine OWNER TO {user}; GRANT ALL ON public.kine TO {user}; ")
    } else {
        String::new()
    };
    format!(
        "BEGIN; ALTER DATABASE {database} OWNER TO {user}; GRANT ALL ON DATABASE {database} TO {user}; \
         REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT USAGE, CREATE ON SCHEMA public TO {user}; \
         {table}COMMENT ON DATABASE {database} IS NULL; COMMIT"
    )
}

/// A change of the owner takes the rights that the old one had to the new one, so that nothing is left to the
/// tenant but what is given here. Not even to read: kine takes a creation that was refused for done if it
/// then reads that nothing is there.
fn close_statements(space: &TenantSpace, has_table: bool) -> String {
    let (database, user) = (quoted(&space.schema), quoted(&space.user));
    let (lock, table) = if has_table {
        (
            "LOCK TABLE ONLY public.kine IN ACCESS EXCLUSIVE MODE; ",
            format!(
                "ALTER TABLE public.kine OWNER TO CURRENT_USER; REVOKE ALL ON public.kine FROM PUBLIC, {user}; "
            ),
        )
    } else {
        ("", String::new())
    };
    format!(
        "BEGIN; {lock}ALTER DATABASE {database} OWNER TO CURRENT_USER; \
         REVOKE ALL ON DATABASE {database} FROM PUBLIC, {user}; GRANT CONNECT ON DATABASE {database} TO {user}; \
         REVOKE CREATE ON SCHEMA public FROM PUBLIC, {user}; GRANT USAGE ON SCHEMA public TO {user}; \
         {table}COMMENT ON DATABASE {database} IS {}; COMMIT",
        literal(&mark(space))
    )
}

fn is_there_already(error: &tokio_postgres::Error) -> bool {
    [SqlState::DUPLICATE_DATABASE, SqlState::DUPLICATE_OBJECT, SqlState::UNIQUE_VIOLATION]
        .iter()
        .any(|state| error.code() == Some(state))
}

fn is_locked(error: &tokio_postgres::Error) -> bool {
    [SqlState::LOCK_NOT_AVAILABLE, SqlState::T_R_DEADLOCK_DETECTED]
        .iter()
        .any(|state| error.code() == Some(state))
}
