//! Reconciles `TenantBackup`, `TenantRestore` and `TenantBackupSchedule`. The work itself is done by Jobs in the
//! tenants' namespaces, see [`crate::tasks`].

mod inputs;
mod jobs;
pub(crate) mod object;
mod restoring;
mod scheduling;
mod taking;

use std::sync::Arc;
use std::time::Duration;

use api::{TenantBackup, TenantBackupSchedule, TenantRestore};
use futures::{FutureExt, Stream, StreamExt};
use k8s_openapi::api::batch::v1::Job;
use kube::runtime::controller::{Action, Controller};
use kube::runtime::watcher;
use kube::{Api, Client, ResourceExt};
use kubekit::{FinalizerError, StatusError, WatchBackoff};

use crate::context::Context;

/// How soon something that is under way is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// Selects the Jobs.
const JOBS: &str = "flotilla.dev/backup-task";

/// Why an object could not be reconciled; everything else is said in its status.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The status could not be written.
    #[error(transparent)]
    Status(#[from] StatusError),
    /// A finalizer could not be changed.
    #[error(transparent)]
    Finalizer(#[from] FinalizerError),
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

impl Error {
    /// Whether somebody else was faster, which the next pass sees.
    pub(crate) fn is_overtaken(&self) -> bool {
        matches!(
            self,
            Self::Status(StatusError::Stale { .. } | StatusError::Gone { .. })
                | Self::Finalizer(FinalizerError::Stale { .. })
        )
    }
}

/// What hinders a backup or a restore now: a reason in one word, and a message with the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hindrance {
    reason: &'static str,
    message: String,
}

impl Hindrance {
    fn new(reason: &'static str, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
}

/// Runs the three controllers; ends only when a watch ends, which does not happen in good order.
pub(crate) async fn run(context: Arc<Context>) {
    let client = &context.client;
    let backups = controller::<TenantBackup>(client)
        .owns(Api::<Job>::all(client.clone()), watcher::Config::default().labels(JOBS))
        .run(taking::reconcile, retry, context.clone());
    let restores = controller::<TenantRestore>(client)
        .owns(Api::<Job>::all(client.clone()), watcher::Config::default().labels(JOBS))
        .run(restoring::reconcile, retry, context.clone());
    let schedules =
        controller::<TenantBackupSchedule>(client).run(scheduling::reconcile, retry, context.clone());
    futures::select! {
        () = drain(backups).fuse() => {}
        () = drain(restores).fuse() => {}
        () = drain(schedules).fuse() => {}
    }
}

fn controller<K>(client: &Client) -> Controller<K>
where
    K: kube::Resource<DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned
        + Send
        + Sync
        + 'static,
{
    Controller::new(Api::<K>::all(client.clone()), watcher::Config::default())
        .trigger_backoff(WatchBackoff::default())
}

async fn drain<T, E: std::fmt::Display>(stream: impl Stream<Item = Result<T, E>>) {
    stream
        .for_each(|item| {
            if let Err(error) = item {
                tracing::debug!(%error, "watch");
            }
            std::future::ready(())
        })
        .await;
}

#[expect(clippy::needless_pass_by_value, reason = "the controller's signature")]
fn retry<K: ResourceExt>(object: Arc<K>, error: &Error, _: Arc<Context>) -> Action {
    if !error.is_overtaken() {
        let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
        tracing::warn!(namespace, name, error = error as &dyn std::error::Error, "retrying");
    }
    Action::requeue(LOOK_AGAIN)
}

fn failed(action: &'static str) -> impl FnOnce(kube::Error) -> Error {
    move |source| Error::Cluster { action, source: Box::new(source) }
}
