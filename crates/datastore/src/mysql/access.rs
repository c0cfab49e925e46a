//! Who may do what: the tenants' databases and users.

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};

use super::names::{account, check, literal, pattern, quoted};
use super::session::signed_in;
use super::{MySqlStore, table};
use crate::sql::{LONG_TIMEOUT, REQUEST_TIMEOUT};
use crate::{Access, Error, Login, Password, TenantSpace};

/// What kine needs.
const RIGHTS: &str = "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX";
/// What is asked of the server about a tenant's place, in the order of [`Found`]'s fields.
type Columns = (String, bool, bool, Option<String>, bool, Option<String>, bool);

/// What there is of a tenant's place.
#[expect(clippy::struct_excessive_bools, reason = "facts that do not depend on one another")]
struct Found {
    administrator: String,
    has_user: bool,
    has_global_rights: bool,
    /// Another database to which the user has rights.
    elsewhere: Option<String>,
    has_database: bool,
    /// A table that is not kine's.
    other_table: Option<String>,
    /// Whether another user has rights to the database.
    is_shared: bool,
    /// Rights to the database by the pattern under which they stand: `Y` or `N` for each of [`RIGHTS`].
    rights: Vec<(String, String)>,
}

impl Found {
    fn check(&self, space: &TenantSpace) -> Result<(), Error> {
        check(space, &self.administrator)?;
        if self.has_global_rights {
            return Err(Error::Reserved { name: space.user.clone() });
        }
        if self.elsewhere.is_some() {
            return Err(Error::Taken { what: "user", name: space.user.clone() });
        }
        let is_foreign = self.has_database && self.rights.is_empty() && self.other_table.is_some();
        if is_foreign || self.is_shared {
            return Err(Error::Taken { what: "database", name: space.schema.clone() });
        }
        Ok(())
    }

    /// The rights that stand under this pattern.
    fn under(&self, pattern: &str) -> Option<&str> {
        self.rights.iter().find(|(held, _)| held == pattern).map(|(_, rights)| rights.as_str())
    }
}

impl MySqlStore {
    /// Makes room for a tenant: a database, and a user who signs in with this password and has rights to
    /// nothing else. What is so already is left as it is.
    ///
    /// While a tenant may not write, its user is locked out, and kine cannot read either. The change waits
    /// until what is being written is written, and ends the sessions that are open.
    pub async fn ensure(
        &self,
        space: &TenantSpace,
        access: Access,
        password: &Password,
    ) -> Result<(), Error> {
        let mut session = self.session().await?;
        let found = self.find(&mut session, space).await?;
        found.check(space)?;
        if !found.has_database {
            let statement = format!("CREATE DATABASE IF NOT EXISTS {}", quoted(&space.schema));
            self.run(&mut session, "add the tenant's database", &statement).await?;
        }
        let (account, secret) = (account(space), literal(password.expose()));
        if !found.has_user {
            let statement = format!("CREATE USER IF NOT EXISTS {account} IDENTIFIED BY {secret}");
            self.run(&mut session, "add the tenant's user", &statement).await?;
        } else if !self.signs_in(space, password).await? {
            let statement = format!("ALTER USER {account} IDENTIFIED BY {secret}");
            self.run(&mut session, "change the password of the tenant's user", &statement).await?;
        }
        self.set_access(&mut session, space, access, &found).await
    }

    /// Takes a tenant away: its rights, its database, its user. What is gone already, or was never the
    /// tenant's, is no error.
    pub async fn remove(&self, space: &TenantSpace) -> Result<(), Error> {
        let mut session = self.session().await?;
        let found = self.find(&mut session, space).await?;
        check(space, &found.administrator)?;
        if found.check(space).is_err() {
            return Ok(());
        }
        let account = account(space);
        if found.has_user {
            // The rights go with the user, last: they tell that the database is the tenant's.
            let statement = format!("ALTER USER {account} ACCOUNT LOCK");
            self.run(&mut session, "lock the tenant's user", &statement).await?;
            self.end_sessions(space).await?;
        }
        let statement = format!("DROP DATABASE IF EXISTS {}", quoted(&space.schema));
        self.run(&mut session, "delete the tenant's database", &statement).await?;
        if found.has_user {
            let statement = format!("DROP USER IF EXISTS {account}");
            self.run(&mut session, "delete the tenant's user", &statement).await?;
        }
        Ok(())
    }

