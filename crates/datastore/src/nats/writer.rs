//! Writes a tenant's bucket as kine would, as long as nobody else writes it.

use std::future::IntoFuture;
use std::time::Duration;

use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use futures::future::try_join_all;

use super::bucket::subject;
use super::entry::{self, Kept};
use super::{NatsStore, WINDOW, keys, refused, timed_out};
use crate::{Cause, Change, Error, TenantSpace};

const ACTION: &str = "write the tenant's bucket";
/// Under what no API server reads.
const MARK: &str = "flotilla";
/// What kine sends to mark a key as deleted.
const DELETED: (&str, &str) = ("KV-Operation", "DEL");
/// Bytes that are on their way at once.
const WINDOW_BYTES: usize = 4 << 20;

/// Subject, text and headers.
type Message = (String, Vec<u8>, PublishMessage);

/// Writes one tenant's entries. Each message goes only onto the one that this writer wrote before, so that
/// it ends with the first message of another.
pub struct NatsWriter {
    store: NatsStore,
    space: TenantSpace,
    /// Sequence of the last message that this writer wrote.
    last: u64,
}

impl NatsStore {
    /// Begins to write the tenant's entries; earlier writers are shut out by the mark that this leaves.
    pub async fn begin_writing(&self, space: &TenantSpace, pass: &str) -> Result<NatsWriter, Error> {
        let kept = Kept { value: pass.as_bytes().to_vec(), lease: 0 };
        let mark = PublishMessage::build().payload(entry::made(MARK, &kept)?.into());
        let last = self.send(&subject(space, &keys::aside(MARK)), vec![mark]).await?;
        Ok(NatsWriter { store: self.clone(), space: space.clone(), last })
    }

    /// Lets no writer write the tenant's entries here any more.
    pub async fn end_copies(&self, space: &TenantSpace) -> Result<(), Error> {
        if self.stream(space).await?.is_some() {
            self.pad(space, 1).await?;
        }
        Ok(())
    }

    /// Writes messages that say nothing, each of which raises the bucket's sequence by one. Few of them are
    /// kept.
    pub(super) async fn pad(&self, space: &TenantSpace, messages: u64) -> Result<(), Error> {
        let place = subject(space, &keys::aside(MARK));
        let mut left = messages;
        while left > 0 {
            let count = left.min(WINDOW as u64);
            let batch = (0..count).map(|_| PublishMessage::build().header(DELETED.0, DELETED.1));
            self.send(&place, batch.collect()).await?;
            left -= count;
        }
        Ok(())
    }

    async fn send(&self, place: &str, messages: Vec<PublishMessage>) -> Result<u64, Error> {
        let messages = messages.into_iter().map(|message| (place.to_owned(), message));
        self.publish(messages.collect()).await
    }

    /// Sends messages in their order and waits until all are stored. Returns the last one's sequence.
    async fn publish(&self, messages: Vec<(String, PublishMessage)>) -> Result<u64, Error> {
        let mut sent = Vec::with_capacity(messages.len());
        for (place, message) in messages {
            let ack = self.jetstream.send_publish(place, message).await;
            sent.push(ack.map_err(|error| self.not_stored(&error))?.into_future());
        }
        let stored = try_join_all(sent).await.map_err(|error| self.not_stored(&error))?;
        Ok(stored.last().map_or(0, |ack| ack.sequence))
    }

    fn not_stored(&self, error: &PublishError) -> Error {
        match error.kind() {
            PublishErrorKind::WrongLastSequence => Error::Superseded,
            PublishErrorKind::TimedOut => timed_out(ACTION, self.endpoints.clone()),
            PublishErrorKind::MaxPayloadExceeded => {
                let limit = self.client.server_info().max_payload;
                let message = format!(
                    "an entry is larger than the server's max_payload of {limit} bytes; raise it there"
                );
                Error::Refused { action: ACTION, source: Cause::new(&message, None) }
            }
            _ => refused(ACTION, error),
        }
    }
}

impl NatsWriter {
    /// Brings the changes about, each key at most once.
    pub async fn write(&mut self, changes: &[Change]) -> Result<(), Error> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        for change in changes {
            for (place, payload, message) in self.messages(change)? {
                bytes += payload.len();
                let expected = self.last + batch.len() as u64;
                batch.push((place, message.payload(payload.into()).expected_last_sequence(expected)));
            }
            if batch.len() >= WINDOW || bytes >= WINDOW_BYTES {
                self.commit(std::mem::take(&mut batch)).await?;
                bytes = 0;
            }
        }
        self.commit(batch).await
    }

    async fn commit(&mut self, batch: Vec<(String, PublishMessage)>) -> Result<(), Error> {
        if !batch.is_empty() {
            self.last = self.store.publish(batch).await?;
        }
        Ok(())
    }

    /// One message to put an entry; two to remove one, the second as NATS' own clients mark it.
    fn messages(&self, change: &Change) -> Result<Vec<Message>, Error> {
        let (key, kept) = match change {
            Change::Put(record) => {
                let lease = record.ends_in.map_or(0, seconds);
                (&record.key, Some(Kept { value: record.value.clone(), lease }))
            }
            Change::Remove(key) => (key, None),
        };
        let key = std::str::from_utf8(key).map_err(|error| refused(ACTION, &error))?;
        let place = subject(&self.space, &keys::encode(key));
        let name = format!("/registry/{key}");
        let Some(kept) = kept else {
            let deleted = PublishMessage::build().header(DELETED.0, DELETED.1);
            let removed = (place.clone(), entry::removed(&name)?, PublishMessage::build());
            return Ok(vec![removed, (place, Vec::new(), deleted)]);
        };
        Ok(vec![(place, entry::made(&name, &kept)?, PublishMessage::build())])
    }
}

impl std::fmt::Debug for NatsWriter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("NatsWriter").field("space", &self.space).finish_non_exhaustive()
    }
}

/// Whole seconds, at least one: none would be for ever.
fn seconds(left: Duration) -> u64 {
    left.as_secs().max(1)
}
