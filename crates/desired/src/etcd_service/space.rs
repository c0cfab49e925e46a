//! Space: which member is defragmented next, and what is done about the alarm that stops all writes.
//!
//! A member stands still while it is defragmented. So one is done at a time, only while all others answer,
//! and the leader hands over first.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{Alarm, AlarmKind, Member, MemberState, Observed};

/// When a defragmentation is worth the standstill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Files smaller than this many bytes are left alone.
    pub smallest: u64,
    /// Percent of a file that hold nothing.
    pub waste_percent: u64,
    /// Percent of the quota that a file fills before less waste is enough.
    pub crowded_percent: u64,
    /// The waste that is enough then, percent of the quota.
    pub crowded_waste_percent: u64,
    /// Percent of the quota to which the file must shrink before the alarm is taken back.
    pub relief_percent: u64,
    /// Time between two defragmentations without an alarm.
    pub pause: SignedDuration,
    /// Time after which an alarm that could not be helped is tried again.
    pub retry: SignedDuration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            smallest: 100 << 20,
            waste_percent: 50,
            crowded_percent: 80,
            crowded_waste_percent: 10,
            relief_percent: 95,
            pause: SignedDuration::from_mins(1),
            retry: SignedDuration::from_mins(1),
        }
    }
}

/// What was done lately.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Episode {
    /// When the history was last compacted because of an alarm; none while there is none.
    pub compacted: Option<Timestamp>,
    /// Members defragmented since.
    pub defragmented: BTreeSet<u64>,
    /// When a member was last defragmented.
    pub last: Option<Timestamp>,
}

/// One step for space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Forget the history that is kept for readers of old revisions.
    Compact,
    /// Have another member lead.
    HandOver {
        /// The leader.
        from: u64,
        /// Who shall lead.
        to: u64,
    },
    /// Defragment a member.
    Defragment {
        /// The member.
        id: u64,
        /// Bytes that it should give back.
        waste: u64,
    },
    /// Take back the alarm of a member.
    Disarm(Alarm),
}

/// The next step, none if there is enough space or nothing helps.
#[must_use]
pub fn action(observed: &Observed, episode: &Episode, policy: &Policy, now: Timestamp) -> Option<Action> {
    let members = observed.members.as_deref()?;
    // Whatever is done to different data, it does not make them equal.
    if observed.alarms.iter().any(|alarm| alarm.kind == AlarmKind::Corrupt) {
        return None;
    }
    match observed.alarms.first() {
        Some(alarm) => relieve(members, *alarm, episode, policy, now),
        None => tidy(observed, members, episode, policy, now),
    }
}

/// Nobody can write: compact, defragment whoever answers, take the alarm back.
fn relieve(
    members: &[Member],
    alarm: Alarm,
    episode: &Episode,
    policy: &Policy,
    now: Timestamp,
) -> Option<Action> {
    let Some(compacted) = episode.compacted else { return Some(Action::Compact) };
    let is_left = |member: &&Member| !episode.defragmented.contains(&member.id);
    let answering = || members.iter().filter_map(|member| Some((member, member.state?)));
    // Followers first. With writes refused anyway, a leader need not hand over.
    let next = answering()
        .filter(|(member, state)| is_left(member) && state.waste() > 0)
        .min_by_key(|(_, state)| (state.leads, std::cmp::Reverse(state.waste())));
    if let Some((member, state)) = next {
        return Some(Action::Defragment { id: member.id, waste: state.waste() });
    }
    let fits = |state: &MemberState| state.size <= percent(state.quota, policy.relief_percent);
    if answering().all(|(_, state)| state.quota == 0 || fits(&state)) {
        return Some(Action::Disarm(alarm));
    }
    // Tenants may have deleted something since.
    (now.duration_since(compacted) >= policy.retry).then_some(Action::Compact)
}

/// Everybody can write: one member that wastes much, if all are there.
fn tidy(
    observed: &Observed,
    members: &[Member],
    episode: &Episode,
    policy: &Policy,
    now: Timestamp,
) -> Option<Action> {
    let is_resting = episode.last.is_some_and(|last| now.duration_since(last) < policy.pause);
    if is_resting || !observed.is_complete() {
        return None;
    }
    let (worst, state) = members
        .iter()
        .filter_map(|member| Some((member, member.state.filter(|state| is_worth(state, policy))?)))
        .min_by_key(|(_, state)| (state.leads, std::cmp::Reverse(state.waste())))?;
    let successor = members.iter().find(|member| member.id != worst.id);
    match successor {
        Some(successor) if state.leads => Some(Action::HandOver { from: worst.id, to: successor.id }),
        _ => Some(Action::Defragment { id: worst.id, waste: state.waste() }),
    }
}

fn is_worth(state: &MemberState, policy: &Policy) -> bool {
    let waste = state.waste();
    let is_crowded = state.quota > 0 && state.size >= percent(state.quota, policy.crowded_percent);
    (state.size >= policy.smallest && waste >= percent(state.size, policy.waste_percent))
        || (is_crowded && waste >= percent(state.quota, policy.crowded_waste_percent))
}

