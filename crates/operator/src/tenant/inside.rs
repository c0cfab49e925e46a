//! What stands in the tenant's own cluster: brought about while pods are ready, watched while they are.

mod administrator;
mod bring_about;
mod known;
mod namespaces;
mod requests;
mod sessions;
mod watches;
mod webhook;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use api::TenantControlPlane;
use api::names::annotations;
use desired::data_store::DataStoreMaterial;
use desired::hub::Trust;
use desired::inside::{Inputs, LiveDns};
use desired::{Endpoint, Inside, TenantOutcome, Validated};
use kube::ResourceExt;
use kubekit::{ClientError, RemoteError};

use super::pass::Pass;
use crate::context::Context;
use crate::controllers::TenantRef;
use crate::data_stores::chain;
use bring_about::Wish;
pub(crate) use sessions::Sessions;
use sessions::{Access, Session};

/// Key of the administrator's Secret by which the tenant is reached.
const DEFAULT_KEY: &str = "super-admin.conf";
/// Key of the kubeconfig from which workers learn address and authority.
const PUBLIC_KEY: &str = "admin.conf";

/// Why nothing could be done in a tenant's cluster.
#[derive(Debug, thiserror::Error)]
pub(super) enum InsideError {
    /// The Secret has no such kubeconfig.
    #[error(
        "the administrator's Secret has no key `{key}`; mend the annotation {}",
        annotations::KUBECONFIG_SECRET_KEY
    )]
    Key {
        /// Key that was asked for.
        key: String,
    },
    /// No client could be made from the kubeconfig.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The operator's own webhook is not set up.
    #[error(transparent)]
    Webhook(#[from] webhook::WebhookError),
    /// The tenant's API server refused or did not answer.
    #[error("the tenant's API server could not be used: {}; if this lasts, look at its pod's log", chain(.0))]
    Remote(RemoteError),
}

/// Brings about what shall stand in the tenant's cluster, once a pod is ready; until then nothing is
/// asked of it.
pub(super) async fn prepare(
    pass: &mut Pass,
    tenant: &TenantControlPlane,
    validated: &Validated,
    endpoint: &Endpoint,
    store: &DataStoreMaterial,
    context: &Context,
) {
    if !has_ready_pod(pass) {
        context.sessions.end(&tenant.uid().unwrap_or_default());
        return;
    }
    pass.tenant = match Box::pin(bring_about(pass, tenant, validated, endpoint, store, context)).await {
        Ok(inside) => TenantOutcome::Done(inside),
        Err(error) => TenantOutcome::Failed { message: chain(&error) },
    };
}

/// Refuses all writes in the tenant's cluster from now on, until an ordinary pass takes that back.
pub(super) async fn freeze(
    pass: &Pass,
    tenant: &TenantControlPlane,
    validated: &Validated,
    endpoint: &Endpoint,
    context: &Context,
) -> Result<(), InsideError> {
    let session = session(pass, tenant, validated, endpoint, context).await?;
    let object = desired::inside::freeze(&webhook::of(context).await?);
    bring_about::hold(&session, &object).await.map_err(InsideError::Remote)
}

async fn bring_about(
    pass: &Pass,
    tenant: &TenantControlPlane,
    validated: &Validated,
    endpoint: &Endpoint,
    store: &DataStoreMaterial,
    context: &Context,
) -> Result<Inside, InsideError> {
    let session = session(pass, tenant, validated, endpoint, context).await?;
    let is_limited =
        validated.spec().write_permissions.as_ref().is_some_and(api::WritePermissions::is_limited);
    let webhook = if is_limited { webhook::of(context).await? } else { desired::inside::Webhook::default() };
    let kubeconfig = kubeconfig(pass, PUBLIC_KEY)?;
    // Groups that another issuer may assert have no rights.
    let rights = match Trust::of(validated) {
        Trust::Given(_) => context.hub.rights(validated.namespace(), validated.name()).await,
        Trust::Unasked | Trust::Refused(_) => None,
    };
    let (dns, namespaces) = (LiveDns::default(), BTreeSet::new());
    let inputs = Inputs {
        endpoint,
        kubeconfig,
        store,
        webhook: &webhook,
        dns: &dns,
        rights: rights.as_ref(),
        namespaces: &namespaces,
    };
    let wish = Wish { validated, inputs };
    let (wished, is_refused) =
        bring_about::bring_about(&session, &wish).await.map_err(InsideError::Remote)?;
    Ok(Inside { join_checksum: wished.join_checksum, faults: wished.faults, is_refused })
}

/// The session with the tenant, over its Service.
async fn session(
    pass: &Pass,
    tenant: &TenantControlPlane,
    validated: &Validated,
    endpoint: &Endpoint,
    context: &Context,
) -> Result<Arc<Session>, InsideError> {
    let key = tenant.annotations().get(annotations::KUBECONFIG_SECRET_KEY);
    let host = endpoint.service_ip.map_or_else(
        || validated.service_host(),
        |address| match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        },
    );
    let access = Access {
        kubeconfig: kubeconfig(pass, key.map_or(DEFAULT_KEY, String::as_str))?.to_owned(),
        url: format!("https://{host}:{}", validated.port()),
        server_name: validated.service_host(),
    };
    let uid = tenant.uid().unwrap_or_default();
    let living = || context.caches.tenants.state().iter().filter_map(|tenant| tenant.uid()).collect();
    Ok(context.sessions.with(&uid, TenantRef::from_obj(tenant), access, living).await?)
}

fn kubeconfig<'a>(pass: &'a Pass, key: &str) -> Result<&'a str, InsideError> {
    let found = pass.credentials.as_ref().and_then(|credentials| credentials.admin_kubeconfig(key));
    found.ok_or_else(|| InsideError::Key { key: key.to_owned() })
}

fn has_ready_pod(pass: &Pass) -> bool {
    let status = pass.deployment.as_ref().and_then(|deployment| deployment.status.as_ref());
    status.and_then(|status| status.ready_replicas).unwrap_or_default() > 0
}

#[cfg(test)]
mod tests;
