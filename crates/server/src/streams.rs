//! What is streamed through the hub for long: watches, logs, streams into pods. It is cut off when whoever asked for it
//! loses the right to it.
//!
//! One task looks after all streams. When facts have changed, it decides on each anew; every ten seconds it also looks
//! whether the sessions and keys behind them are there still, each once however many streams it has.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use authz::Subject;
use relay::Ending;
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;

use crate::caller::{Credential, still_holds};
use crate::fairness::Share;
use crate::hub::Hub;
use crate::index::Snapshot;
use crate::proxy::{is_in_scope, may_connect};

/// How often all is looked at, whether something has changed or not.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Facts that change together are looked at once.
const TOGETHER: Duration = Duration::from_millis(500);

/// What is streamed, and to whom.
pub(crate) struct Stream {
    pub(crate) subject: Subject,
    pub(crate) credential: Credential,
    /// What it comes from; nothing if it is the hub itself, which decides on each of its events.
    pub(crate) source: Option<Source>,
    /// Whether whoever reads it asks again by themselves, and misses nothing, when it ends: a watch.
    pub(crate) goes_on_elsewhere: bool,
}

/// A cluster, as it knows whoever asked.
pub(crate) struct Source {
    pub(crate) cluster: String,
    pub(crate) groups: BTreeSet<String>,
    /// Whether something may be changed by it.
    pub(crate) changes: bool,
}

type Open = HashMap<u64, (Arc<Stream>, oneshot::Sender<Ending>)>;

/// All streams of this replica.
#[derive(Default)]
pub(crate) struct Streams {
    open: Arc<Mutex<Open>>,
    next: AtomicU64,
}

impl Streams {
    /// Takes note of a stream until what is returned is dropped, and is ready when the stream has to end. As long it
    /// holds its user's place.
    pub(crate) fn open(&self, stream: Stream, share: Share) -> impl Future<Output = Ending> + Send + use<> {
        let (cut, end) = oneshot::channel();
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        lock(&self.open).insert(id, (Arc::new(stream), cut));
        let place = Place { id, open: self.open.clone(), _share: share };
        async move {
            let _place = place;
            end.await.unwrap_or(Ending::CutOff)
        }
    }

    fn all(&self) -> Vec<(u64, Arc<Stream>)> {
        lock(&self.open).iter().map(|(id, (stream, _))| (*id, stream.clone())).collect()
    }

    fn cut(&self, id: u64) {
        if let Some((_, cut)) = lock(&self.open).remove(&id) {
            // Whoever streams may just have ended.
            let _ = cut.send(Ending::CutOff);
        }
    }

    /// Whether nothing is streamed.
    pub(crate) fn is_empty(&self) -> bool {
        lock(&self.open).is_empty()
    }

    /// Lets those go that go on at another replica. The rest may come to its end here.
    pub(crate) fn hand_over(&self) {
        for (_, (_, cut)) in lock(&self.open).extract_if(|_, (stream, _)| stream.goes_on_elsewhere) {
            let _ = cut.send(Ending::InOrder);
        }
    }
}

/// A stream's place among all.
struct Place {
    id: u64,
    open: Arc<Mutex<Open>>,
    _share: Share,
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.open).remove(&self.id);
    }
}

fn lock(open: &Mutex<Open>) -> MutexGuard<'_, Open> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Cuts off what nobody may have any more; never ends.
pub(crate) async fn keep(hub: &Hub) {
    let mut changes = hub.index.changes();
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_tick = tokio::select! {
            _ = looks.tick() => true,
            _ = changes.changed() => false,
        };
        tokio::time::sleep(TOGETHER).await;
        changes.mark_unchanged();
        let snapshot = hub.index.now();
        let mut known = HashMap::new();
        for (id, stream) in hub.streams.all() {
            if !may_go_on(&snapshot, &stream) || (is_tick && !is_held(hub, &stream, &mut known).await) {
                tracing::info!(user = stream.subject.user, "a stream is cut off: the right to it is gone");
                hub.streams.cut(id);
            }
        }
    }
}

