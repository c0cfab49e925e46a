//! Looking after the etcd that the chart installs: who is a member, who is defragmented next, what is done
//! about an alarm. Decisions only; the operator carries out one at a time and looks again.

mod entry;
mod health;
mod membership;
mod space;

pub use entry::{CLUSTER_KEY, Entry, STATE_KEY, entry, entry_name, read_entry};
pub use health::{Report, report};
pub use membership::{Change, change};
pub use space::{Action, Episode, Policy, action};

use crate::managed_etcd::ManagedEtcd;

/// What was found out about the service at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// How many members the `StatefulSet` asks for.
    pub wanted: u32,
    /// What a member without data is told at its start; none before the operator's first pass.
    pub entry: Option<Entry>,
    /// The members as their leader knows them; none if no leader answers.
    pub members: Option<Vec<Member>>,
    /// The pods that exist, in any order.
    pub pods: Vec<Pod>,
    /// Members that have raised an alarm.
    pub alarms: Vec<Alarm>,
}

/// A member that etcd knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// etcd's number for it.
    pub id: u64,
    /// Number of its pod; none of a member that is not the chart's.
    pub ordinal: Option<u32>,
    /// Whether it receives data and has no vote yet.
    pub is_learner: bool,
    /// Whether it has ever told its address, as each does once it has joined.
    pub has_joined: bool,
    /// What it says about itself; none if it does not answer.
    pub state: Option<MemberState>,
}

/// What a member says about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemberState {
    /// Bytes of its file.
    pub size: u64,
    /// Bytes of it that hold something.
    pub in_use: u64,
    /// Bytes at which writes are refused; 0 if it does not tell.
    pub quota: u64,
    /// Whether it leads.
    pub leads: bool,
}

impl MemberState {
    /// Bytes that a defragmentation would give back.
    #[must_use]
    pub fn waste(&self) -> u64 {
        self.size.saturating_sub(self.in_use)
    }
}

/// A pod of the `StatefulSet`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its number.
    pub ordinal: u32,
    /// What its container does.
    pub state: PodState,
}

/// What a member's container does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PodState {
    /// It has not started yet, or failed for some other reason.
    NotRunning,
    /// It runs.
    Running,
    /// It refused to start because it has no data and nobody has admitted it.
    WithoutData,
}

/// An alarm that a member has raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// The member.
    pub member: u64,
    /// Why.
    pub kind: AlarmKind,
}

/// Why a member has raised an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlarmKind {
    /// Its file has reached the quota; nobody can write.
    NoSpace,
    /// Its data differ from the others'.
    Corrupt,
}

impl Observed {
    fn pod(&self, ordinal: u32) -> Option<PodState> {
        self.pods.iter().find(|pod| pod.ordinal == ordinal).map(|pod| pod.state)
    }

    fn is_without_data(&self, ordinal: u32) -> bool {
        self.pod(ordinal) == Some(PodState::WithoutData)
    }

    /// Whether every pod that is wanted is a member with a vote, and answers.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let members = self.members.as_deref().unwrap_or_default();
        let sound = |member: &&Member| !member.is_learner && member.state.is_some();
        let count = u32::try_from(members.iter().filter(sound).count()).unwrap_or(u32::MAX);
        count == self.wanted && members.len() == members.iter().filter(sound).count()
    }
}

impl ManagedEtcd<'_> {
    /// Name of a member, which is that of its pod.
    #[must_use]
    pub fn member_name(&self, ordinal: u32) -> String {
        format!("{}-{ordinal}", self.name)
    }

    /// Where the others reach a member.
    #[must_use]
    pub fn peer_url(&self, ordinal: u32) -> String {
        format!("https://{}:2380", self.member_host(ordinal))
    }

    /// Where clients reach one member, `host:port`.
    #[must_use]
    pub fn member_endpoint(&self, ordinal: u32) -> String {
        format!("{}:2379", self.member_host(ordinal))
    }

    /// Where clients reach any ready member, `host:port`.
    #[must_use]
    pub fn client_endpoint(&self) -> String {
        format!("{}-client.{}.svc:2379", self.name, self.namespace)
    }

    /// Number of the pod that a name belongs to.
    #[must_use]
    pub fn ordinal_of_pod(&self, pod: &str) -> Option<u32> {
        pod.strip_prefix(self.name)?.strip_prefix('-')?.parse().ok()
    }

    /// Number of the pod that listens for other members at one of these addresses.
    #[must_use]
    pub fn ordinal_of_peer(&self, urls: &[String]) -> Option<u32> {
        urls.iter().find_map(|url| {
            let host = url.strip_prefix("https://")?;
            let ordinal = self.ordinal_of_pod(host.split('.').next()?)?;
            (*url == self.peer_url(ordinal)).then_some(ordinal)
        })
    }

    fn member_host(&self, ordinal: u32) -> String {
        format!("{}.{}.{}.svc", self.member_name(ordinal), self.name, self.namespace)
    }
}

#[cfg(test)]
mod tests {
    use crate::managed_etcd::ManagedEtcd;

    const ETCD: ManagedEtcd<'static> = ManagedEtcd { name: "flotilla-etcd", namespace: "system" };

    #[test]
    fn a_member_is_found_by_its_address_and_a_strangers_is_not() {
        assert_eq!(ETCD.ordinal_of_peer(&[ETCD.peer_url(2)]), Some(2));
        assert_eq!(ETCD.ordinal_of_peer(&["https://flotilla-etcd-2.elsewhere.svc:2380".to_owned()]), None);
        assert_eq!(ETCD.ordinal_of_peer(&["http://10.0.0.1:2380".to_owned()]), None);
        assert_eq!(ETCD.ordinal_of_pod("flotilla-etcd-snapshot-29"), None);
    }
}
