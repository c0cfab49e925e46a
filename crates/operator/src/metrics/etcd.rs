//! Metrics of the etcd that the chart installs, as its keeper last saw it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use desired::etcd_service::{AlarmKind, MemberState, Observed};
use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;

use super::state::{Labels, gauge};

/// What the keeper saw last; nothing while this replica does not lead.
#[derive(Debug, Default)]
pub(crate) struct EtcdService {
    seen: Mutex<Option<Observed>>,
    snapshot: Mutex<Option<Timestamp>>,
    defragmentations: AtomicU64,
}

impl EtcdService {
    /// Notes what was seen.
    pub(crate) fn note(&self, observed: &Observed) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(observed.clone());
    }

    /// Notes when a snapshot was last taken, where they are taken.
    pub(crate) fn note_snapshot(&self, last: Option<Timestamp>) {
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = last;
    }

    /// Notes a defragmentation.
    pub(crate) fn defragmented(&self) {
        self.defragmentations.fetch_add(1, Ordering::Relaxed);
    }

    /// From now on another replica may lead.
    pub(crate) fn hide(&self) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Collector for EtcdService {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(seen) = seen.as_ref() else { return Ok(()) };
        let encoder = &mut encoder;
        let has_leader = seen.members.is_some();
        gauge(
            encoder,
            "flotilla_etcd_has_leader",
            "Whether a majority of the managed etcd's members answers",
            [(Vec::new(), truth(has_leader))],
        )?;
        gauge(
            encoder,
            "flotilla_etcd_members_wanted",
            "Members that the managed etcd should have",
            [(Vec::new(), f64::from(seen.wanted))],
        )?;
        gauge(
            encoder,
            "flotilla_etcd_member_up",
            "Whether a member of the managed etcd answers and has a vote",
            (0..seen.wanted).map(|ordinal| {
                let mut members = seen.members.iter().flatten();
                let found = members.find(|member| member.ordinal == Some(ordinal));
                let is_up = found.is_some_and(|member| !member.is_learner && member.state.is_some());
                (named(ordinal), truth(is_up))
            }),
        )?;
        gauge(
            encoder,
            "flotilla_etcd_member_size_bytes",
            "Bytes of the file of a member of the managed etcd",
            each(seen, |state| state.size),
        )?;
        gauge(
            encoder,
            "flotilla_etcd_member_in_use_bytes",
            "Bytes of that file that hold something",
            each(seen, |state| state.in_use),
        )?;
        gauge(
            encoder,
            "flotilla_etcd_member_quota_bytes",
            "Bytes at which a member of the managed etcd refuses writes",
            each(seen, |state| state.quota),
        )?;
        gauge(
            encoder,
            "flotilla_etcd_alarms",
            "Alarms that members of the managed etcd have raised",
            [("no_space", AlarmKind::NoSpace), ("corrupt", AlarmKind::Corrupt)].map(|(name, kind)| {
                let count = seen.alarms.iter().filter(|alarm| alarm.kind == kind).count();
                (vec![("kind", name.to_owned())], super::state::count(count))
            }),
        )?;
        let snapshot = *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        #[expect(clippy::cast_precision_loss, reason = "whole seconds of any date fit")]
        gauge(
            encoder,
            "flotilla_etcd_last_snapshot_timestamp_seconds",
            "When the managed etcd's last snapshot was taken",
            snapshot.map(|time| (Vec::new(), time.as_second() as f64)),
        )?;
        let counter = ConstCounter::new(self.defragmentations.load(Ordering::Relaxed));
        let name = "flotilla_etcd_defragmentations";
        let help = "Defragmentations of members of the managed etcd";
        counter.encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)
    }
}

fn each(seen: &Observed, value: fn(&MemberState) -> u64) -> impl Iterator<Item = (Labels, f64)> {
    seen.members.iter().flatten().filter_map(move |member| {
        #[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 bytes in an etcd")]
        let bytes = value(member.state.as_ref()?) as f64;
        Some((named(member.ordinal?), bytes))
    })
}

fn named(ordinal: u32) -> Labels {
    vec![("member", ordinal.to_string())]
}

fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use desired::etcd_service::{Member, MemberState, Observed};
    use prometheus_client::registry::Registry;

    use super::EtcdService;

    #[test]
    fn members_are_shown_until_another_replica_leads() {
        let service = Arc::new(EtcdService::default());
        let mut registry = Registry::default();
        registry.register_collector(Box::new(service.clone()));
        let text = || {
            let mut text = String::new();
            prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
            text
        };
        let state = Some(MemberState { size: 7, ..MemberState::default() });
        let member = Member { ordinal: Some(0), state, ..Member::default() };
        service.note(&Observed { wanted: 3, members: Some(vec![member]), ..Observed::default() });
        service.defragmented();
        for line in [
            "flotilla_etcd_member_up{member=\"0\"} 1",
            "flotilla_etcd_member_up{member=\"2\"} 0",
            "flotilla_etcd_member_size_bytes{member=\"0\"} 7",
            "flotilla_etcd_defragmentations_total 1",
        ] {
            assert!(text().contains(line), "{line} is missing in\n{}", text());
        }
        service.hide();
        assert!(!text().contains("flotilla_etcd_member"), "{}", text());
    }
}
