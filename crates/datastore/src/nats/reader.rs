//! Reads a tenant's bucket as it was at one moment.

use std::collections::BTreeMap;
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
        let revision = self.revision(space).await?;
        let mut reader = NatsReader { held: BTreeMap::new(), revision };
        let whole = subject(space, "");
        self.latest(space, false, |message| reader.take(message, &whole)).await?;
        Ok(reader)
    }

    /// The number of the tenant's entries.
    pub async fn count(&self, space: &TenantSpace) -> Result<u64, Error> {
        let mut count = 0;
        let own = subject(space, &keys::encode("health"));
        // Of the few keys that change meanwhile a version more may be counted.
        self.latest(space, true, |message| {
            count += u64::from(!is_gone(&message) && message.subject.as_str() != own);
            Ok(())
        })
        .await?;
        Ok(count)
    }

    /// Hands over the newest message of each key, and those that come while these are handed over, until
    /// there are no more. What is known then is the state after the last of them: a message that others
    /// replaced before it was handed over is followed by those.
    async fn latest(
        &self,
        space: &TenantSpace,
        headers_only: bool,
        mut take: impl FnMut(Message) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let stream = stream_name(space)?;
        if self.stream(space).await?.is_none() {
            return Ok(());
        }
        let settings = pull::Config {
            deliver_policy: DeliverPolicy::LastPerSubject,
            filter_subject: subject(space, &keys::everything()),
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
        let name = consumer.cached_info().name.clone();
        let outcome = match consumer.cached_info().num_pending {
            0 => Ok(()),
            _ => self.hand_over(&consumer, &mut take).await,
        };
        // It would be forgotten by itself too.
        let forgotten = self.jetstream.delete_consumer_from_stream(&name, &stream);
        let _ = timeout(REQUEST_TIMEOUT, forgotten).await;
        outcome
    }

    async fn hand_over(
        &self,
        consumer: &Consumer<pull::Config>,
        take: &mut impl FnMut(Message) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let asked = consumer.stream().max_messages_per_batch(BATCH).messages();
        let mut messages = asked.await.map_err(|error| refused(ACTION, &error))?;
        for expected in 1.. {
            let message = match timeout(REQUEST_TIMEOUT, messages.next()).await {
                Ok(Some(message)) => message.map_err(|error| refused(ACTION, &error))?,
                Ok(None) | Err(_) => return Err(timed_out(ACTION, self.endpoints.clone())),
            };
            let (sequence, pending) = {
                let place = message.info().map_err(|error| refused(ACTION, &*error))?;
                (place.consumer_sequence, place.pending)
            };
            if sequence != expected {
                // A message was lost with a connection.
                return Err(timed_out(ACTION, self.endpoints.clone()));
            }
            take(message)?;
            if pending == 0 {
                break;
            }
        }
        Ok(())
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

    fn take(&mut self, message: Message, whole: &str) -> Result<(), Error> {
        let (sequence, written) = {
            let place = message.info().map_err(|error| refused(ACTION, &*error))?;
            (place.stream_sequence, place.published.into())
        };
        self.revision = self.revision.max(sequence.try_into().unwrap_or(i64::MAX));
        let key = message.subject.strip_prefix(whole).and_then(keys::decode);
        let Some(key) = key.filter(|key| key != KINES_OWN) else { return Ok(()) };
        if is_gone(&message) {
            self.held.remove(&key);
        } else {
            self.held.insert(key, Held { message, written });
        }
        Ok(())
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
