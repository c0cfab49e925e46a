//! What is said about the members: by a condition, and by an event when it changes.

use api::condition::Holds;

use super::{AlarmKind, Entry, Observed};

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Whether all members are in order.
    pub holds: Holds,
    /// One word in `CamelCase`.
    pub reason: &'static str,
    /// Cause and next step.
    pub message: String,
}

/// What is to be said about the members.
#[must_use]
pub fn report(observed: &Observed) -> Report {
    let say = |holds, reason, message: String| Report { holds, reason, message };
    let Some(members) = &observed.members else { return leaderless(observed) };
    let of_kind = |kind| observed.alarms.iter().filter(move |alarm| alarm.kind == kind).count();
    if of_kind(AlarmKind::Corrupt) > 0 {
        let message = "a member found its data different from the others'; find it with `etcdctl alarm list`, \
                       delete its volume claim and its pod, and it joins again";
        return say(Holds::False, "Corrupt", message.to_owned());
    }
    if of_kind(AlarmKind::NoSpace) > 0 {
        let message = "the quota is reached and writes are refused; the store is being compacted and \
                       defragmented. If this stays, raise etcd.quotaBackendBytes or move tenants";
        return say(Holds::False, "NoSpace", message.to_owned());
    }
    let name =
        |ordinal: Option<u32>| ordinal.map_or("a stranger".to_owned(), |number| format!("member {number}"));
    let names = |found: Vec<Option<u32>>| found.into_iter().map(name).collect::<Vec<_>>().join(", ");
    let silent: Vec<_> = members.iter().filter(|found| found.state.is_none() && !found.is_learner).collect();
    if let Some(first) = silent.first() {
        let lost = first.ordinal.is_some_and(|ordinal| observed.is_without_data(ordinal));
        let who = names(silent.iter().map(|found| found.ordinal).collect());
        let what = if lost { "lost its disk and is replaced" } else { "does not answer; look at its pod" };
        return say(Holds::False, "MemberDown", format!("{who}: {what}; the majority goes on"));
    }
    let count = u32::try_from(members.iter().filter(|found| !found.is_learner).count()).unwrap_or(u32::MAX);
    if count < observed.wanted {
        let message =
            format!("{count} of {} members have joined; the next one is brought in", observed.wanted);
        return say(Holds::False, "MemberJoins", message);
    }
    if count > observed.wanted {
        let message = format!("{count} members answer, {} are wanted", observed.wanted);
        return say(Holds::False, "MemberTooMany", message);
    }
    say(Holds::True, "MembersHealthy", format!("all {count} members answer"))
}

fn leaderless(observed: &Observed) -> Report {
    let without_data = (0..observed.wanted).filter(|ordinal| observed.is_without_data(*ordinal)).count();
    let (holds, reason, message) = if matches!(observed.entry, None | Some(Entry::Founding(_))) {
        (Holds::Unknown, "Founding", "the members have not come together yet".to_owned())
    } else if without_data > 0 {
        let message = format!(
            "no majority answers, and {without_data} of {} members have no data; restore a snapshot: see \
             docs/how-to/run-the-etcd-service.md",
            observed.wanted
        );
        (Holds::False, "DataLost", message)
    } else {
        let message = "no majority of the members answers; look at their pods".to_owned();
        (Holds::False, "NoMajority", message)
    };
    Report { holds, reason, message }
}

#[cfg(test)]
mod tests {
    use api::condition::Holds;

    use super::report;
    use crate::etcd_service::{Entry, Member, MemberState, Observed, Pod, PodState};

    fn sound() -> Observed {
        let member = |ordinal| Member {
            id: u64::from(ordinal),
            ordinal: Some(ordinal),
            has_joined: true,
            state: Some(MemberState::default()),
            ..Member::default()
        };
        Observed {
            wanted: 3,
            entry: Some(Entry::Closed),
            members: Some((0..3).map(member).collect()),
            ..Observed::default()
        }
    }

    #[test]
    fn each_trouble_has_its_reason() {
        assert_eq!(report(&sound()).holds, Holds::True);
        let mut down = sound();
        down.members.as_mut().unwrap()[1].state = None;
        let found = report(&down);
        assert_eq!((found.holds, found.reason), (Holds::False, "MemberDown"));
        assert!(found.message.contains("member 1"), "{}", found.message);
        let mut joining = sound();
        joining.members.as_mut().unwrap()[2].is_learner = true;
        assert_eq!(report(&joining).reason, "MemberJoins");
        let lost = Observed { members: None, ..sound() };
        assert_eq!(report(&lost).reason, "NoMajority");
        let pods = vec![Pod { ordinal: 0, state: PodState::WithoutData }];
        assert_eq!(report(&Observed { pods, ..lost }).reason, "DataLost");
        assert_eq!(report(&Observed { entry: None, members: None, ..sound() }).holds, Holds::Unknown);
    }
}
