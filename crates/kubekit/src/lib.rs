//! Kubernetes as our programs use it: one client builder, one apply function, one leader election,
//! one webhook host. Knows no rule of the product.

mod apply;
mod backoff;
mod cache;
mod client;
mod finalizers;
mod lease;
mod remote;
mod status;
mod subset;
mod take_over;
mod webhook;

pub use apply::{Applied, Applier, ApplyError, DESIRED_HASH_ANNOTATION};
pub use backoff::WatchBackoff;
pub use cache::{Filled, cached, cached_from, trimmed};
pub use client::{
    ClientError, Endpoint, client, client_for_kubeconfig, client_for_server, shared_client_for_kubeconfig,
};
pub use finalizers::{FinalizerError, has_finalizer, set_finalizers};
pub use lease::{ElectionSettings, Leadership, LeaseError, acquire};
pub use remote::{Remote, RemoteError, fingerprint, is_current};
pub use status::{StatusError, replace_status};
pub use subset::covers;
pub use webhook::{WebhookError, WebhookHost};
