//! Who is a member: what is missing is added, what lost its disk is replaced, one at a time and never at
//! the cost of the majority.

use super::{Entry, Member, Observed};

/// One change of the membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Tell members without data this.
    Tell(Entry),
    /// Add a pod as a member without a vote.
    Add {
        /// Number of the pod.
        ordinal: u32,
    },
    /// Take a member out.
    Remove {
        /// etcd's number for it.
        id: u64,
        /// Number of its pod.
        ordinal: u32,
        /// Why: it lost its data, or is no more wanted.
        lost_its_data: bool,
    },
    /// Start a pod again, which ended before it was let in.
    Restart {
        /// Number of the pod.
        ordinal: u32,
    },
    /// Give a vote to a member that has received the data.
    Promote {
        /// etcd's number for it.
        id: u64,
        /// Number of its pod.
        ordinal: u32,
    },
}

/// The next change, none if there is nothing to do or nothing that can be done.
#[must_use]
pub fn change(observed: &Observed) -> Option<Change> {
    let Some(entry) = &observed.entry else {
        return Some(Change::Tell(Entry::Founding(observed.wanted)));
    };
    // Without a leader nothing can be changed, and who is gone for good cannot be known.
    let members = observed.members.as_deref()?;
    if let Entry::Founding(_) = entry {
        // A founder that is late joins by the list of the founders.
        let are_all_there = members.iter().all(|member| member.has_joined);
        return are_all_there.then_some(Change::Tell(Entry::Closed));
    }
    if let Some(learner) = members.iter().find(|member| member.is_learner) {
        return bring_in(observed, entry, members, learner);
    }
    if *entry != Entry::Closed {
        return Some(Change::Tell(Entry::Closed));
    }
    replace(observed, members).or_else(|| grow(observed, members)).or_else(|| shrink(observed, members))
}

/// Accompanies a learner until it has a vote.
fn bring_in(observed: &Observed, entry: &Entry, members: &[Member], learner: &Member) -> Option<Change> {
    let ordinal = learner.ordinal?;
    if ordinal >= observed.wanted {
        return Some(Change::Remove { id: learner.id, ordinal, lost_its_data: false });
    }
    let is_without_data = observed.is_without_data(ordinal);
    if learner.has_joined {
        return Some(if is_without_data {
            Change::Remove { id: learner.id, ordinal, lost_its_data: true }
        } else {
            Change::Promote { id: learner.id, ordinal }
        });
    }
    let mut all: Vec<u32> = members.iter().filter_map(|member| member.ordinal).collect();
    all.sort_unstable();
    let wanted = Entry::Joining(all);
    if *entry != wanted {
        return Some(Change::Tell(wanted));
    }
    is_without_data.then_some(Change::Restart { ordinal })
}

/// Takes out a member whose pod says that its disk is empty; it is added anew later.
fn replace(observed: &Observed, members: &[Member]) -> Option<Change> {
    let lost = members.iter().find_map(|member| {
        let ordinal = member.ordinal.filter(|ordinal| observed.is_without_data(*ordinal))?;
        (member.state.is_none() && can_lose(members, member.id)).then_some((member.id, ordinal))
    });
    lost.map(|(id, ordinal)| Change::Remove { id, ordinal, lost_its_data: true })
}

/// Adds a pod that waits to be let in. Everybody else must answer: more members need a larger majority.
fn grow(observed: &Observed, members: &[Member]) -> Option<Change> {
    if members.iter().any(|member| member.state.is_none()) {
        return None;
    }
    let is_member = |ordinal: u32| members.iter().any(|member| member.ordinal == Some(ordinal));
    let mut missing = (0..observed.wanted).filter(|ordinal| !is_member(*ordinal));
    missing.find(|ordinal| observed.is_without_data(*ordinal)).map(|ordinal| Change::Add { ordinal })
}

