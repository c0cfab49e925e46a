//! What is known of the objects in one tenant's cluster: what they were made from, and whether somebody
//! else has touched them since.

use std::collections::{BTreeMap, BTreeSet};

use desired::inside::{Key, Kind, LiveDns};
use kube::api::ObjectMeta;
use serde_json::Value;

use super::namespaces::Namespaces;

/// What is known of one tenant's cluster.
#[derive(Debug, Default)]
pub(super) struct Known {
    standing: BTreeMap<Key, Standing>,
    dns: LiveDns,
    namespaces: Namespaces,
    is_filled: bool,
    is_busy: bool,
    /// Whether namespaces came or went during the pass.
    is_stirred: bool,
}

/// An object that stands there, or did.
#[derive(Debug, Default)]
struct Standing {
    /// Fingerprint of what it was made from; none if that is not known.
    made_from: Option<String>,
    /// Its version when it was as wished.
    as_wished: u64,
    /// Its generation then, of kinds that have one.
    generation: Option<i64>,
    /// The newest version that was seen.
    seen: u64,
    /// The version of which everything that matters was read.
    read: Option<String>,
    is_gone: bool,
}

impl Standing {
    fn is_touched(&self) -> bool {
        self.is_gone || self.seen > self.as_wished
    }
}

impl Known {
    /// Whether everything was listed once.
    pub(super) fn is_filled(&self) -> bool {
        self.is_filled
    }

    /// Notes that everything was listed.
    pub(super) fn fill(&mut self) {
        self.is_filled = true;
    }

    /// A pass begins: what is seen during it wakes nobody.
    pub(super) fn begin(&mut self) {
        self.is_busy = true;
        self.is_stirred = false;
    }

    /// The pass is over. Tells whether something was touched meanwhile.
    pub(super) fn end(&mut self) -> bool {
        self.is_busy = false;
        self.is_stirred || self.standing.values().any(Standing::is_touched)
    }

    /// The namespaces that projects ask for.
    pub(super) fn namespaces(&self) -> &Namespaces {
        &self.namespaces
    }

    /// Notes what projects ask for now.
    pub(super) fn want_namespaces(&mut self, wanted: BTreeSet<String>) {
        self.namespaces.want(wanted);
    }

    /// Namespaces came or went. Tells whether a pass is due.
    pub(super) fn see_namespaces(&mut self, see: impl FnOnce(&mut Namespaces) -> bool) -> bool {
        let concerns = see(&mut self.namespaces);
        self.is_stirred |= concerns;
        concerns && !self.is_busy
    }

    /// What the name server's objects say.
    pub(super) fn dns(&self) -> &LiveDns {
        &self.dns
    }

    /// Whether the object stands as it was made from exactly this.
    pub(super) fn is_current(&self, key: &Key, fingerprint: &str) -> bool {
        let standing = self.standing.get(key);
        standing.is_some_and(|known| known.made_from.as_deref() == Some(fingerprint) && !known.is_touched())
    }

    /// Objects of which somebody else has changed something.
    pub(super) fn touched(&self) -> Vec<Key> {
        self.standing.iter().filter(|(_, known)| known.is_touched()).map(|(key, _)| key.clone()).collect()
    }

    /// Notes an object as it was read, whatever it was made from.
    pub(super) fn read(&mut self, key: &Key, live: Option<&Value>) {
        self.dns.observe(key, live);
        if let Some(live) = live {
            self.standing.entry(key.clone()).or_default().read = version(live);
        } else if let Some(known) = self.standing.get_mut(key) {
            known.read = None;
        }
    }

    /// The version to write over, where what is written holds something that was read.
    pub(super) fn written_over(&self, key: &Key) -> Option<String> {
        self.standing.get(key).filter(|_| LiveDns::concerns(key))?.read.clone()
    }

    /// Notes that an object is no longer as it was read: the next pass looks at it again.
    pub(super) fn doubt(&mut self, key: Key) {
        self.standing.entry(key).or_default().is_gone = true;
    }

    /// Notes that an object is as wished.
    pub(super) fn note(&mut self, key: Key, fingerprint: String, live: &Value) {
        self.dns.observe(&key, Some(live));
        let known = self.standing.entry(key).or_default();
        known.made_from = Some(fingerprint);
        known.read = version(live);
        known.as_wished = known.read.as_ref().and_then(|version| version.parse().ok()).unwrap_or_default();
        known.generation = live.pointer("/metadata/generation").and_then(Value::as_i64);
        known.is_gone = false;
    }

    /// Notes that an object was removed on purpose.
    pub(super) fn forget(&mut self, key: &Key) {
        self.dns.observe(key, None);
        self.standing.remove(key);
    }

    /// Objects that stand there and are not wished.
    pub(super) fn unwished(&self, wished: &BTreeSet<Key>) -> Vec<Key> {
        self.standing.keys().filter(|key| !wished.contains(key)).cloned().collect()
    }

