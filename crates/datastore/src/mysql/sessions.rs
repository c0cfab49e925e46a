//! The tenants' sessions, which keep the rights that they began with.

use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Row};

use super::MySqlStore;
use crate::sql::REQUEST_TIMEOUT;
use crate::{Error, TenantSpace};

/// Longest wait until sessions have ended. One that is being signed in for longer is ended by the server.
const END_TIMEOUT: Duration = Duration::from_secs(30);
/// How the server lists one of which it does not know yet whose it is.
const UNKNOWN: &str = "unauthenticated user";
/// The session had ended by itself.
const NO_SUCH_SESSION: u16 = 1094;

impl MySqlStore {
    /// Ends all sessions of the tenant that began before now, and waits until they are gone: with them goes
    /// what they had not committed, and what they had is there.
    ///
    /// Sessions are numbered in the order in which they come. Those with a higher number than one that is
    /// opened here begin with the rights of now.
    pub(super) async fn end_sessions(&self, space: &TenantSpace) -> Result<(), Error> {
        let mut session = self.open(self.shared.options.clone()).await?;
        let newest = u64::from(session.id());
        let began = Instant::now();
        loop {
            let older = self.sessions_before(&mut session, newest, space).await?;
            if older.is_empty() {
                break;
            }
            if began.elapsed() > END_TIMEOUT {
                return Err(self.timed_out("end the tenant's sessions", END_TIMEOUT));
            }
            for (id, _) in older.iter().filter(|(_, is_tenants)| *is_tenants) {
                match session.query_drop(format!("KILL CONNECTION {id}")).await {
                    Err(mysql_async::Error::Server(told)) if told.code == NO_SUCH_SESSION => {}
                    other => other.map_err(|error| self.failed("end the tenant's sessions", &error))?,
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // It is gone for the server too when it is dropped; a farewell is politer, and may fail.
        let _ = session.disconnect().await;
        Ok(())
    }

    /// Number, and whether it is surely the tenant's, of sessions that may be the tenant's.
    async fn sessions_before(
        &self,
        session: &mut Conn,
        newest: u64,
        space: &TenantSpace,
    ) -> Result<Vec<(u64, bool)>, Error> {
        let listed = session.query("SHOW PROCESSLIST");
        let rows: Vec<Row> = self.bounded("list the tenant's sessions", REQUEST_TIMEOUT, listed).await?;
        let sessions = rows.into_iter().filter_map(|row| {
            let (id, user): (u64, String) = (row.get(0)?, row.get::<Option<String>, _>(1)??);
            let is_tenants = user == space.user;
            (id < newest && (is_tenants || user == UNKNOWN)).then_some((id, is_tenants))
        });
        Ok(sessions.collect())
    }
}
