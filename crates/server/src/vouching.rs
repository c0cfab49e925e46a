//! Whether the provider of a session still vouches: asked anew while the session is in use, before anything is decided.

use std::sync::Arc;
use std::time::Duration;

use api::IdentityProvider;
use authn::{Freshness, ProviderError, SignedIn};
use jiff::SignedDuration;
use kube::ResourceExt;
use records::{Session, Voucher};

use crate::hub::Hub;
use crate::opening::{purpose, sealed};
use crate::problem::Problem;
use crate::providers::{self, LOCAL, may_vouch};

/// How long one question to a provider may take.
const LASTS: SignedDuration = SignedDuration::from_secs(30);
/// How soon one that did not answer is asked again.
const PAUSE: SignedDuration = SignedDuration::from_secs(10);
/// How often it is looked whether another request has the answer.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What a session is worth.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Groups as grants name them.
    pub(crate) groups: Vec<String>,
    /// The tenant that the provider is of: what the session may do ends there.
    pub(crate) within: Option<String>,
}

/// What a session is worth now; nothing if it has ended.
pub(crate) async fn standing(hub: &Hub, session: &Session) -> Result<Option<Standing>, Problem> {
    if session.provider == LOCAL {
        return Ok(Some(Standing::default()));
    }
    let provider = providers::find(hub, &session.provider);
    let Some(provider) =
        provider.filter(|provider| may_vouch(&provider.spec, &session.user, &hub.index.now()))
    else {
        hub.records.sessions().end(&session.id).await?;
        return Ok(None);
    };
    let Some(groups) = groups(hub, session, &provider).await? else { return Ok(None) };
    let groups = groups.into_iter().map(|group| format!("{}:{group}", session.provider)).collect();
    Ok(Some(Standing { groups, within: provider.spec.tenant.clone() }))
}

/// Groups that count; nothing if the session has ended.
async fn groups(
    hub: &Hub,
    session: &Session,
    provider: &Arc<IdentityProvider>,
) -> Result<Option<Vec<String>>, Problem> {
    let (now, vouchers) = (hub.now(), hub.records.vouchers());
    let Some(voucher) = vouchers.find(&session.voucher).await? else { return Ok(Some(Vec::new())) };
    let every = SignedDuration::from_secs(hub.settings.provider_check_seconds.into());
    let freshness = Freshness::of(voucher.checked, every, now);
    let as_they_are = || if freshness == Freshness::Overdue { Vec::new() } else { session.groups.clone() };
    let can_ask = provider.spec.ldap.is_some() || !voucher.refresh_token.is_empty();
    if freshness == Freshness::Fresh || !can_ask {
        return Ok(Some(as_they_are()));
    }
    if vouchers.claim(&session.voucher, LASTS, PAUSE, now).await? {
        let asking = ask(hub.clone(), session.clone(), provider.clone(), voucher);
        // A request that is given up does not lose the answer, and with it the next refresh token.
        let asked = tokio::spawn(asking).await.map_err(|error| Problem::internal(&error))?;
        return match asked? {
            Ok(groups) => Ok(Some(groups)),
            Err(ProviderError::Gone) => Ok(None),
            Err(_) => Ok(Some(as_they_are())),
        };
    }
    if freshness == Freshness::Overdue { another_asks(hub, session).await } else { Ok(Some(as_they_are())) }
}

/// Asks the provider and keeps what it answers.
async fn ask(
    hub: Hub,
    session: Session,
    provider: Arc<IdentityProvider>,
    voucher: Voucher,
) -> Result<Result<Vec<String>, ProviderError>, Problem> {
    let (id, vouchers) = (session.voucher.as_str(), hub.records.vouchers());
    match again(&hub, id, &provider, &voucher).await {
        Ok(SignedIn { vouched, refresh_token }) => {
            if vouched.groups != session.groups {
                hub.records.sessions().set_groups(id, &vouched.groups).await?;
            }
            vouchers.answered(id, &sealed(&hub, id, refresh_token.as_ref())?, hub.now()).await?;
            Ok(Ok(vouched.groups))
        }
        Err(ProviderError::Gone) => {
            hub.records.sessions().end_voucher(id).await?;
            Ok(Err(ProviderError::Gone))
        }
        Err(error) => {
            providers::note(&provider.name_any(), &error);
            vouchers.unanswered(id).await?;
            Ok(Err(error))
        }
    }
}

async fn again(
    hub: &Hub,
    id: &str,
    provider: &IdentityProvider,
    voucher: &Voucher,
) -> Result<SignedIn, ProviderError> {
    if provider.spec.ldap.is_some() {
        let found = providers::ldap(hub, provider).await?.look_up(&voucher.subject).await?;
        return Ok(SignedIn { vouched: found, refresh_token: None });
    }
    let token = hub.sealer.open(&purpose(id), &voucher.refresh_token).ok_or(ProviderError::Gone)?;
    providers::oidc(hub, provider).await?.refresh(&voucher.subject, &token, hub.now()).await
}

/// Waits for the answer that another request gets, if one asks.
async fn another_asks(hub: &Hub, session: &Session) -> Result<Option<Vec<String>>, Problem> {
    let every = SignedDuration::from_secs(hub.settings.provider_check_seconds.into());
    loop {
        let Some(voucher) = hub.records.vouchers().find(&session.voucher).await? else { return Ok(None) };
        let now = hub.now();
        if Freshness::of(voucher.checked, every, now) != Freshness::Overdue {
            let session = hub.records.sessions().find(&session.id, now).await?;
            return Ok(session.map(|session| session.groups));
        }
        if voucher.busy_until <= now {
            let session = hub.records.sessions().find(&session.id, now).await?;
            return Ok(session.map(|_| Vec::new()));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
