//! By which replicas an agent is connected, as a cluster's status says: one that ends does not speak for the others.

use api::{ClusterConnection, ClusterStatus};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// An agent speaks every minute to each replica; what has been silent for longer, in seconds, is lost.
pub(super) const SILENT: i64 = 90;

/// Notes that the agent was heard of at a replica.
pub(super) fn heard(status: &mut ClusterStatus, replica: &str, now: Timestamp) {
    status.connections.retain(|known| known.replica != replica);
    let (replica, last_seen) = (replica.to_owned(), Time(now));
    status.connections.push(ClusterConnection { replica, last_seen });
    status.connections.sort_by(|one, other| one.replica.cmp(&other.replica));
}

/// Notes that the agent has gone from a replica. Answers whether none has it any more; replicas that were killed have
/// said nothing of theirs.
pub(super) fn gone(status: &mut ClusterStatus, replica: &str, now: Timestamp) -> bool {
    status.connections.retain(|known| known.replica != replica && !is_silent(&known.last_seen, now));
    status.connections.is_empty()
}

/// Whether nobody has heard of it for long.
pub(super) fn is_silent(seen: &Time, now: Timestamp) -> bool {
    now.duration_since(seen.0).as_secs() > SILENT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn replicas(status: &ClusterStatus) -> Vec<&str> {
        status.connections.iter().map(|known| known.replica.as_str()).collect()
    }

    #[test]
    fn a_replica_speaks_for_itself_only() {
        let mut status = ClusterStatus::default();
        heard(&mut status, "second", at(0));
        heard(&mut status, "first", at(10));
        heard(&mut status, "second", at(20));
        assert_eq!(replicas(&status), ["first", "second"]);
        assert!(!gone(&mut status, "first", at(30)), "the second has it");
        assert!(!gone(&mut status, "first", at(31)), "the second has it still");
        assert!(gone(&mut status, "second", at(32)));
        assert!(gone(&mut status, "second", at(33)));
    }

    #[test]
    fn a_replica_that_was_killed_has_nothing_for_long() {
        let mut status = ClusterStatus::default();
        heard(&mut status, "killed", at(0));
        heard(&mut status, "second", at(60));
        assert!(!gone(&mut status, "second", at(SILENT)), "it may have it");
        heard(&mut status, "second", at(SILENT));
        assert!(gone(&mut status, "second", at(SILENT + 1)));
    }
}
