//! Reconciles `ClusterTransfer`: a control plane goes on in the namespace of another tenant, or stays as it was.

mod advance;
mod ends;
mod luggage;

use std::sync::Arc;
use std::time::Duration;

use api::condition::{put, whole_seconds};
use api::names::finalizers;
use api::{ClusterTransfer, ClusterTransferStatus};
use desired::backups::condition;
use futures::StreamExt;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::ListParams;
use kube::runtime::controller::{Action, Controller};
use kube::runtime::watcher;
use kube::{Api, Client, ResourceExt};
use kubekit::{
    ApplyError, FinalizerError, StatusError, WatchBackoff, has_finalizer, replace_status, set_finalizers,
};

use crate::context::Context;
use crate::events::{Notice, publish};

/// How soon a transfer that is under way is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Why a transfer could not be reconciled; everything else is said in its status.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The status could not be written.
    #[error(transparent)]
    Status(#[from] StatusError),
    /// A finalizer could not be changed.
    #[error(transparent)]
    Finalizer(#[from] FinalizerError),
    /// A Secret could not be brought.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// The management cluster refused or did not answer.
    #[error("failed to {action}")]
    Cluster {
        /// What was tried.
        action: &'static str,
        /// The API server's reason.
        #[source]
        source: Box<kube::Error>,
    },
}

fn failed(action: &'static str) -> impl FnOnce(kube::Error) -> Error {
    move |source| Error::Cluster { action, source: Box::new(source) }
}

/// What a pass came to.
enum Step {
    /// It goes on, and is at what the reason and the message say.
    Waits(&'static str, String),
    /// It is done.
    Done(String),
    /// It cannot be done, and everything is as it was.
    Failed(String),
}

/// All transfers as the API server knows them; none on a cluster that does not know the kind yet.
pub(crate) async fn all(client: &Client) -> Result<Vec<ClusterTransfer>, kube::Error> {
    match Api::<ClusterTransfer>::all(client.clone()).list(&ListParams::default()).await {
        Ok(list) => Ok(list.items),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Whether a transfer has given what the control plane with a UID had in its store to another one.
pub(crate) fn has_given_away(transfer: &ClusterTransfer, uid: &str) -> bool {
    let status = transfer.status.as_ref();
    status.is_some_and(|status| status.handed_over && status.source_uid.as_deref() == Some(uid))
}

/// Whether a transfer has ended, well or badly.
pub(crate) fn has_ended(transfer: &ClusterTransfer) -> bool {
    transfer.status.as_ref().is_some_and(|status| status.completed_at.is_some())
}

/// Runs the controller; ends only when the watch ends, which does not happen in good order.
pub(crate) async fn run(context: Arc<Context>) {
    let transfers = Api::<ClusterTransfer>::all(context.client.clone());
    let controller =
        Controller::new(transfers, watcher::Config::default()).trigger_backoff(WatchBackoff::default());
    let passes = controller.run(reconcile, retry, context);
    passes
        .for_each(|item| {
            if let Err(error) = item {
                tracing::debug!(%error, "watch");
            }
            std::future::ready(())
        })
        .await;
}

#[expect(clippy::needless_pass_by_value, reason = "the controller's signature")]
fn retry(transfer: Arc<ClusterTransfer>, error: &Error, _: Arc<Context>) -> Action {
    let is_overtaken = matches!(
        error,
        Error::Status(StatusError::Stale { .. } | StatusError::Gone { .. })
            | Error::Finalizer(FinalizerError::Stale { .. })
    );
    if !is_overtaken {
        tracing::warn!(transfer = transfer.name_any(), error = error as &dyn std::error::Error, "retrying");
    }
    Action::requeue(LOOK_AGAIN)
}

async fn reconcile(transfer: Arc<ClusterTransfer>, context: Arc<Context>) -> Result<Action, Error> {
    context.caches.filled().await;
    let is_held = has_finalizer(transfer.as_ref(), finalizers::TRANSFER);
    if has_ended(&transfer) {
        if is_held {
            hold(&transfer, false, &context).await?;
        }
        return Ok(Action::await_change());
    }
    let is_leaving = transfer.metadata.deletion_timestamp.is_some();
    if !is_held {
        if !is_leaving {
            // The change brings the next pass.
            hold(&transfer, true, &context).await?;
        }
        return Ok(Action::await_change());
    }
    let now = context.clock.now();
    let mut status = transfer.status.clone().unwrap_or_default();
    status.observed_generation = transfer.metadata.generation;
    status.started_at.get_or_insert(Time(whole_seconds(now)));
    let step = if is_leaving && !status.handed_over {
        Step::Failed("it was deleted before the control plane was handed over".to_owned())
    } else {
        Box::pin(advance::advance(&transfer, &mut status, &context)).await?
    };
    if matches!(step, Step::Failed(_)) {
        Box::pin(ends::undo(&transfer, &status, &context)).await?;
    }
    let again = conclude(&transfer, &mut status, step, now);
    tell(&transfer, &status, &context).await;
    if transfer.status.as_ref() != Some(&status) {
        let changed = ClusterTransfer { status: Some(status), ..transfer.as_ref().clone() };
        replace_status(&context.client, &changed).await?;
    }
    Ok(again)
}

async fn hold(transfer: &ClusterTransfer, is_wanted: bool, context: &Context) -> Result<(), Error> {
    let api = Api::<ClusterTransfer>::all(context.client.clone());
    let ours = [finalizers::TRANSFER];
    Ok(set_finalizers(&api, transfer, &ours, if is_wanted { &ours } else { &[] }).await?)
}

fn conclude(
    transfer: &ClusterTransfer,
    status: &mut ClusterTransferStatus,
    step: Step,
    now: Timestamp,
) -> Action {
    let (holds, reason, message, again) = match step {
        Step::Waits(reason, message) => (false, reason, message, Action::requeue(LOOK_AGAIN)),
        Step::Failed(message) => (false, "Failed", message, Action::await_change()),
        Step::Done(message) => (true, "Completed", message, Action::await_change()),
    };
    if holds || reason == "Failed" {
        status.completed_at = Some(Time(whole_seconds(now)));
    }
    let generation = transfer.metadata.generation;
    put(&mut status.conditions, condition("Completed", Some(holds), reason, message, generation, now));
    again
}

async fn tell(transfer: &ClusterTransfer, status: &ClusterTransferStatus, context: &Context) {
    let said = status.conditions.iter().find(|found| found.type_ == "Completed");
    let Some(said) = said.filter(|_| status.completed_at.is_some()) else { return };
    let is_trouble = said.status != "True";
    let reason = if is_trouble { "TransferFailed" } else { "TransferCompleted" };
    publish(context, transfer, Notice { is_trouble, reason, action: "Transfer", note: said.message.clone() })
        .await;
}
