//! One member of an etcd cluster: what it says about itself, and what its administrator does to it.

use std::time::Duration;

use etcd_client::{
    AlarmAction, AlarmOptions, AlarmType, CompactionOptions, MemberAddOptions, SnapshotStreaming,
};

use super::{EtcdStore, REQUEST_TIMEOUT};
use crate::{Connection, Error};

/// A member stands still for about a second per gigabyte on a fast disk, and much longer on a slow one.
const DEFRAGMENTATION: Duration = Duration::from_mins(5);
/// Compaction waits until the history is really gone.
const COMPACTION: Duration = Duration::from_mins(2);

/// A connection to one member as the administrator. Clones share it.
#[derive(Clone, Debug)]
pub struct EtcdMember(EtcdStore);

/// What a member says about itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemberStatus {
    /// Its number.
    pub id: u64,
    /// Number of the leader that it follows; 0 if it knows none.
    pub leader: u64,
    /// Bytes of its file.
    pub size: u64,
    /// Bytes of it that hold something.
    pub in_use: u64,
    /// Bytes at which writes are refused; 0 if it does not tell.
    pub quota: u64,
}

/// A member as another one knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownMember {
    /// Its number.
    pub id: u64,
    /// Where other members reach it.
    pub peer_urls: Vec<String>,
    /// Whether it receives data and has no vote yet.
    pub is_learner: bool,
    /// Whether it has told where clients reach it, as each does once it has joined.
    pub has_joined: bool,
}

/// An alarm that stands in the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RaisedAlarm {
    /// The member that raised it.
    pub member: u64,
    /// Whether its data differ from the others'; if not, it is out of space.
    pub is_corrupt: bool,
}

impl EtcdMember {
    /// Connects to the member that the connection's only endpoint leads to.
    pub async fn connect(connection: &Connection) -> Result<Self, Error> {
        let store = EtcdStore::open(connection).await?;
        Ok(Self(store))
    }

    /// What it says about itself; it answers this without a majority too.
    pub async fn status(&self) -> Result<MemberStatus, Error> {
        let mut client = self.0.client.maintenance_client();
        let answer = self.0.bounded("ask the member for its state", REQUEST_TIMEOUT, client.status()).await?;
        let bytes = |count: i64| u64::try_from(count).unwrap_or(0);
        Ok(MemberStatus {
            id: answer.header().map_or(0, etcd_client::ResponseHeader::member_id),
            leader: answer.leader(),
            size: bytes(answer.db_size()),
            in_use: bytes(answer.raft_used_db_size()),
            quota: bytes(answer.db_size_quota()),
        })
    }

    /// The members as this one knows them; only the leader's knowledge is the newest.
    pub async fn members(&self) -> Result<Vec<KnownMember>, Error> {
        // The read that needs a majority comes first: a leader that was deposed knows nothing newer.
        self.0.check().await?;
        let mut client = self.0.client.cluster_client();
        let answer = self.0.bounded("list the members", REQUEST_TIMEOUT, client.member_list()).await?;
        let members = answer.members().iter().map(|member| KnownMember {
            id: member.id(),
            peer_urls: member.peer_urls().to_vec(),
            is_learner: member.is_learner(),
            has_joined: !member.client_urls().is_empty(),
        });
        Ok(members.collect())
    }

    /// The alarms that stand in the cluster.
    pub async fn alarms(&self) -> Result<Vec<RaisedAlarm>, Error> {
        let mut client = self.0.client.maintenance_client();
        let asking = client.alarm(AlarmAction::Get, AlarmType::None, None);
        let answer = self.0.bounded("list the alarms", REQUEST_TIMEOUT, asking).await?;
        let raised = answer.alarms().iter().map(|alarm| RaisedAlarm {
            member: alarm.member_id(),
            is_corrupt: alarm.alarm() == AlarmType::Corrupt,
        });
        Ok(raised.collect())
    }

