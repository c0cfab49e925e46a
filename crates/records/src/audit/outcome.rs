//! What became of requests that the log knows already.

use std::time::Duration;

use uuid::Uuid;

use super::{Audit, id};
use crate::RecordsError;

impl Audit {
    /// Adds HTTP status and duration to entries, once they are known. An entry whose request never came to an end stays
    /// without: it stands all the same.
    pub async fn complete(
        &self,
        entries: Vec<Uuid>,
        status: u16,
        took: Duration,
    ) -> Result<(), RecordsError> {
        let duration = i64::try_from(took.as_micros()).unwrap_or(i64::MAX);
        for entry in entries {
            let completed =
                sqlx::query("UPDATE audit SET status = $2, duration = $3 WHERE id = $1 AND status = 0")
                    .bind(id::text(entry))
                    .bind(i64::from(status))
                    .bind(duration)
                    .execute(self.store.writers());
            self.store.run("add an outcome to the audit log", completed).await?;
        }
        Ok(())
    }
}
