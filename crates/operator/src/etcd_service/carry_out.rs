//! Carries out one step, and tells of it.

use anyhow::{Context as _, Result};
use datastore::EtcdMember;
use desired::etcd_service::{Action, Change, Member, Observed, entry, entry_name};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::Api;
use kube::api::DeleteParams;

use super::Keeper;
use super::tell::{Notice, mebibytes};

impl Keeper<'_> {
    /// Changes the membership by one step.
    pub(super) async fn change(
        &mut self,
        set: &StatefulSet,
        observed: &Observed,
        change: &Change,
    ) -> Result<()> {
        match change {
            Change::Tell(wanted) => {
                let maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), self.etcd.namespace);
                let live = maps.get_opt(&entry_name(self.etcd)).await?;
                self.applier.apply(&entry(self.etcd, wanted), live.as_ref()).await?;
                tracing::info!(?wanted, "told members without data who may start");
            }
            Change::Add { ordinal } => {
                self.leader(observed)?.add_learner(&self.etcd.peer_url(*ordinal)).await?;
                let note = format!("member {ordinal} may join; it receives the data before it has a vote");
                self.tell(set, Notice::good("MemberAdded", "Add", note)).await;
            }
            Change::Remove { id, ordinal, lost_its_data } => {
                self.leader(observed)?.remove(*id).await?;
                self.connections.remove(ordinal);
                let note = if *lost_its_data {
                    format!(
                        "member {ordinal} has lost its data; it is replaced by a new one with the same name"
                    )
                } else {
                    format!("member {ordinal} is not wanted any more")
                };
                self.tell(
                    set,
                    Notice { is_trouble: *lost_its_data, reason: "MemberRemoved", action: "Remove", note },
                )
                .await;
            }
            Change::Restart { ordinal } => {
                let pods: Api<Pod> = Api::namespaced(self.client.clone(), self.etcd.namespace);
                let deleted = pods.delete(&self.etcd.member_name(*ordinal), &DeleteParams::default()).await;
                match deleted {
                    Err(kube::Error::Api(status)) if status.is_not_found() => {}
                    other => other.map(|_| ()).context("start the pod again")?,
                }
            }
            Change::Promote { id, ordinal } => {
                if self.leader(observed)?.promote(*id).await? {
                    let note = format!("member {ordinal} has the data and a vote");
                    self.tell(set, Notice::good("MemberJoined", "Promote", note)).await;
                }
            }
        }
        Ok(())
    }

    /// Does something for space.
    pub(super) async fn act(&mut self, set: &StatefulSet, observed: &Observed, action: Action) -> Result<()> {
        match action {
            Action::Compact => {
                // Noted first: a compaction that fails is tried again after the pause, not at once.
                self.episode.compacted = Some(self.clock.now());
                self.episode.defragmented.clear();
                let note = "the quota is reached and writes are refused; the history is compacted and the \
                            members are defragmented";
                self.tell(
                    set,
                    Notice { is_trouble: true, reason: "NoSpace", action: "Compact", note: note.to_owned() },
                )
                .await;
                self.leader(observed)?.compact().await?;
            }
            Action::HandOver { from, to } => {
                self.connected(observed, from)?.hand_over(to).await?;
                tracing::info!(from, to, "handed over the lead before a defragmentation");
            }
            Action::Defragment { id, waste } => {
                self.episode.defragmented.insert(id);
                self.episode.last = Some(self.clock.now());
                self.connected(observed, id)?.defragment().await?;
                self.metrics.etcd.defragmented();
                let name = ordinal(observed, id).map_or_else(|| id.to_string(), |number| number.to_string());
                let note = format!("member {name} gave back about {}", mebibytes(waste));
                self.tell(set, Notice::good("Defragmented", "Defragment", note)).await;
            }
            Action::Disarm(alarm) => {
                self.leader(observed)?.disarm(alarm.member).await?;
                let note = "there is space again and writes are taken".to_owned();
                self.tell(set, Notice::good("SpaceFreed", "Disarm", note)).await;
            }
        }
        Ok(())
    }

    fn leader(&self, observed: &Observed) -> Result<EtcdMember> {
        let members = observed.members.iter().flatten();
        let leader = members.clone().find(|member| member.state.is_some_and(|state| state.leads));
        self.connected(observed, leader.context("no leader answers")?.id)
    }

    fn connected(&self, observed: &Observed, id: u64) -> Result<EtcdMember> {
        let number = ordinal(observed, id).context("the member is not the chart's")?;
        self.connections.get(&number).cloned().with_context(|| format!("no connection to member {number}"))
    }
}

fn ordinal(observed: &Observed, id: u64) -> Option<u32> {
    let is_it = |member: &&Member| member.id == id;
    observed.members.iter().flatten().find(is_it).and_then(|member| member.ordinal)
}