fn percent(of: u64, percent: u64) -> u64 {
    of / 100 * percent
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Action, Episode, Policy, action};
    use crate::etcd_service::{Alarm, AlarmKind, Entry, Member, MemberState, Observed};

    const MIB: u64 = 1 << 20;
    const NO_SPACE: Alarm = Alarm { member: 1, kind: AlarmKind::NoSpace };

    fn now() -> Timestamp {
        "2026-01-01T00:10:00Z".parse().unwrap()
    }

    fn member(id: u64, size: u64, in_use: u64) -> Member {
        let state = MemberState { size: size * MIB, in_use: in_use * MIB, quota: 1000 * MIB, leads: id == 1 };
        Member {
            id,
            ordinal: u32::try_from(id).ok(),
            has_joined: true,
            state: Some(state),
            ..Member::default()
        }
    }

    fn of(sizes: [(u64, u64); 3]) -> Observed {
        let members = sizes.into_iter().zip(1..).map(|((size, in_use), id)| member(id, size, in_use));
        Observed {
            wanted: 3,
            entry: Some(Entry::Closed),
            members: Some(members.collect()),
            ..Observed::default()
        }
    }

    fn next(observed: &Observed, episode: &Episode) -> Option<Action> {
        action(observed, episode, &Policy::default(), now())
    }

    #[test]
    fn little_waste_is_left_alone() {
        assert_eq!(next(&of([(400, 300), (50, 1), (400, 399)]), &Episode::default()), None);
    }

    #[test]
    fn the_worst_follower_is_first_and_the_leader_hands_over() {
        let all = of([(900, 100), (500, 200), (500, 100)]);
        let worst = Action::Defragment { id: 3, waste: 400 * MIB };
        assert_eq!(next(&all, &Episode::default()), Some(worst));
        let leader = of([(900, 100), (100, 90), (100, 90)]);
        assert_eq!(next(&leader, &Episode::default()), Some(Action::HandOver { from: 1, to: 2 }));
    }

    #[test]
    fn a_crowded_store_is_tidied_for_less() {
        let crowded = of([(100, 99), (850, 700), (100, 99)]);
        assert_eq!(next(&crowded, &Episode::default()), Some(Action::Defragment { id: 2, waste: 150 * MIB }));
    }

    #[test]
    fn one_alone_is_tidied_without_a_successor() {
        let mut alone = of([(500, 100), (1, 1), (1, 1)]);
        alone.members.as_mut().unwrap().truncate(1);
        alone.wanted = 1;
        assert_eq!(next(&alone, &Episode::default()), Some(Action::Defragment { id: 1, waste: 400 * MIB }));
    }

    #[test]
    fn nobody_is_tidied_while_somebody_is_away_or_soon_after_another() {
        let mut away = of([(500, 100), (500, 100), (500, 100)]);
        let episode = Episode { last: Some(now()), ..Episode::default() };
        assert_eq!(next(&away, &episode), None);
        away.members.as_mut().unwrap()[0].state = None;
        assert_eq!(next(&away, &Episode::default()), None);
    }

    #[test]
    fn an_alarm_is_answered_by_compaction_defragmentation_and_taking_it_back() {
        let mut full = of([(1000, 1000), (1000, 1000), (1000, 1000)]);
        full.alarms = vec![NO_SPACE];
        assert_eq!(next(&full, &Episode::default()), Some(Action::Compact));
        let mut episode = Episode { compacted: Some(now()), last: Some(now()), ..Episode::default() };
        let mut freed = of([(1000, 100), (1000, 90), (1000, 110)]);
        freed.alarms = vec![NO_SPACE];
        for (id, waste) in [(2, 910), (3, 890), (1, 900)] {
            assert_eq!(next(&freed, &episode), Some(Action::Defragment { id, waste: waste * MIB }));
            episode.defragmented.insert(id);
        }
        let mut small = of([(100, 100), (90, 90), (110, 110)]);
        small.alarms = vec![NO_SPACE];
        assert_eq!(next(&small, &episode), Some(Action::Disarm(NO_SPACE)));
    }

    #[test]
    fn an_alarm_is_answered_also_while_somebody_is_away() {
        let mut full = of([(1000, 100), (1000, 100), (1000, 100)]);
        full.alarms = vec![NO_SPACE];
        full.members.as_mut().unwrap()[2].state = None;
        let episode = Episode { compacted: Some(now()), defragmented: [1, 2].into(), ..Episode::default() };
        full.members.as_mut().unwrap().truncate(2);
        for member in full.members.as_mut().unwrap() {
            member.state.as_mut().unwrap().size = 100 * MIB;
        }
        assert_eq!(next(&full, &episode), Some(Action::Disarm(NO_SPACE)));
    }

    #[test]
    fn what_truly_fills_the_quota_keeps_the_alarm_and_is_tried_again_later() {
        let mut full = of([(990, 990), (990, 990), (990, 990)]);
        full.alarms = vec![NO_SPACE];
        let compacted = |at: &str| Episode { compacted: at.parse().ok(), ..Episode::default() };
        assert_eq!(next(&full, &compacted("2026-01-01T00:09:30Z")), None);
        assert_eq!(next(&full, &compacted("2026-01-01T00:08:00Z")), Some(Action::Compact));
    }

    #[test]
    fn corrupt_data_are_never_touched() {
        let mut corrupt = of([(900, 100), (900, 100), (900, 100)]);
        corrupt.alarms = vec![NO_SPACE, Alarm { member: 2, kind: AlarmKind::Corrupt }];
        assert_eq!(next(&corrupt, &Episode::default()), None);
    }
}