    async fn set_access(
        &self,
        session: &mut Conn,
        space: &TenantSpace,
        access: Access,
        found: &Found,
    ) -> Result<(), Error> {
        let (place, account) = (pattern(&space.schema), account(space));
        if found.under(&place) != Some("YYYYYYY") {
            let statement = format!("GRANT {RIGHTS} ON {}.* TO {account}", quoted(&place));
            self.run(session, "grant the tenant its database", &statement).await?;
        }
        // As Kamaji grants it, with names that are patterns for those of others as well.
        if place != space.schema && found.under(&space.schema).is_some() {
            let on = quoted(&space.schema);
            let statement = format!("REVOKE ALL PRIVILEGES ON {on}.* FROM {account}");
            self.run(session, "narrow the tenant's rights", &statement).await?;
            self.end_sessions(space).await?;
        }
        match access {
            Access::ReadOnly => self.close(session, space).await,
            Access::ReadWrite if found.has_user && self.is_locked(session, space).await? => {
                let statement = format!("ALTER USER {account} ACCOUNT UNLOCK");
                self.run(session, "let the tenant in again", &statement).await
            }
            Access::ReadWrite => Ok(()),
        }
    }

    /// Lets the tenant in no more. The table is locked meanwhile: kine takes a creation that was refused for
    /// done if it then reads on another session that nothing is there.
    async fn close(&self, session: &mut Conn, space: &TenantSpace) -> Result<(), Error> {
        let action = "close the tenant's database";
        let mut holder = self.session().await?;
        if self.has_table(&mut holder, space).await? {
            // Waits until what is being written is written.
            self.run(&mut holder, action, &format!("LOCK TABLES {} WRITE", table::name(space))).await?;
        }
        self.run(session, action, &format!("ALTER USER {} ACCOUNT LOCK", account(space))).await?;
        self.end_sessions(space).await?;
        self.run(&mut holder, action, "UNLOCK TABLES").await
    }

    async fn is_locked(&self, session: &mut Conn, space: &TenantSpace) -> Result<bool, Error> {
        let asked = session.query_first(format!("SHOW CREATE USER {}", account(space)));
        let made: Option<String> = self.bounded("read the tenant's user", REQUEST_TIMEOUT, asked).await?;
        Ok(made.is_some_and(|made| made.contains(" ACCOUNT LOCK")))
    }

    async fn find(&self, session: &mut Conn, space: &TenantSpace) -> Result<Found, Error> {
        let action = "look for the tenant's database";
        let (schema, user, place) = (space.schema.as_str(), space.user.as_str(), pattern(&space.schema));
        let query = "SELECT SUBSTRING_INDEX(CURRENT_USER(), '@', 1), \
              EXISTS (SELECT 1 FROM mysql.user WHERE User = ? AND Host = '%'), \
              EXISTS (SELECT 1 FROM information_schema.USER_PRIVILEGES \
                      WHERE GRANTEE = ? AND PRIVILEGE_TYPE <> 'USAGE'), \
              (SELECT MIN(Db) FROM mysql.db WHERE User = ? AND Host = '%' AND Db NOT IN (?, ?)), \
              EXISTS (SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?), \
              (SELECT MIN(TABLE_NAME) FROM information_schema.TABLES \
               WHERE TABLE_SCHEMA = ? AND TABLE_NAME <> 'kine'), \
              EXISTS (SELECT 1 FROM mysql.db WHERE ? LIKE Db ESCAPE '\\' AND Db <> '%' \
                      AND NOT (User = ? AND Host = '%') \
                      AND User <> SUBSTRING_INDEX(CURRENT_USER(), '@', 1))";
        let grantee = format!("'{user}'@'%'");
        let asked =
            session.exec_first(query, (user, &grantee, user, schema, &place, schema, schema, schema, user));
        let row: Option<Columns> = self.bounded(action, REQUEST_TIMEOUT, asked).await?;
        let (administrator, has_user, has_global_rights, elsewhere, has_database, other_table, is_shared) =
            row.unwrap_or_default();
        let query = "SELECT Db, CONCAT(Select_priv, Insert_priv, Update_priv, Delete_priv, Create_priv, \
              Alter_priv, Index_priv) FROM mysql.db WHERE User = ? AND Host = '%' AND Db IN (?, ?)";
        let asked = session.exec(query, (user, schema, &place));
        let rights = self.bounded(action, REQUEST_TIMEOUT, asked).await?;
        Ok(Found {
            administrator,
            has_user,
            has_global_rights,
            elsewhere,
            has_database,
            other_table,
            is_shared,
            rights,
        })
    }

    /// Whether the tenant's user signs in with this password.
    async fn signs_in(&self, space: &TenantSpace, password: &Password) -> Result<bool, Error> {
        let login = Login { username: space.user.clone(), password: password.expose().to_owned() };
        let builder = signed_in(OptsBuilder::from_opts(self.shared.options.clone()), &login);
        match self.open(builder.into()).await {
            Ok(session) => {
                let _ = session.disconnect().await;
                Ok(true)
            }
            Err(Error::SignIn { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn run(&self, session: &mut Conn, action: &'static str, statement: &str) -> Result<(), Error> {
        self.bounded(action, LONG_TIMEOUT, session.query_drop(statement)).await
    }
}
