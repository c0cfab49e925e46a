//! One pass over a `JoinToken`.

use std::sync::Arc;
use std::time::Duration;

use api::condition::{put, whole_seconds};
use api::names::{Component, finalizers};
use api::{JoinToken, JoinTokenStatus, TenantControlPlane};
use desired::backups::condition;
use desired::joining::{Join, Phase, Token, expires_at, is_own_secret, phase, secret, secret_name};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::runtime::controller::Action;
use kube::{Api, ResourceExt};
use kubekit::{Remote, StatusError, has_finalizer, replace_status};

use super::{Error, TRY_AGAIN, failed, tenant_side};
use crate::backups::object;
use crate::caches::Caches;
use crate::context::Context;
use crate::events::{Notice, publish};

/// How long a deletion tries to take the token back from a tenant that does not answer. What is left there
/// is refused by then, ends by itself, and is removed when the tenant is reached again.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_secs(30);
/// Key of the kubeconfig from which workers learn address and authority.
const PUBLIC_KEY: &str = "admin.conf";

/// What a pass found: whether workers can join, why, and what to do.
struct Stands {
    holds: bool,
    reason: &'static str,
    message: String,
    token_id: Option<String>,
    has_secret: bool,
    again: Option<Duration>,
}

pub(super) async fn reconcile(token: Arc<JoinToken>, context: Arc<Context>) -> Result<Action, Error> {
    context.caches.filled().await;
    if token.metadata.deletion_timestamp.is_some() {
        return revoke(&token, &context).await;
    }
    if !has_finalizer(token.as_ref(), finalizers::JOIN_TOKEN) {
        // The change brings the next pass.
        object::set_finalizer(token.as_ref(), finalizers::JOIN_TOKEN, true, &context.client).await?;
        return Ok(Action::await_change());
    }
    let now = context.clock.now();
    let stands = match phase(&token, now) {
        Phase::Active { until } => Box::pin(hand_out(&token, until, &context, now)).await?,
        Phase::UsedUp { withdraw_at } => use_up(&token, withdraw_at, &context, now).await?,
        Phase::Expired => expire(&token, &context).await?,
    };
    let again = stands.again.map_or_else(Action::await_change, Action::requeue);
    write_status(&token, stands, &context, now).await?;
    Ok(again)
}

/// The token is in its Secret, and in the tenant's cluster.
async fn hand_out(
    token: &JoinToken,
    until: Timestamp,
    context: &Context,
    now: Timestamp,
) -> Result<Stands, Error> {
    let existing = existing_secret(token, context).await?;
    let (tenant, remote) = match reach(token, context) {
        Ok(found) => found,
        Err(mut stands) => {
            stands.has_secret = existing.is_some_and(|found| is_own_secret(&found, token));
            stands.again = Some(until_then(until, now));
            return Ok(stands);
        }
    };
    if existing.as_ref().is_some_and(|found| !is_own_secret(found, token)) {
        let name = secret_name(token);
        let message =
            format!("the Secret `{name}` belongs to something else; create a JoinToken of another name");
        return Ok(Stands::failing(token, "SecretTaken", message, Some(until_then(until, now))));
    }
    let kept = existing.as_ref().and_then(Join::read).map(|join| join.token);
    let known = kept.unwrap_or_else(|| Token::from_random(random()));
    let join = match join(&tenant, known, context) {
        Ok(join) => join,
        Err(message) => return Ok(Stands::failing(token, "ControlPlaneNotReady", message, Some(TRY_AGAIN))),
    };
    context.applier.apply(&secret(token, &join), existing.as_ref()).await?;
    announce(token, join.token.id(), &remote, context).await?;
    match tenant_side::bring(&remote, token, &join.token, until).await {
        Ok(()) => {}
        Err(Error::Taken) => {
            context.applier.delete(&secret(token, &join)).await.map_err(failed("delete a Secret"))?;
            return Err(Error::Taken);
        }
        Err(error) => return Err(error),
    }
    let uses = token.status.as_ref().map_or(0, |status| status.uses);
    let joined = match token.spec.max_uses {
        Some(most) => format!("{uses} of {most} nodes have joined"),
        None => format!("{uses} nodes have joined"),
    };
    Ok(Stands {
        holds: true,
        reason: "Active",
        message: format!(
            "workers join with the command in the Secret `{}` until {}; {joined}",
            secret_name(token),
            whole_seconds(until)
        ),
        token_id: Some(join.token.id().to_owned()),
        has_secret: true,
        again: Some(until_then(until, now)),
    })
}