/// Whether facts still allow it, and the cluster would still be told the same groups.
fn may_go_on(snapshot: &Snapshot, stream: &Stream) -> bool {
    let Stream { subject, credential, source, .. } = stream;
    snapshot.is_active(&subject.user)
        && source.as_ref().is_none_or(|source| {
            is_in_scope(snapshot, credential, &source.cluster, source.changes)
                && may_connect(snapshot, subject, &source.cluster)
                && snapshot.policy.cluster_groups(subject, &source.cluster) == source.groups
        })
}

/// Whether the session or key is there. While the database does not answer, nothing is cut off.
async fn is_held(hub: &Hub, stream: &Stream, known: &mut HashMap<String, bool>) -> bool {
    match known.entry(stream.credential.id().to_owned()) {
        Entry::Occupied(known) => *known.get(),
        Entry::Vacant(place) => {
            let holds = still_holds(hub, &stream.credential, &stream.subject).await;
            *place.insert(holds.unwrap_or(true))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use api::UserSpec;
    use authz::{Grant, Policy, Scope, Subject, Tree, Who, builtin_roles};
    use relay::Ending;

    use super::{Source, Stream, Streams, may_go_on};
    use crate::caller::Credential;
    use crate::fairness::Share;
    use crate::index::Snapshot;

    fn stream(groups: &[&str]) -> Stream {
        let groups: BTreeSet<String> = groups.iter().map(|group| (*group).to_owned()).collect();
        Stream {
            subject: Subject { user: "olga".to_owned(), groups: Vec::new() },
            credential: Credential::Session { id: "s".to_owned(), within: None },
            source: Some(Source { cluster: "acme.web".to_owned(), groups, changes: false }),
            goes_on_elsewhere: false,
        }
    }

    fn snapshot(role: Option<&str>, is_disabled: bool) -> Snapshot {
        let mut tree = Tree::default();
        tree.add_tenant("acme", None);
        tree.add_cluster("acme.web", "acme");
        let grants = role.map(|role| Grant {
            name: "g".to_owned(),
            who: Who::User("olga".to_owned()),
            role: role.to_owned(),
            scope: Scope::Tenant("acme".to_owned()),
        });
        let user = UserSpec { disabled: is_disabled, ..UserSpec::default() };
        Snapshot {
            policy: Policy::new(tree, builtin_roles(), grants.into_iter().collect::<Vec<_>>()),
            users: [("olga".to_owned(), user)].into(),
            ..Snapshot::default()
        }
    }

    #[test]
    fn a_stream_goes_on_as_long_as_its_user_may_connect_in_the_same_groups() {
        let owner = stream(&["flotilla:cluster:tenant-owner"]);
        assert!(may_go_on(&snapshot(Some("tenant-owner"), false), &owner));
        assert!(!may_go_on(&snapshot(Some("tenant-owner"), true), &owner), "the user is disabled");
        assert!(!may_go_on(&snapshot(Some("read-only"), false), &owner), "the groups are others");
        assert!(!may_go_on(&snapshot(Some("auditor"), false), &owner), "the right to connect is gone");
        assert!(!may_go_on(&snapshot(None, false), &owner), "all rights are gone");
        assert!(!may_go_on(&Snapshot::default(), &owner), "the user is gone");
    }

    #[tokio::test]
    async fn a_stream_ends_when_it_is_cut_and_is_forgotten_when_it_ends() {
        let streams = Streams::default();
        let (first, second) =
            (streams.open(stream(&[]), Share::default()), streams.open(stream(&[]), Share::default()));
        let ids: Vec<u64> = streams.all().into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids.len(), 2);
        drop(first);
        let [(left, _)] = streams.all().try_into().ok().unwrap();
        streams.cut(left);
        assert_eq!(second.await, Ending::CutOff);
        assert!(streams.all().is_empty());
    }

    #[tokio::test]
    async fn watches_are_handed_over_and_the_rest_stays() {
        let streams = Streams::default();
        let watch = Stream { goes_on_elsewhere: true, ..stream(&[]) };
        let (watch, shell) =
            (streams.open(watch, Share::default()), streams.open(stream(&[]), Share::default()));
        streams.hand_over();
        assert_eq!(watch.await, Ending::InOrder);
        assert_eq!(streams.all().len(), 1);
        drop(shell);
    }
}