/// Takes out a member whose pod is no more wanted, once that pod is gone.
fn shrink(observed: &Observed, members: &[Member]) -> Option<Change> {
    members.iter().find_map(|member| {
        let ordinal = member.ordinal.filter(|ordinal| *ordinal >= observed.wanted)?;
        let is_gone = member.state.is_none() && observed.pod(ordinal).is_none();
        (is_gone && can_lose(members, member.id)).then_some(Change::Remove {
            id: member.id,
            ordinal,
            lost_its_data: false,
        })
    })
}

/// Whether those with a vote who answer, without the member, are a majority now and after its removal.
fn can_lose(members: &[Member], id: u64) -> bool {
    let others = members.iter().filter(|member| !member.is_learner && member.id != id);
    let answering = others.clone().filter(|member| member.state.is_some()).count();
    // The majority of one more is never the smaller one.
    let voters = others.count() + 1;
    answering > voters / 2
}

#[cfg(test)]
mod tests {
    use super::{Change, change};
    use crate::etcd_service::{Entry, Member, MemberState, Observed, Pod, PodState};

    fn member(ordinal: u32) -> Member {
        Member {
            id: u64::from(ordinal) + 100,
            ordinal: Some(ordinal),
            has_joined: true,
            state: Some(MemberState { leads: ordinal == 0, ..MemberState::default() }),
            ..Member::default()
        }
    }

    fn pod(ordinal: u32, state: PodState) -> Pod {
        Pod { ordinal, state }
    }

    /// Three members in order.
    fn sound() -> Observed {
        Observed {
            wanted: 3,
            entry: Some(Entry::Closed),
            members: Some((0..3).map(member).collect()),
            pods: (0..3).map(|ordinal| pod(ordinal, PodState::Running)).collect(),
            alarms: Vec::new(),
        }
    }

    fn members(observed: &mut Observed) -> &mut Vec<Member> {
        observed.members.as_mut().unwrap()
    }

    fn empty(observed: &mut Observed, ordinal: u32) {
        observed.pods.retain(|pod| pod.ordinal != ordinal);
        observed.pods.push(pod(ordinal, PodState::WithoutData));
    }

    #[test]
    fn a_service_in_order_is_left_alone() {
        assert_eq!(change(&sound()), None);
    }

    #[test]
    fn founders_are_told_first_and_the_door_is_closed_when_all_are_there() {
        let mut observed = Observed { entry: None, members: None, ..sound() };
        assert_eq!(change(&observed), Some(Change::Tell(Entry::Founding(3))));
        observed.entry = Some(Entry::Founding(3));
        assert_eq!(change(&observed), None);
        observed.members = sound().members;
        members(&mut observed)[2].has_joined = false;
        assert_eq!(change(&observed), None);
        members(&mut observed)[2].has_joined = true;
        assert_eq!(change(&observed), Some(Change::Tell(Entry::Closed)));
    }

    #[test]
    fn a_member_that_is_only_away_is_never_replaced() {
        for state in [PodState::NotRunning, PodState::Running] {
            let mut observed = sound();
            members(&mut observed)[1].state = None;
            observed.pods[1].state = state;
            assert_eq!(change(&observed), None);
        }
    }

    #[test]
    fn a_lost_disk_is_replaced_by_a_new_member() {
        let mut observed = sound();
        members(&mut observed)[1].state = None;
        empty(&mut observed, 1);
        assert_eq!(change(&observed), Some(Change::Remove { id: 101, ordinal: 1, lost_its_data: true }));
        members(&mut observed).remove(1);
        assert_eq!(change(&observed), Some(Change::Add { ordinal: 1 }));
        let new = Member { id: 201, is_learner: true, has_joined: false, state: None, ..member(1) };
        members(&mut observed).push(new);
        assert_eq!(change(&observed), Some(Change::Tell(Entry::Joining(vec![0, 1, 2]))));
        observed.entry = Some(Entry::Joining(vec![0, 1, 2]));
        assert_eq!(change(&observed), Some(Change::Restart { ordinal: 1 }));
        observed.pods.last_mut().unwrap().state = PodState::Running;
        assert_eq!(change(&observed), None);
        members(&mut observed)[2].has_joined = true;
        assert_eq!(change(&observed), Some(Change::Promote { id: 201, ordinal: 1 }));
        members(&mut observed)[2].is_learner = false;
        members(&mut observed)[2].state = Some(MemberState::default());
        assert_eq!(change(&observed), Some(Change::Tell(Entry::Closed)));
    }

