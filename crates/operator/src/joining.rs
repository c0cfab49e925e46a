//! Reconciles `JoinToken`: the token stands in a Secret beside it and in the tenant's cluster while it may be
//! used. The requests of nodes that come with it are decided by the [`Approver`].

mod approver;
mod leftovers;
mod tenant_side;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use api::JoinToken;
use api::names::labels;
use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::Secret;
use kube::runtime::controller::{Action, Controller};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher;
use kube::{Api, ResourceExt};
use kubekit::{ApplyError, RemoteError, StatusError, WatchBackoff};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_stream::wrappers::UnboundedReceiverStream;

pub(crate) use approver::{Approver, DECIDE_WITHIN, REQUESTS, Round};

use crate::backups;
use crate::context::Context;
use crate::controllers::TenantRef;

/// How soon something that failed is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(2);
/// Secrets of kube-system, where tenants' clusters look for tokens.
const TENANT_SECRETS: &str = "/api/v1/namespaces/kube-system/secrets";

/// Why a token could not be reconciled, or a request not be decided; what the user can mend is said in the
/// status.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A finalizer or the status could not be written.
    #[error(transparent)]
    Object(#[from] backups::Error),
    /// The status could not be written.
    #[error(transparent)]
    Status(#[from] StatusError),
    /// The Secret that hands the token out could not be written.
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
    /// The tenant's API server refused or did not answer.
    #[error("the tenant's API server could not be used; if this lasts, look at its pod's log")]
    Remote(#[from] RemoteError),
    /// What the tenant's API server answered cannot be read.
    #[error("failed to read an object of the tenant's cluster")]
    Read(#[source] serde_json::Error),
    /// The certificate of the tenant's API server is not there.
    #[error(
        "the certificate of the API server is not there or cannot be read; see the conditions of the TenantControlPlane"
    )]
    Certificate,
    /// The tenant's cluster knows another token under the same public part.
    #[error("the public part of the token is taken in the tenant's cluster; another one is made")]
    Taken,
}

fn failed(action: &'static str) -> impl FnOnce(kube::Error) -> Error {
    move |source| Error::Cluster { action, source: Box::new(source) }
}

/// Runs the controller; `concerned` are control planes that changed or can be reached now. Ends only when a
/// watch ends, which does not happen in good order.
pub(crate) async fn run(context: Arc<Context>, concerned: UnboundedReceiver<TenantRef>) {
    let client = &context.client;
    let controller = Controller::new(Api::<JoinToken>::all(client.clone()), watcher::Config::default())
        .trigger_backoff(WatchBackoff::default())
        .owns(Api::<Secret>::all(client.clone()), watcher::Config::default().labels(labels::JOIN_TOKEN));
    let store = controller.store();
    let woken = UnboundedReceiverStream::new(concerned)
        .flat_map(move |tenant| stream::iter(tokens_of(&store, &tenant)));
    controller
        .reconcile_on(woken)
        .run(tokens::reconcile, retry, context.clone())
        .for_each(|item| {
            if let Err(error) = item {
                tracing::debug!(%error, "watch");
            }
            std::future::ready(())
        })
        .await;
}

fn tokens_of(store: &Store<JoinToken>, tenant: &TenantRef) -> Vec<ObjectRef<JoinToken>> {
    let is_for = |token: &&Arc<JoinToken>| {
        token.metadata.namespace == tenant.namespace && token.spec.tenant_control_plane == tenant.name
    };
    store.state().iter().filter(is_for).map(|token| ObjectRef::from_obj(token.as_ref())).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "the controller's signature")]
fn retry(token: Arc<JoinToken>, error: &Error, _: Arc<Context>) -> Action {
    let is_usual = match error {
        Error::Status(error) => matches!(error, StatusError::Stale { .. } | StatusError::Gone { .. }),
        Error::Object(error) => error.is_overtaken(),
        _ => false,
    };
    if !is_usual {
        let (namespace, name) = (token.namespace().unwrap_or_default(), token.name_any());
        tracing::warn!(namespace, name, error = error as &dyn std::error::Error, "retrying");
    }
    Action::requeue(TRY_AGAIN)
}