    /// An object changed, or was listed. Tells whether a pass is due. Changes of a status show in the
    /// version too, where the generation tells that nothing else did.
    pub(super) fn see(&mut self, key: &Key, metadata: &ObjectMeta, is_listed: bool) -> bool {
        let Some(known) = self.standing.get_mut(key) else { return false };
        let version = metadata.resource_version.as_deref();
        let version: u64 = version.and_then(|version| version.parse().ok()).unwrap_or_default();
        if metadata.generation.is_some() && metadata.generation == known.generation {
            known.as_wished = known.as_wished.max(version);
            known.read.clone_from(&metadata.resource_version);
        }
        known.seen = known.seen.max(version);
        // A list shows how it is, also where a restored store counts from below.
        if is_listed && version < known.as_wished && !self.is_busy {
            known.is_gone = true;
        }
        known.is_touched() && !self.is_busy
    }

    /// An object was removed. Tells whether a pass is due.
    pub(super) fn lose(&mut self, key: &Key) -> bool {
        let Some(known) = self.standing.get_mut(key) else { return false };
        known.is_gone = true;
        !self.is_busy
    }

    /// The objects of a kind, to find those that a list no longer shows.
    pub(super) fn of_kind(&self, kind: Kind) -> BTreeSet<Key> {
        let made = |(_, known): &(&Key, &Standing)| known.made_from.is_some();
        let of_kind = self.standing.iter().filter(|(key, _)| key.kind == kind);
        of_kind.filter(made).map(|(key, _)| key.clone()).collect()
    }

    /// Whether it is an object that was made or found as wished.
    pub(super) fn is_made(&self, key: &Key) -> bool {
        self.standing.get(key).is_some_and(|known| known.made_from.is_some())
    }
}

fn version(live: &Value) -> Option<String> {
    live.pointer("/metadata/resourceVersion").and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use desired::inside::{Key, LiveDns, REMOVABLE};
    use kube::api::ObjectMeta;
    use serde_json::json;

    use super::Known;

    fn key() -> Key {
        REMOVABLE[3].clone()
    }

    fn metadata(version: u64, generation: Option<i64>) -> ObjectMeta {
        ObjectMeta { resource_version: Some(version.to_string()), generation, ..ObjectMeta::default() }
    }

    fn noted(version: u64, generation: Option<i64>) -> Known {
        let mut known = Known::default();
        let live =
            json!({ "metadata": { "resourceVersion": version.to_string(), "generation": generation } });
        known.note(key(), "a".to_owned(), &live);
        known
    }

    #[test]
    fn our_own_write_is_no_touch_whichever_comes_first() {
        let mut known = noted(7, None);
        assert!(!known.see(&key(), &metadata(7, None), false));
        assert!(known.is_current(&key(), "a") && !known.is_current(&key(), "b"));

        let mut known = noted(5, None);
        known.begin();
        assert!(!known.see(&key(), &metadata(7, None), false));
        known.note(key(), "a".to_owned(), &json!({ "metadata": { "resourceVersion": "7" } }));
        assert!(!known.end());
    }

    #[test]
    fn a_later_version_is_a_touch_unless_only_the_status_changed() {
        let mut known = noted(7, None);
        assert!(known.see(&key(), &metadata(8, None), false));
        assert!(!known.is_current(&key(), "a"));

        let mut known = noted(7, Some(2));
        assert!(!known.see(&key(), &metadata(8, Some(2)), false));
        assert!(known.is_current(&key(), "a"));
        assert!(known.see(&key(), &metadata(9, Some(3)), false));
    }

    #[test]
    fn what_holds_something_that_was_read_is_written_over_that_version_only() {
        let dns = REMOVABLE.into_iter().find(LiveDns::concerns).unwrap();
        let mut known = Known::default();
        assert_eq!(known.written_over(&dns), None);
        known.read(&dns, Some(&json!({ "metadata": { "resourceVersion": "7" } })));
        assert_eq!(known.written_over(&dns).as_deref(), Some("7"));
        known.note(
            dns.clone(),
            "a".to_owned(),
            &json!({ "metadata": { "resourceVersion": "8", "generation": 2 } }),
        );
        known.see(&dns, &metadata(9, Some(2)), false);
        assert_eq!(known.written_over(&dns).as_deref(), Some("9"), "only the status changed");
        known.see(&dns, &metadata(10, Some(3)), false);
        assert_eq!(known.written_over(&dns).as_deref(), Some("9"));
        let other = REMOVABLE.into_iter().find(|key| !LiveDns::concerns(key)).unwrap();
        known.read(&other, Some(&json!({ "metadata": { "resourceVersion": "7" } })));
        assert_eq!(known.written_over(&other), None, "nothing of it goes into what is written");
        known.begin();
        known.doubt(dns.clone());
        assert!(known.end() && known.touched() == [dns.clone()]);
        known.read(&dns, None);
        assert_eq!(known.written_over(&dns), None);
    }

    #[test]
    fn what_is_touched_during_a_pass_is_told_at_its_end() {
        let mut known = noted(7, None);
        known.begin();
        assert!(!known.see(&key(), &metadata(8, None), false));
        assert!(known.end());
        known.begin();
        assert!(!known.lose(&key()));
        assert!(known.end());
    }

    #[test]
    fn what_was_removed_on_purpose_is_not_missed() {
        let mut known = noted(7, None);
        known.forget(&key());
        assert!(!known.lose(&key()));
        assert!(known.unwished(&[].into()).is_empty());
    }

    #[test]
    fn a_list_that_shows_an_older_version_is_believed() {
        let mut known = noted(7, None);
        assert!(known.see(&key(), &metadata(3, None), true));
    }
}
