//! What clusters use in a minute, by what is known of them. Pure.

use std::sync::Arc;

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use records::{Amounts, DayUsage};

use super::minutes::MINUTE;
use crate::inventory::ClusterRow;

/// What was said of nodes longer ago than this counts no more.
const STALE: SignedDuration = SignedDuration::from_mins(5);
const MEBIBYTE: u64 = 1024 * 1024;

/// What all clusters of tenants used in the minute that began then.
pub(super) fn sample(rows: &[Arc<ClusterRow>], minute: Timestamp) -> Vec<DayUsage> {
    let day = Offset::UTC.to_datetime(minute).date();
    let used = rows.iter().filter_map(|row| {
        let amounts = amounts(row, minute);
        let is_something = amounts != Amounts::default();
        is_something.then_some(())?;
        Some(DayUsage { day, tenant: row.tenant.clone()?, cluster: row.id.clone(), amounts })
    });
    used.collect()
}

fn amounts(row: &ClusterRow, minute: Timestamp) -> Amounts {
    let seconds = seconds(row, minute);
    let mut amounts = Amounts::default();
    let requested = row.requested.filter(|requested| row.is_awake() && requested.pods > 0);
    if let Some(requested) = requested {
        amounts.control_plane_seconds = seconds;
        amounts.replica_seconds = seconds.saturating_mul(count(requested.pods));
        amounts.cpu_millicore_seconds = seconds.saturating_mul(requested.cpu_milli);
        amounts.memory_mebibyte_seconds = seconds.saturating_mul(requested.memory_bytes.div_ceil(MEBIBYTE));
    }
    if let Some(nodes) = row.nodes.filter(|_| is_heard_of(row, minute)) {
        let capacity = row.capacity.unwrap_or_default();
        amounts.node_seconds = seconds.saturating_mul(count(nodes.total));
        amounts.node_cpu_millicore_seconds = seconds.saturating_mul(capacity.cpu_milli);
        amounts.node_memory_mebibyte_seconds =
            seconds.saturating_mul(capacity.memory_bytes.div_ceil(MEBIBYTE));
    }
    amounts
}

/// Seconds of the minute in which the cluster was there.
fn seconds(row: &ClusterRow, minute: Timestamp) -> u64 {
    let begin = row.created.map_or(minute, |created| created.max(minute));
    let seconds = (minute + MINUTE).duration_since(begin).as_secs();
    u64::try_from(seconds).unwrap_or_default()
}

/// Whether what is known of its nodes is new enough. What was said after the minute stands for it too.
fn is_heard_of(row: &ClusterRow, minute: Timestamp) -> bool {
    row.last_seen.is_some_and(|seen| minute.duration_since(seen) < STALE)
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;
    use jiff::civil::date;
    use records::{Amounts, DayUsage};

    use super::sample;
    use crate::inventory::{ClusterRow, Kind, Nodes, Resources};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn row() -> ClusterRow {
        ClusterRow {
            id: "acme.web".to_owned(),
            tenant: Some("acme".to_owned()),
            state: "Ready".to_owned(),
            requested: Some(Resources { cpu_milli: 500, memory_bytes: 512 << 20, pods: 2 }),
            nodes: Some(Nodes { total: 3, ready: 2 }),
            capacity: Some(Resources { cpu_milli: 12_000, memory_bytes: 24 << 30, pods: 330 }),
            created: Some(at("2026-11-01T00:00:00Z")),
            last_seen: Some(at("2026-11-29T00:04:30Z")),
            ..ClusterRow::default()
        }
    }

    fn of(row: ClusterRow) -> Amounts {
        let used = sample(&[Arc::new(row)], at("2026-11-29T00:04:00Z"));
        used.first().map(|row| row.amounts).unwrap_or_default()
    }

    #[test]
    fn a_minute_of_a_cluster_is_all_that_it_asks_for_and_its_nodes_have() {
        let amounts = Amounts {
            control_plane_seconds: 60,
            replica_seconds: 120,
            cpu_millicore_seconds: 30_000,
            memory_mebibyte_seconds: 60 * 512,
            node_seconds: 180,
            node_cpu_millicore_seconds: 720_000,
            node_memory_mebibyte_seconds: 60 * 24 * 1024,
            requests: 0,
        };
        let (tenant, cluster) = ("acme".to_owned(), "acme.web".to_owned());
        let expected = DayUsage { day: date(2026, 11, 29), tenant, cluster, amounts };
        assert_eq!(sample(&[Arc::new(row())], at("2026-11-29T00:04:00Z")), [expected]);
    }

    #[test]
    fn only_the_time_that_it_was_there_counts() {
        let young = ClusterRow { created: Some(at("2026-11-29T00:04:45Z")), ..row() };
        assert_eq!((of(young.clone()).control_plane_seconds, of(young).node_seconds), (15, 45));
        let later = ClusterRow { created: Some(at("2026-11-29T00:05:00Z")), ..row() };
        assert_eq!(of(later), Amounts::default());
    }

    #[test]
    fn a_control_plane_that_sleeps_or_runs_elsewhere_costs_nothing() {
        let asleep = ClusterRow { state: "Sleeping".to_owned(), ..row() };
        assert_eq!((of(asleep.clone()).replica_seconds, of(asleep).node_seconds), (0, 180));
        let elsewhere = ClusterRow { kind: Kind::Imported, requested: None, ..row() };
        assert_eq!((of(elsewhere.clone()).control_plane_seconds, of(elsewhere).node_seconds), (0, 180));
        assert!(sample(&[Arc::new(ClusterRow { tenant: None, ..row() })], Timestamp::UNIX_EPOCH).is_empty());
    }

    #[test]
    fn nodes_that_nobody_has_heard_of_for_minutes_are_not_counted() {
        let lost = ClusterRow { last_seen: Some(at("2026-11-28T23:58:00Z")), ..row() };
        assert_eq!((of(lost.clone()).node_seconds, of(lost).control_plane_seconds), (0, 60));
    }
}