/// Says the public part before the tenant's cluster knows the token, so that a request that comes with it
/// finds its `JoinToken`; a token that it replaces is taken back.
async fn announce(
    token: &JoinToken,
    token_id: &str,
    remote: &Remote,
    context: &Context,
) -> Result<(), Error> {
    let said = token.status.as_ref().and_then(|status| status.token_id.as_deref());
    if said == Some(token_id) {
        return Ok(());
    }
    if let Some(replaced) = said {
        tenant_side::take_back(remote, token, replaced).await?;
    }
    let mut status = token.status.clone().unwrap_or_default();
    status.token_id = Some(token_id.to_owned());
    let changed = JoinToken { status: Some(status), ..token.clone() };
    replace_status(&context.client, &changed).await?;
    // What follows is written from the object's newest state, by the pass that this change brings.
    Err(StatusError::Stale { name: token.name_any() }.into())
}

/// As many nodes as may have joined: nobody gets the token any more, and the tenant's cluster forgets it as
/// soon as the last node has its certificate.
async fn use_up(
    token: &JoinToken,
    withdraw_at: Timestamp,
    context: &Context,
    now: Timestamp,
) -> Result<Stands, Error> {
    remove_secret(token, context).await?;
    let token_id = token.status.as_ref().and_then(|status| status.token_id.as_deref());
    if let (Ok((_, remote)), Some(token_id)) = (reach(token, context), token_id) {
        if now >= withdraw_at {
            tenant_side::take_back(&remote, token, token_id).await?;
        } else {
            tenant_side::shorten(&remote, token, token_id, withdraw_at).await?;
        }
    }
    let most = token.spec.max_uses.unwrap_or_default();
    let message = format!("{most} of {most} nodes have joined; create another JoinToken for more");
    let again = if now >= withdraw_at { expires_at(token) } else { withdraw_at };
    Ok(Stands::failing(token, "UsedUp", message, Some(until_then(again, now))))
}

/// The tenant's cluster refuses the token by itself from now on; it is taken back as far as it answers.
async fn expire(token: &JoinToken, context: &Context) -> Result<Stands, Error> {
    remove_secret(token, context).await?;
    let token_id = token.status.as_ref().and_then(|status| status.token_id.as_deref());
    if let (Ok((_, remote)), Some(token_id)) = (reach(token, context), token_id) {
        tenant_side::take_back(&remote, token, token_id).await?;
    }
    let message = format!(
        "the token expired at {}; nodes that joined stay; create another JoinToken for more",
        whole_seconds(expires_at(token))
    );
    Ok(Stands::failing(token, "Expired", message, None))
}

/// Takes the token back and lets the object go; what the tenant's cluster answers delays that a little only.
async fn revoke(token: &JoinToken, context: &Context) -> Result<Action, Error> {
    if !has_finalizer(token, finalizers::JOIN_TOKEN) {
        return Ok(Action::await_change());
    }
    if let Err(error) = take_back(token, context).await {
        let begun = token.metadata.deletion_timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0);
        if context.clock.now().duration_since(begun) < GIVE_UP_AFTER {
            return Err(error);
        }
        let (namespace, name) = (token.namespace().unwrap_or_default(), token.name_any());
        let error = &error as &dyn std::error::Error;
        tracing::warn!(namespace, name, error, "deleted while the tenant's cluster still knows the token");
    }
    remove_secret(token, context).await?;
    object::set_finalizer(token, finalizers::JOIN_TOKEN, false, &context.client).await?;
    Ok(Action::await_change())
}

async fn take_back(token: &JoinToken, context: &Context) -> Result<(), Error> {
    let Ok((_, remote)) = reach(token, context) else { return Ok(()) };
    let said = token.status.as_ref().and_then(|status| status.token_id.clone());
    let kept = existing_secret(token, context).await?.filter(|found| is_own_secret(found, token));
    let kept = kept.as_ref().and_then(Join::read).map(|join| join.token.id().to_owned());
    for token_id in said.into_iter().chain(kept) {
        tenant_side::take_back(&remote, token, &token_id).await?;
    }
    Ok(())
}

