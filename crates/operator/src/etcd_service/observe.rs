//! Finds out how the managed etcd stands: its pods from the cluster, its members from themselves.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use datastore::{EtcdMember, KnownMember, MemberStatus, RaisedAlarm};
use desired::etcd_service::{
    Alarm, AlarmKind, Member, MemberState, Observed, Pod as KnownPod, PodState, entry_name, read_entry,
};
use futures::future::join_all;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::core::v1::{ConfigMap, ContainerState, Pod};
use kube::api::ListParams;
use kube::{Api, ResourceExt};

use super::Keeper;

/// What etcd says when its disk is empty and the list of members does not name it. A member with data
/// does not read the list.
const NOT_ADMITTED: &str = "find local name";
/// What it says when it should found a cluster that stands already.
const FOUNDED_ALREADY: &str = "has already been bootstrapped";

impl Keeper<'_> {
    /// What the management cluster tells, without asking a member.
    pub(super) async fn standing(&self, set: &StatefulSet) -> Result<Observed> {
        let maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), self.etcd.namespace);
        let entry = maps.get_opt(&entry_name(self.etcd)).await.context("read the list of members")?;
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), self.etcd.namespace);
        let selector = set.spec.as_ref().and_then(|spec| spec.selector.match_labels.clone());
        let labels: Vec<String> =
            selector.iter().flatten().map(|(key, value)| format!("{key}={value}")).collect();
        let pods =
            pods.list(&ListParams::default().labels(&labels.join(","))).await.context("list the pods")?;
        let known = pods.iter().filter_map(|pod| {
            let ordinal = self.etcd.ordinal_of_pod(&pod.name_any())?;
            Some(KnownPod { ordinal, state: state(pod) })
        });
        let wanted = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
        Ok(Observed {
            wanted: u32::try_from(wanted).unwrap_or(0),
            entry: entry.map(|found| read_entry(self.etcd, &found)),
            pods: known.collect(),
            ..Observed::default()
        })
    }

    /// Asks every member how it is, and the leader for the others.
    pub(super) async fn ask_members(&mut self, observed: &mut Observed) {
        let ordinals: BTreeSet<u32> =
            (0..observed.wanted).chain(observed.pods.iter().map(|pod| pod.ordinal)).collect();
        for ordinal in &ordinals {
            if !self.connections.contains_key(ordinal)
                && let Ok(connection) = self.connection(self.etcd.member_endpoint(*ordinal))
                && let Ok(member) = EtcdMember::connect(&connection).await
            {
                self.connections.insert(*ordinal, member);
            }
        }
        self.connections.retain(|ordinal, _| ordinals.contains(ordinal));
        let asked = self.connections.iter().map(|(ordinal, member)| async move {
            match member.status().await {
                Ok(status) => Some((*ordinal, status)),
                Err(error) => {
                    tracing::debug!(ordinal, "{:#}", anyhow::Error::from(error));
                    None
                }
            }
        });
        let answers: Vec<(u32, MemberStatus)> = join_all(asked).await.into_iter().flatten().collect();
        let leading = answers.iter().find(|(_, status)| status.leader == status.id);
        let Some(leader) = leading.and_then(|(ordinal, _)| self.connections.get(ordinal)) else { return };
        let (members, alarms) = tokio::join!(leader.members(), leader.alarms());
        match (members, alarms) {
            (Ok(members), Ok(alarms)) => {
                let know = |known| self.member(known, &answers);
                observed.members = Some(members.iter().map(know).collect());
                observed.alarms = alarms.iter().map(alarm).collect();
            }
            (Err(error), _) | (_, Err(error)) => {
                tracing::debug!("{:#}", anyhow::Error::from(error).context("ask the leader"));
            }
        }
    }

    /// When a snapshot was last taken, or when the first one began to be due; none where none are taken.
    pub(super) async fn last_snapshot(&self) -> Result<Option<Timestamp>> {
        let jobs: Api<CronJob> = Api::namespaced(self.client.clone(), self.etcd.namespace);
        let found = jobs.get_opt(&format!("{}-snapshot", self.etcd.name)).await?;
        Ok(found.and_then(|job| {
            let taken = job.status.and_then(|status| status.last_successful_time);
            taken.or(job.metadata.creation_timestamp).map(|time| time.0)
        }))
    }

    fn member(&self, known: &KnownMember, answers: &[(u32, MemberStatus)]) -> Member {
        let status = answers.iter().map(|(_, status)| status).find(|status| status.id == known.id);
        Member {
            id: known.id,
            ordinal: self.etcd.ordinal_of_peer(&known.peer_urls),
            is_learner: known.is_learner,
            has_joined: known.has_joined,
            state: status.map(|status| MemberState {
                size: status.size,
                in_use: status.in_use,
                quota: status.quota,
                leads: status.leader == status.id,
            }),
        }
    }
}

fn alarm(raised: &RaisedAlarm) -> Alarm {
    let kind = if raised.is_corrupt { AlarmKind::Corrupt } else { AlarmKind::NoSpace };
    Alarm { member: raised.member, kind }
}

/// What the container of a member does.
fn state(pod: &Pod) -> PodState {
    let Some(container) =
        pod.status.as_ref().and_then(|status| status.container_statuses.iter().flatten().next())
    else {
        return PodState::NotRunning;
    };
    if container.state.as_ref().is_some_and(|state| state.running.is_some()) {
        return PodState::Running;
    }
    let last_words = |state: &Option<ContainerState>| {
        let ended = state.as_ref()?.terminated.as_ref()?;
        Some(ended.message.clone().unwrap_or_default())
    };
    let words =
        last_words(&container.state).or_else(|| last_words(&container.last_state)).unwrap_or_default();
    if words.contains(NOT_ADMITTED) || words.contains(FOUNDED_ALREADY) {
        PodState::WithoutData
    } else {
        PodState::NotRunning
    }
}

#[cfg(test)]
mod tests {
    use desired::etcd_service::PodState;
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::{Value, json};

    fn state(now: &Value, last: &Value) -> PodState {
        let pod = json!({"status": {"containerStatuses": [{
            "name": "etcd", "image": "etcd", "imageID": "", "ready": false, "restartCount": 1,
            "state": now, "lastState": last,
        }]}});
        super::state(&serde_json::from_value::<Pod>(pod).unwrap())
    }

    #[test]
    fn only_a_container_that_ended_with_these_words_has_no_data() {
        let words = r#"couldn't find local name "flotilla-etcd-1" in the initial cluster configuration"#;
        let ended = json!({"terminated": {"exitCode": 1, "message": words}});
        let waiting = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        assert_eq!(state(&ended, &json!({})), PodState::WithoutData);
        assert_eq!(state(&waiting, &ended), PodState::WithoutData);
        assert_eq!(state(&json!({"running": {}}), &ended), PodState::Running);
        let other = json!({"terminated": {"exitCode": 1, "message": "no space left on device"}});
        // What it said last counts.
        assert_eq!(state(&other, &ended), PodState::NotRunning);
        assert_eq!(super::state(&Pod::default()), PodState::NotRunning);
    }
}
