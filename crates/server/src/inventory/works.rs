//! What works on a control plane, and what its row says of that: a restore, a transfer.

use api::names::annotations;
use api::{ClusterTransfer, TenantControlPlane, TenantRestore};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt;

use super::row::RowCondition;

/// State of a hosted cluster that gets its contents.
pub(super) const RESTORING: &str = "Restoring";
/// State of one that did not get them.
pub(super) const RESTORE_FAILED: &str = "RestoreFailed";

/// State of one that is on its way to another tenant, at both ends.
pub(super) const TRANSFERRING: &str = "Transferring";

/// What works on a control plane.
#[derive(Clone, Copy, Default)]
pub(crate) struct Works<'a> {
    /// The restore that holds it.
    pub(crate) restore: Option<&'a TenantRestore>,
    /// The transfer that holds it, or the last one.
    pub(crate) transfer: Option<&'a ClusterTransfer>,
}

impl Works<'_> {
    /// The state of a control plane that is in `state` by itself, and what is said of the work.
    pub(super) fn told<'a>(
        self,
        control_plane: &TenantControlPlane,
        state: &'a str,
    ) -> (&'a str, Option<RowCondition>) {
        let annotations = control_plane.annotations();
        if let Some(holder) = annotations.get(annotations::HOLD) {
            let (state, said) = held(holder, self.restore);
            return (state, Some(said));
        }
        let keys = [annotations::GIVEN_AWAY_BY, annotations::AWAITED_BY];
        if let Some(holder) = keys.into_iter().find_map(|key| annotations.get(key)) {
            return (TRANSFERRING, Some(transferring(holder, self.transfer)));
        }
        (state, self.transfer.and_then(failed))
    }
}

/// What is said of a control plane whose pods a restore keeps from running.
fn held(holder: &str, restore: Option<&TenantRestore>) -> (&'static str, RowCondition) {
    let status = restore.and_then(|restore| restore.status.as_ref());
    let said = status.and_then(|status| status.conditions.iter().find(|known| known.type_ == "Completed"));
    let (reason, message) = match (restore, said) {
        (_, Some(said)) => (said.reason.clone(), said.message.clone()),
        (Some(_), None) => ("Waiting".to_owned(), format!("TenantRestore `{holder}` has not begun")),
        (None, None) => {
            let message = format!(
                "it is held for TenantRestore `{holder}`, which is not there: create it, or take away annotation {} to \
                 let it run as it is",
                annotations::HOLD
            );
            ("RestoreNotFound".to_owned(), message)
        }
    };
    let has_failed = status.is_some_and(|status| status.completed_at.is_some())
        && said.is_some_and(|said| said.status != "True");
    let state = if has_failed { RESTORE_FAILED } else { RESTORING };
    (state, RowCondition { kind: "Restored".to_owned(), status: "False".to_owned(), reason, message })
}

/// What is said of a control plane that a transfer holds.
fn transferring(holder: &str, transfer: Option<&ClusterTransfer>) -> RowCondition {
    let said = transfer.and_then(completed);
    let (reason, message) = match (transfer, said) {
        (_, Some(said)) => (said.reason.clone(), said.message.clone()),
        (Some(_), None) => ("Waiting".to_owned(), format!("ClusterTransfer `{holder}` has not begun")),
        (None, None) => {
            let message = format!(
                "it is held for ClusterTransfer `{holder}`, which is not there: take away its annotations {} and {} to \
                 let it run as it is",
                annotations::GIVEN_AWAY_BY,
                annotations::AWAITED_BY
            );
            ("TransferNotFound".to_owned(), message)
        }
    };
    RowCondition { kind: "Transferred".to_owned(), status: "False".to_owned(), reason, message }
}

/// What is said of a control plane that could not be given away.
fn failed(transfer: &ClusterTransfer) -> Option<RowCondition> {
    let has_ended = transfer.status.as_ref()?.completed_at.is_some();
    let said = completed(transfer).filter(|said| has_ended && said.status != "True")?;
    Some(RowCondition {
        kind: "Transferred".to_owned(),
        status: "False".to_owned(),
        reason: said.reason.clone(),
        // Which one failed: another one may have been begun since.
        message: format!("ClusterTransfer `{}`: {}", transfer.name_any(), said.message),
    })
}

fn completed(transfer: &ClusterTransfer) -> Option<&Condition> {
    transfer.status.as_ref()?.conditions.iter().find(|known| known.type_ == "Completed")
}
