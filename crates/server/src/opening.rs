//! Sessions that are opened, whoever vouched.

use api::{HUB_SETTINGS, HubSettings};
use authn::{Digest, Kind, Minted};
use jiff::{SignedDuration, Timestamp};
use kube::runtime::reflector::ObjectRef;
use records::NewSession;
use zeroize::Zeroizing;

use crate::hub::Hub;
use crate::problem::Problem;
use crate::request::Facts;

/// Hours that a session lasts unless the settings say something else.
pub(crate) const SESSION_HOURS: i32 = 12;
/// Most hours that settings give, whatever stands there.
const MOST_HOURS: i32 = 168;

/// Whose session is opened, and who vouched.
pub(crate) struct Person {
    pub(crate) user: String,
    pub(crate) provider: String,
    pub(crate) groups: Vec<String>,
    /// By what the provider is asked again.
    pub(crate) again: Again,
}

/// By what a provider is asked again.
pub(crate) enum Again {
    /// It is not: the hub itself vouches.
    Never,
    /// By what it gave at this sign-in.
    With { subject: String, refresh_token: Option<Zeroizing<String>> },
    /// By the voucher that another session of the same person has; empty if that has none.
    As(String),
}

/// A session that was opened. Its texts are shown once.
pub(crate) struct OpenedSession {
    pub(crate) token: Zeroizing<String>,
    pub(crate) csrf: Zeroizing<String>,
    pub(crate) expires: Timestamp,
    /// How long that is.
    pub(crate) lasts: SignedDuration,
}

/// Opens a session.
pub(crate) async fn open(
    hub: &Hub,
    facts: &Facts,
    person: Person,
    now: Timestamp,
) -> Result<OpenedSession, Problem> {
    let mint = |kind| Minted::new(kind).map_err(|error| Problem::internal(&error));
    let (token, csrf) = (mint(Kind::Session)?, mint(Kind::Csrf)?);
    let kept = |digest: Digest| records::Digest(digest.0);
    let lasts = lasts(hub.caches.settings.get(&ObjectRef::new(HUB_SETTINGS)).as_deref());
    let voucher = match &person.again {
        Again::Never => String::new(),
        Again::With { .. } => token.id.clone(),
        Again::As(voucher) => voucher.clone(),
    };
    let session = NewSession {
        id: token.id.clone(),
        digest: kept(token.digest),
        csrf: kept(csrf.digest),
        user: person.user,
        provider: person.provider,
        groups: person.groups,
        voucher,
        expires: now + lasts,
        address: facts.address.clone(),
        agent: facts.agent.clone(),
    };
    hub.records.sessions().open(&session, now).await?;
    if let Again::With { subject, refresh_token } = person.again {
        let sealed = sealed(hub, &session.voucher, refresh_token.as_ref())?;
        hub.records.vouchers().keep(&session.voucher, &subject, &sealed, now).await?;
    }
    Ok(OpenedSession { token: token.text, csrf: csrf.text, expires: session.expires, lasts })
}

/// How long a session lasts that is opened now.
fn lasts(settings: Option<&HubSettings>) -> SignedDuration {
    let hours = settings.and_then(|settings| settings.spec.sign_in.session_hours).unwrap_or(SESSION_HOURS);
    SignedDuration::from_hours(hours.clamp(1, MOST_HOURS).into())
}

/// A refresh token as the database keeps it; empty if there is none.
pub(crate) fn sealed(
    hub: &Hub,
    voucher: &str,
    refresh_token: Option<&Zeroizing<String>>,
) -> Result<String, Problem> {
    let Some(token) = refresh_token else { return Ok(String::new()) };
    hub.sealer.seal(&purpose(voucher), token).map_err(|error| Problem::internal(&error))
}

/// A refresh token of a voucher opens for that one only.
pub(crate) fn purpose(voucher: &str) -> String {
    format!("refresh-token:{voucher}")
}

#[cfg(test)]
mod tests {
    use api::HubSettings;
    use jiff::SignedDuration;

    use super::lasts;

    #[test]
    fn a_session_lasts_as_long_as_the_settings_say_and_never_longer_than_a_week() {
        let hours = |hours| {
            let mut settings = HubSettings::default();
            settings.spec.sign_in.session_hours = hours;
            lasts(Some(&settings))
        };
        assert_eq!(lasts(None), SignedDuration::from_hours(12));
        assert_eq!(hours(None), SignedDuration::from_hours(12));
        assert_eq!(hours(Some(2)), SignedDuration::from_hours(2));
        assert_eq!(hours(Some(0)), SignedDuration::from_hours(1));
        assert_eq!(hours(Some(i32::MAX)), SignedDuration::from_hours(168));
    }
}