    /// Takes back the alarm of a member that it was out of space.
    pub async fn disarm(&self, member: u64) -> Result<(), Error> {
        let mut options = AlarmOptions::new();
        options.with_member(member);
        let mut client = self.0.client.maintenance_client();
        let disarming = client.alarm(AlarmAction::Deactivate, AlarmType::Nospace, Some(options));
        self.0.bounded("take back the alarm", REQUEST_TIMEOUT, disarming).await.map(|_| ())
    }

    /// Forgets all history before the newest revision, and returns when it is gone from this member.
    pub async fn compact(&self) -> Result<(), Error> {
        let revision = self.0.newest_revision().await?;
        let mut keys = self.0.keys();
        let compacting = keys.compact(revision, Some(CompactionOptions::new().with_physical()));
        match self.0.bounded("compact the history", COMPACTION, compacting).await {
            // Compacted up to here already, by itself or by an API server.
            Err(Error::Refused { source, .. }) if super::says(&source, "has been compacted") => Ok(()),
            other => other.map(|_| ()),
        }
    }

    /// Defragments this member, which stands still meanwhile.
    pub async fn defragment(&self) -> Result<(), Error> {
        let mut client = self.0.client.maintenance_client();
        self.0.bounded("defragment the member", DEFRAGMENTATION, client.defragment()).await.map(|_| ())
    }

    /// Has another member lead; this one must be the leader.
    pub async fn hand_over(&self, to: u64) -> Result<(), Error> {
        let mut client = self.0.client.maintenance_client();
        self.0.bounded("hand over the lead", REQUEST_TIMEOUT, client.move_leader(to)).await.map(|_| ())
    }

    /// Adds a member without a vote.
    pub async fn add_learner(&self, peer_url: &str) -> Result<(), Error> {
        let mut client = self.0.client.cluster_client();
        let options = MemberAddOptions::new().with_is_learner();
        let adding = client.member_add([peer_url.to_owned()], Some(options));
        self.0.bounded("add a member", REQUEST_TIMEOUT, adding).await.map(|_| ())
    }

    /// Gives a member its vote. Returns false while it has not received enough of the data.
    pub async fn promote(&self, member: u64) -> Result<bool, Error> {
        let mut client = self.0.client.cluster_client();
        match self.0.bounded("give a member its vote", REQUEST_TIMEOUT, client.member_promote(member)).await {
            Err(Error::Refused { source, .. }) if super::says(&source, "in sync with leader") => Ok(false),
            other => other.map(|_| true),
        }
    }

    /// Takes a member out. One that is gone already is no error.
    pub async fn remove(&self, member: u64) -> Result<(), Error> {
        let mut client = self.0.client.cluster_client();
        match self.0.bounded("take out a member", REQUEST_TIMEOUT, client.member_remove(member)).await {
            Err(Error::Refused { source, .. }) if super::says(&source, "member not found") => Ok(()),
            other => other.map(|_| ()),
        }
    }

    /// Begins to send this member's whole content, as `etcdutl snapshot restore` reads it.
    pub async fn snapshot(&self) -> Result<Snapshot, Error> {
        let mut client = self.0.client.maintenance_client();
        let stream = self.0.bounded("begin a snapshot", REQUEST_TIMEOUT, client.snapshot()).await?;
        Ok(Snapshot { stream, store: self.0.clone() })
    }
}

/// A snapshot that is being received.
pub struct Snapshot {
    stream: SnapshotStreaming,
    store: EtcdStore,
}

impl Snapshot {
    /// The next part, none after the last. The last 32 bytes of all are the SHA-256 of what is before.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let receiving = self.stream.message();
        let part = self.store.bounded("receive a snapshot", REQUEST_TIMEOUT, receiving).await?;
        Ok(part.map(|part| part.blob().to_vec()))
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Snapshot").field("store", &self.store).finish_non_exhaustive()
    }
}
