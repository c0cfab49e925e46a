//! Reads a tenant's bucket as it was at one moment.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, SystemTime};

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, pull};
use futures::StreamExt;
use tokio::time::timeout;

use super::bucket::{stream_name, subject};
use super::{NatsStore, REQUEST_TIMEOUT, entry, keys, refused, timed_out};
use crate::{Error, Record, TenantSpace};

const ACTION: &str = "read the tenant's bucket";
/// Messages that are asked for at once.
const BATCH: usize = 500;
/// A reader that went away without a word is forgotten after this.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(30);
/// kine's own key beside the tenant's, which it makes wherever it starts.
const KINES_OWN: &[u8] = b"health";
/// Marks what a message says of its key; kine sends it after what [`entry`] knows as removed.
const OPERATION: &str = "KV-Operation";

/// A tenant's entries at one moment, in the order of their keys.
///
/// NATS orders subjects by their hash or not at all, so the entries are held in memory, compressed as kine
/// wrote them, until they are asked for.
pub struct NatsReader {
    held: BTreeMap<Vec<u8>, Held>,
    revision: i64,
}

struct Held {
    message: Message,
    written: SystemTime,
}

impl NatsStore {
    /// The tenant's entries as they are now. A bucket that is not there is empty.
    pub async fn read(&self, space: &TenantSpace) -> Result<NatsReader, Error> {
        let mut held = BTreeMap::new();
        let revision = self
            .latest(space, false, |key, message| {
                if is_gone(&message) {
                    held.remove(&key);
                } else {
                    let written = message.info().map_err(|error| refused(ACTION, &*error))?.published.into();
                    held.insert(key, Held { message, written });
                }
                Ok(())
            })
            .await?;
        Ok(NatsReader { held, revision: revision.try_into().unwrap_or(i64::MAX) })
    }

    /// The number of the tenant's entries.
    pub async fn count(&self, space: &TenantSpace) -> Result<u64, Error> {
        let mut keys = HashSet::new();
        self.latest(space, true, |key, message| {
            if is_gone(&message) {
                keys.remove(&key);
            } else {
                keys.insert(key);
            }
            Ok(())
        })
        .await?;
        Ok(keys.len() as u64)
    }

    /// Hands over the newest message of each of the tenant's keys, and what is written meanwhile, until
    /// there is no more; then what was handed over last of each key is the state at the sequence that this
    /// returns.
    async fn latest(
        &self,
        space: &TenantSpace,
        headers_only: bool,
        mut take: impl FnMut(Vec<u8>, Message) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        let Some(state) = self.stream(space).await?.map(|stream| stream.state) else { return Ok(0) };
        if state.messages == 0 {
            return Ok(state.last_seq);
        }
        let stream = stream_name(space)?;
        let settings = pull::Config {
            deliver_policy: DeliverPolicy::LastPerSubject,
            filter_subject: subject(space, ">"),
            ack_policy: AckPolicy::None,
            inactive_threshold: FORGOTTEN_AFTER,
            memory_storage: true,
            headers_only,
            ..pull::Config::default()
        };
        let made = self.jetstream.create_consumer_on_stream(settings, &stream);
        let consumer: Consumer<pull::Config> = match timeout(REQUEST_TIMEOUT, made).await {
            Ok(made) => made.map_err(|error| refused(ACTION, &error))?,
            Err(_) => return Err(timed_out(ACTION, self.endpoints.clone())),
        };
        let outcome = self.hand_over(space, &consumer, state.last_seq, &mut take).await;
        // It would be forgotten by itself too.
        let name = consumer.cached_info().name.clone();
        let forgotten = self.jetstream.delete_consumer_from_stream(&name, &stream);
        let _ = timeout(REQUEST_TIMEOUT, forgotten).await;
        outcome
    }

    /// The server's own count of what is left is wrong while old versions are dropped. So this goes on until
    /// the newest message of the bucket was seen: what was dropped before it came by was followed by others.
    async fn hand_over(
        &self,
        space: &TenantSpace,
        consumer: &Consumer<pull::Config>,
        mut newest: u64,
        take: &mut impl FnMut(Vec<u8>, Message) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        let whole = subject(space, "");
        let asked = consumer.stream().max_messages_per_batch(BATCH).messages();
        let mut messages = asked.await.map_err(|error| refused(ACTION, &error))?;
        let mut expected = 1;
        loop {
            let message = match timeout(REQUEST_TIMEOUT, messages.next()).await {
                Ok(Some(message)) => message.map_err(|error| refused(ACTION, &error))?,
                Ok(None) | Err(_) => return Err(timed_out(ACTION, self.endpoints.clone())),
            };
            let (place, sequence) = {
                let info = message.info().map_err(|error| refused(ACTION, &*error))?;
                (info.consumer_sequence, info.stream_sequence)
            };
            if place != expected {
                // A message was lost with a connection.
                return Err(timed_out(ACTION, self.endpoints.clone()));
            }
            expected += 1;
            let key = message.subject.strip_prefix(whole.as_str()).and_then(keys::decode);
            if let Some(key) = key.filter(|key| key != KINES_OWN) {
                take(key, message)?;
            }
            if sequence >= newest {
                newest = self.stream(space).await?.map_or(0, |stream| stream.state.last_seq);
                if sequence >= newest {
                    return Ok(sequence);
                }
            }
        }
    }
}

impl NatsReader {
    /// The bucket's sequence at the moment that is read.
    #[must_use]
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// The next entry. One whose time is over but which kine has not taken away yet ends in a second.
    #[expect(clippy::unused_async, reason = "readers of all drivers are called alike")]
    pub async fn next(&mut self) -> Result<Option<Record>, Error> {
        while let Some((key, held)) = self.held.pop_first() {
            let name = String::from_utf8_lossy(&key);
            if let Some(kept) = entry::decode(&name, &held.message.payload)? {
                let ends_in = (kept.lease > 0).then(|| {
                    let age = held.written.elapsed().unwrap_or_default();
                    let left = Duration::from_secs(kept.lease).saturating_sub(age);
                    left.max(Duration::from_secs(1))
                });
                return Ok(Some(Record { key, value: kept.value, ends_in }));
            }
        }
        Ok(None)
    }
}

impl std::fmt::Debug for NatsReader {
    /// Values may hold Secrets and are not shown.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("NatsReader")
            .field("left", &self.held.len())
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

fn is_gone(message: &Message) -> bool {
    let operation = message.headers.as_ref().and_then(|headers| headers.get(OPERATION));
    operation.is_some()
}
