//! A tenant's bucket: made, opened, closed, taken away.

use serde_json::{Value, json};

use super::NatsStore;
use crate::{Access, Error, Password, TenantSpace};

/// Versions of a key that kine asks for.
const HISTORY: u32 = 10;
/// The size of a message that is open to every write.
const ANY_SIZE: i64 = -1;
/// No message of kine is as small: each has a header or a value of more than a byte.
const NO_MESSAGE: i64 = 1;

/// What is read of a stream.
#[derive(serde::Deserialize)]
pub(super) struct Stream {
    config: Value,
    pub(super) state: State,
}

/// Where a stream stands.
#[derive(serde::Deserialize)]
pub(super) struct State {
    pub(super) messages: u64,
    pub(super) last_seq: u64,
}

impl Stream {
    fn message_size(&self) -> i64 {
        self.config["max_msg_size"].as_i64().unwrap_or(ANY_SIZE)
    }
}

impl NatsStore {
    /// Makes a tenant's bucket as kine would make it, and opens or closes it for writes. NATS knows no user
    /// per tenant here, so a password means nothing.
    ///
    /// A bucket that is closed takes no message that is larger than a byte: the server checks that in the
    /// order in which messages come, so that none is acknowledged once this has returned. While it is
    /// closed, a kine that starts anew refuses it, and one that runs goes on reading.
    pub async fn ensure(&self, space: &TenantSpace, access: Access, _: &Password) -> Result<(), Error> {
        let size = match access {
            Access::ReadWrite => ANY_SIZE,
            Access::ReadOnly => NO_MESSAGE,
        };
        let Some(stream) = self.stream(space).await? else {
            return self.configure("make the tenant's bucket", "CREATE", bucket(space, size)?).await;
        };
        if stream.message_size() == size {
            return Ok(());
        }
        let mut changed = stream.config;
        changed["max_msg_size"] = size.into();
        self.configure("open or close the tenant's bucket for writes", "UPDATE", changed).await
    }

    /// Deletes a tenant's bucket.
    pub async fn remove(&self, space: &TenantSpace) -> Result<(), Error> {
        let subject = format!("STREAM.DELETE.{}", stream_name(space)?);
        self.ask::<Value>("delete the tenant's bucket", &subject, &json!({})).await?.found().map(|_| ())
    }

    /// The sequence of the newest message: the revision that kine gives out. 0 without a bucket.
    pub async fn revision(&self, space: &TenantSpace) -> Result<i64, Error> {
        let last = self.stream(space).await?.map_or(0, |stream| stream.state.last_seq);
        Ok(last.try_into().unwrap_or(i64::MAX))
    }

    /// The tenant's stream, if it has one.
    pub(super) async fn stream(&self, space: &TenantSpace) -> Result<Option<Stream>, Error> {
        let subject = format!("STREAM.INFO.{}", stream_name(space)?);
        self.ask("read the tenant's bucket", &subject, &json!({})).await?.found()
    }

    async fn configure(&self, action: &'static str, verb: &str, config: Value) -> Result<(), Error> {
        let name = config["name"].as_str().unwrap_or_default();
        let subject = format!("STREAM.{verb}.{name}");
        self.ask::<Value>(action, &subject, &config).await?.done().map(|_| ())
    }
}

/// The name of a tenant's stream.
pub(super) fn stream_name(space: &TenantSpace) -> Result<String, Error> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    if space.schema.is_empty() || !space.schema.chars().all(fits) {
        return Err(Error::Bucket { schema: space.schema.clone() });
    }
    Ok(format!("KV_{}", space.schema))
}

/// A subject of the tenant's stream.
pub(super) fn subject(space: &TenantSpace, key: &str) -> String {
    format!("$KV.{}.{key}", space.schema)
}

/// kine takes no bucket whose settings are other than those that it would make it with.
fn bucket(space: &TenantSpace, message_size: i64) -> Result<Value, Error> {
    Ok(json!({
        "name": stream_name(space)?,
        "description": "Holds kine key/values",
        "subjects": [subject(space, ">")],
        "retention": "limits",
        "storage": "file",
        "num_replicas": 1,
        "discard": "new",
        "max_consumers": -1,
        "max_msgs": -1,
        "max_bytes": -1,
        "max_age": 0,
        "max_msgs_per_subject": HISTORY,
        "max_msg_size": message_size,
        "duplicate_window": 120_000_000_000_u64,
        "deny_delete": true,
        "allow_rollup_hdrs": true,
        "allow_direct": true,
    }))
}

#[cfg(test)]
mod tests {
    use super::stream_name;
    use crate::TenantSpace;

    #[test]
    fn a_schema_that_would_reach_other_subjects_is_no_bucket() {
        let space = |schema: &str| TenantSpace { schema: schema.to_owned(), user: String::new() };
        assert_eq!(stream_name(&space("a-1_B")).unwrap(), "KV_a-1_B");
        for schema in ["", "a.b", "a*", ">", "a b", "ä"] {
            assert!(stream_name(&space(schema)).is_err(), "{schema}");
        }
    }
}