/// The control plane and the session with it, or what hinders.
fn reach(token: &JoinToken, context: &Context) -> Result<(Arc<TenantControlPlane>, Remote), Stands> {
    let name = &token.spec.tenant_control_plane;
    let namespace = token.namespace().unwrap_or_default();
    let Some(tenant) = Caches::find(&context.caches.tenants, &namespace, name) else {
        let message = format!(
            "there is no TenantControlPlane `{name}` in this namespace; create it, or delete this JoinToken"
        );
        return Err(Stands::failing(token, "ControlPlaneNotFound", message, None));
    };
    let session = context.sessions.joinable(&tenant.uid().unwrap_or_default());
    let Some(remote) = session.filter(|_| tenant.metadata.deletion_timestamp.is_none()) else {
        let message = format!(
            "the TenantControlPlane `{name}` is not ready; the token is made as soon as it is, see its conditions"
        );
        return Err(Stands::failing(token, "ControlPlaneNotReady", message, None));
    };
    Ok((tenant, remote))
}

/// What workers need; address and authority are those of the tenant's cluster-info.
fn join(tenant: &TenantControlPlane, token: Token, context: &Context) -> Result<Join, String> {
    let name = Component::AdminKubeconfig.object_name(&tenant.name_any());
    let secret = Caches::find(&context.caches.secrets, &tenant.namespace().unwrap_or_default(), &name);
    let text = secret.as_ref().and_then(|secret| secret.data.as_ref()?.get(PUBLIC_KEY));
    let text = text.and_then(|text| std::str::from_utf8(&text.0).ok());
    let unread = |error: String| {
        format!(
            "the administrator's kubeconfig cannot be read: {error}; delete the Secret `{name}` to have it made anew"
        )
    };
    let read =
        pki::KubeconfigContents::read(text.unwrap_or_default()).map_err(|error| unread(error.to_string()))?;
    let ca_cert_hash =
        pki::public_key_pin(&read.certificate_authority).map_err(|error| unread(error.to_string()))?;
    let endpoint = read.server.trim_start_matches("https://").trim_end_matches('/').to_owned();
    Ok(Join { endpoint, token, ca_cert_hash, version: tenant.spec.kubernetes.version.clone() })
}

async fn existing_secret(token: &JoinToken, context: &Context) -> Result<Option<Secret>, Error> {
    let secrets: Api<Secret> =
        Api::namespaced(context.client.clone(), &token.namespace().unwrap_or_default());
    secrets.get_opt(&secret_name(token)).await.map_err(failed("read the token's Secret"))
}

async fn remove_secret(token: &JoinToken, context: &Context) -> Result<(), Error> {
    let existing = existing_secret(token, context).await?.filter(|found| is_own_secret(found, token));
    match existing {
        Some(found) => context.applier.delete(&found).await.map_err(failed("delete the token's Secret")),
        None => Ok(()),
    }
}

async fn write_status(
    token: &JoinToken,
    stands: Stands,
    context: &Context,
    now: Timestamp,
) -> Result<(), Error> {
    let before = token.status.clone().unwrap_or_default();
    let status = status(token, &before, &stands, now);
    if token.status.as_ref() == Some(&status) {
        return Ok(());
    }
    let changed = JoinToken { status: Some(status), ..token.clone() };
    object::write_status(&changed, &context.client).await?;
    if reason(&before) != Some(stands.reason) {
        let notice =
            Notice { is_trouble: false, reason: stands.reason, action: "Reconcile", note: stands.message };
        publish(context, &changed, notice).await;
    }
    Ok(())
}

fn status(token: &JoinToken, before: &JoinTokenStatus, stands: &Stands, now: Timestamp) -> JoinTokenStatus {
    let generation = token.metadata.generation;
    let mut status = JoinTokenStatus {
        observed_generation: generation,
        token_id: stands.token_id.clone(),
        expires_at: Some(Time(whole_seconds(expires_at(token)))),
        secret_name: stands.has_secret.then(|| secret_name(token)),
        ..before.clone()
    };
    let said = condition("Ready", Some(stands.holds), stands.reason, &stands.message, generation, now);
    put(&mut status.conditions, said);
    status
}

fn reason(status: &JoinTokenStatus) -> Option<&str> {
    status.conditions.iter().find(|found| found.type_ == "Ready").map(|found| found.reason.as_str())
}

impl Stands {
    /// Workers cannot join.
    fn failing(token: &JoinToken, reason: &'static str, message: String, again: Option<Duration>) -> Self {
        let token_id = token.status.as_ref().and_then(|status| status.token_id.clone());
        Self { holds: false, reason, message, token_id, has_secret: false, again }
    }
}

fn until_then(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or_default().max(Duration::from_millis(100))
}

fn random() -> [u128; 2] {
    [uuid::Uuid::new_v4().as_u128(), uuid::Uuid::new_v4().as_u128()]
}
