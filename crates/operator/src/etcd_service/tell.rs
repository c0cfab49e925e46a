//! Tells of the managed etcd: events of its `StatefulSet`, and a condition of the DataStores on it.

use std::time::Instant;

use anyhow::Result;
use api::DataStore;
use api::condition::{Holds, put, whole_seconds};
use desired::etcd_service::Report;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::Api;
use kube::api::ListParams;
use kubekit::{StatusError, replace_status};

use super::{KEEP_EVERY, Keeper};
pub(super) use crate::events::Notice;
use crate::events::publish_by;

/// The condition of a DataStore on the managed etcd.
const CONDITION: &str = "MembersHealthy";

impl Keeper<'_> {
    /// An event, and a line of the log.
    pub(super) async fn tell(&self, set: &StatefulSet, notice: Notice<'_>) {
        tracing::info!(etcd = self.etcd.name, reason = notice.reason, "{}", notice.note);
        publish_by(&self.recorder, set, notice).await;
    }

    /// Writes the report where it changed, or somebody has changed it.
    pub(super) async fn tell_report(&mut self, set: &StatefulSet, report: &Report) {
        let known = self.told.as_ref();
        let is_same = known.is_some_and(|(_, reason, message)| {
            (*reason, message.as_str()) == (report.reason, report.message.as_str())
        });
        if is_same && known.is_some_and(|(at, ..)| at.elapsed() < KEEP_EVERY) {
            return;
        }
        match self.write_condition(report).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::debug!("the condition {CONDITION} was not written, trying again: {error:#}");
                return;
            }
        }
        let is_new = known.is_some_and(|(_, reason, _)| *reason != report.reason);
        if is_new {
            let is_trouble = report.holds != Holds::True && report.reason != "MemberJoins";
            let (reason, note) = (report.reason, report.message.clone());
            self.tell(set, Notice { is_trouble, reason, action: "Look", note }).await;
        }
        self.told = Some((Instant::now(), report.reason, report.message.clone()));
    }

    /// Returns false if a store has no status yet that could be added to.
    async fn write_condition(&self, report: &Report) -> Result<bool> {
        let mut is_everywhere = true;
        let endpoint = self.etcd.client_endpoint();
        let stores: Api<DataStore> = Api::all(self.client.clone());
        for mut store in stores.list(&ListParams::default()).await? {
            if !store.spec.endpoints.contains(&endpoint) {
                continue;
            }
            // The store's own pass makes the status; this adds to it.
            let Some(status) = &mut store.status else {
                is_everywhere = false;
                continue;
            };
            let before = status.clone();
            let condition = Condition {
                type_: CONDITION.to_owned(),
                status: report.holds.as_str().to_owned(),
                reason: report.reason.to_owned(),
                message: report.message.clone(),
                observed_generation: store.metadata.generation,
                last_transition_time: Time(whole_seconds(self.clock.now())),
            };
            put(&mut status.conditions, condition);
            if *status == before {
                continue;
            }
            match replace_status(self.client, &store).await {
                Ok(_) | Err(StatusError::Gone { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(is_everywhere)
    }
}

/// A number of bytes for people.
pub(super) fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}