    #[test]
    fn a_second_loss_waits_for_the_majority() {
        let mut observed = sound();
        for ordinal in [1, 2] {
            members(&mut observed)[ordinal].state = None;
            empty(&mut observed, u32::try_from(ordinal).unwrap());
        }
        // etcd would not even answer; were it to, nobody is taken out.
        assert_eq!(change(&observed), None);
        observed.members = None;
        assert_eq!(change(&observed), None);
    }

    #[test]
    fn of_five_two_may_be_replaced_one_after_the_other() {
        let mut observed = Observed { wanted: 5, ..sound() };
        observed.members = Some((0..5).map(member).collect());
        for ordinal in [3, 4] {
            members(&mut observed)[ordinal].state = None;
            empty(&mut observed, u32::try_from(ordinal).unwrap());
        }
        assert_eq!(change(&observed), Some(Change::Remove { id: 103, ordinal: 3, lost_its_data: true }));
        members(&mut observed).remove(3);
        assert_eq!(change(&observed), Some(Change::Remove { id: 104, ordinal: 4, lost_its_data: true }));
        members(&mut observed).remove(3);
        assert_eq!(change(&observed), Some(Change::Add { ordinal: 3 }));
    }

    #[test]
    fn one_grows_to_three_one_after_the_other() {
        let mut observed = sound();
        members(&mut observed).truncate(1);
        observed.pods.truncate(1);
        // Pods that do not run yet may find data on their disks.
        observed.pods.push(pod(1, PodState::NotRunning));
        assert_eq!(change(&observed), None);
        empty(&mut observed, 1);
        empty(&mut observed, 2);
        assert_eq!(change(&observed), Some(Change::Add { ordinal: 1 }));
        members(&mut observed).push(Member { is_learner: true, has_joined: false, state: None, ..member(1) });
        assert_eq!(change(&observed), Some(Change::Tell(Entry::Joining(vec![0, 1]))));
    }

    #[test]
    fn nobody_is_added_while_somebody_is_away() {
        let mut observed = sound();
        members(&mut observed).pop();
        empty(&mut observed, 2);
        members(&mut observed)[1].state = None;
        assert_eq!(change(&observed), None);
    }

    #[test]
    fn a_learner_that_loses_its_disk_or_is_no_more_wanted_is_taken_out() {
        let mut observed = sound();
        members(&mut observed)[2].is_learner = true;
        empty(&mut observed, 2);
        assert_eq!(change(&observed), Some(Change::Remove { id: 102, ordinal: 2, lost_its_data: true }));
        observed.wanted = 2;
        assert_eq!(change(&observed), Some(Change::Remove { id: 102, ordinal: 2, lost_its_data: false }));
    }

    #[test]
    fn who_is_no_more_wanted_goes_when_the_pod_is_gone_and_a_majority_stays() {
        let mut observed = Observed { wanted: 2, ..sound() };
        assert_eq!(change(&observed), None);
        members(&mut observed)[2].state = None;
        observed.pods.pop();
        assert_eq!(change(&observed), Some(Change::Remove { id: 102, ordinal: 2, lost_its_data: false }));
        members(&mut observed)[1].state = None;
        assert_eq!(change(&observed), None);
    }

    #[test]
    fn a_member_of_somebody_else_is_left_alone() {
        let mut observed = sound();
        members(&mut observed).push(Member { ordinal: None, state: None, ..member(9) });
        assert_eq!(change(&observed), None);
    }
}
