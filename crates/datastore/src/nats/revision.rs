//! Raising a bucket's sequence.

use serde_json::{Value, json};

use super::NatsStore;
use super::bucket::stream_name;
use crate::{Error, MOST_RAISED, Raised, TenantSpace};

impl NatsStore {
    /// Raises the sequence of the bucket's newest message to `at_least`.
    ///
    /// One without entries is raised at once, however far; then it is empty of marks too, and a writer that
    /// had begun is shut out. One with entries is raised by writing.
    pub async fn raise_revision(&self, space: &TenantSpace, at_least: i64) -> Result<Raised, Error> {
        let current = self.revision(space).await?;
        let missing = at_least - current;
        if missing <= 0 {
            return Ok(Raised::Done { by: 0 });
        }
        if self.count(space).await? == 0 {
            let subject = format!("STREAM.PURGE.{}", stream_name(space)?);
            let upto = json!({ "seq": at_least });
            self.ask::<Value>("raise the bucket's sequence", &subject, &upto).await?.done()?;
            // kine waits in vain for the newest message if there is none under the newest sequence.
            self.pad(space, 1).await?;
        } else if missing <= MOST_RAISED {
            self.pad(space, missing.unsigned_abs()).await?;
        } else {
            return Ok(Raised::TooFar { missing });
        }
        let reached = self.revision(space).await?;
        if reached < at_least {
            return Ok(Raised::TooFar { missing: at_least - reached });
        }
        Ok(Raised::Done { by: missing })
    }
}
