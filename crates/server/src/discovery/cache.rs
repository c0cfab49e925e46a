//! Answers that are remembered for a short time, as many as fit. Pure.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, header};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

/// How long an answer is taken without asking the cluster whether it still holds.
const FRESH: SignedDuration = SignedDuration::from_secs(10);
/// How long one is kept, to ask the cluster only whether it still holds.
const KEPT: SignedDuration = SignedDuration::from_mins(10);
/// Largest body that is remembered, bytes.
pub(super) const LARGEST: usize = 8 * 1024 * 1024;
/// All that is remembered, bytes.
const ROOM: usize = 64 * 1024 * 1024;
/// What an answer takes beside its body, about.
const OVERHEAD: usize = 2048;

/// What was asked, by whom as far as the cluster decides by it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) cluster: String,
    /// The cluster decides by groups what somebody may see.
    pub(super) groups: BTreeSet<String>,
    pub(super) path_and_query: String,
    /// `Accept` and `Accept-Encoding`.
    pub(super) accepted: [Vec<u8>; 2],
}

/// An answer with status 200.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    /// By which the cluster or a client knows it again.
    pub(super) fn tag(&self) -> Option<&[u8]> {
        self.headers.get(header::ETAG).map(HeaderValue::as_bytes)
    }

    fn size(&self) -> usize {
        self.body.len() + OVERHEAD
    }
}

struct Entry {
    answer: Arc<Answer>,
    /// When the cluster last said so.
    said: Timestamp,
}

/// What is remembered.
#[derive(Default)]
pub(super) struct Cache {
    entries: HashMap<Key, Entry>,
    size: usize,
}

impl Cache {
    /// An answer, and whether it is fresh.
    pub(super) fn get(&self, key: &Key, now: Timestamp) -> Option<(Arc<Answer>, bool)> {
        let entry = self.entries.get(key)?;
        let age = now.duration_since(entry.said);
        (age < KEPT).then(|| (entry.answer.clone(), age < FRESH))
    }

    /// Remembers what a cluster has just said. The oldest answers make room for it.
    pub(super) fn put(&mut self, key: Key, answer: Arc<Answer>, now: Timestamp) {
        self.remove(&key);
        self.size += answer.size();
        self.entries.insert(key, Entry { answer, said: now });
        if self.size > ROOM {
            let mut by_age: Vec<(Timestamp, Key)> =
                self.entries.iter().map(|(key, entry)| (entry.said, key.clone())).collect();
            by_age.sort_by_key(|(said, _)| *said);
            // Some more than must be, so that this is seldom.
            for (_, key) in by_age {
                if self.size <= ROOM / 4 * 3 {
                    break;
                }
                self.remove(&key);
            }
        }
    }

    /// Forgets an answer that holds no more.
    pub(super) fn remove(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            self.size -= entry.answer.size();
        }
    }

    /// Forgets a cluster that is gone.
    pub(super) fn forget(&mut self, cluster: &str) {
        let mut size = self.size;
        self.entries.retain(|key, entry| {
            let stays = key.cluster != cluster;
            if !stays {
                size -= entry.answer.size();
            }
            stays
        });
        self.size = size;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::http::HeaderMap;
    use bytes::Bytes;
    use jiff::{SignedDuration, Timestamp};

    use super::{Answer, Cache, Key, LARGEST, OVERHEAD, ROOM};

    fn key(cluster: &str, group: &str, path: &str) -> Key {
        Key {
            cluster: cluster.to_owned(),
            groups: [group.to_owned()].into(),
            path_and_query: path.to_owned(),
            accepted: Default::default(),
        }
    }

    fn answer(size: usize) -> Arc<Answer> {
        Arc::new(Answer { headers: HeaderMap::new(), body: Bytes::from(vec![0; size]) })
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn an_answer_is_fresh_for_a_while_and_for_the_same_groups_only() {
        let mut cache = Cache::default();
        cache.put(key("a", "x", "/apis"), answer(1), at(0));
        let is_fresh = |key, now| cache.get(&key, at(now)).map(|(_, is_fresh)| is_fresh);
        assert_eq!(is_fresh(key("a", "x", "/apis"), 9), Some(true));
        assert_eq!(is_fresh(key("a", "x", "/apis"), 10), Some(false));
        assert_eq!(is_fresh(key("a", "x", "/apis"), 600), None);
        for other in [key("b", "x", "/apis"), key("a", "y", "/apis"), key("a", "x", "/api")] {
            assert_eq!(is_fresh(other, 1), None);
        }
    }

    #[test]
    fn the_oldest_make_room_and_what_is_forgotten_takes_none() {
        let mut cache = Cache::default();
        for number in 0..20 {
            cache.put(key("a", "x", &number.to_string()), answer(LARGEST), at(number));
            assert!(cache.size <= ROOM);
        }
        assert!(cache.get(&key("a", "x", "19"), at(19)).is_some());
        assert!(cache.get(&key("a", "x", "0"), at(19)).is_none());
        cache.put(key("b", "x", "0"), answer(1), at(20));
        cache.put(key("b", "x", "0"), answer(2), at(20));
        cache.forget("a");
        assert_eq!(cache.size, OVERHEAD + 2);
        cache.forget("b");
        assert_eq!((cache.size, cache.entries.len()), (0, 0));
    }
}
