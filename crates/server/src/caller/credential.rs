//! What a request shows to say who sent it: a session's cookie or token, or a key.

use authn::{Digest, Kind, Presented};
use authz::{Place, Request, Subject, Tree};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use records::Session;

use super::cookies::{CSRF_HEADER, session_token};
use super::scope::KeyScope;
use crate::hub::Hub;
use crate::problem::Problem;
use crate::request::Facts;
use crate::vouching::{self, Standing};

/// What was shown and taken.
#[derive(Clone, Debug)]
pub(crate) enum Credential {
    /// A session of a person, who gets no further than the tenant whose provider vouched for them.
    Session { id: String, within: Option<String> },
    /// A key.
    Key { id: String, scope: KeyScope },
}

impl Credential {
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Session { id, .. } | Self::Key { id, .. } => id,
        }
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Session { .. } => "person",
            Self::Key { .. } => "key",
        }
    }

    pub(crate) fn allows(&self, request: &Request<'_>, place: Place<'_>, tree: &Tree) -> bool {
        match self {
            Self::Session { within, .. } => is_within(place, within.as_deref(), tree),
            Self::Key { scope, .. } => scope.allows(request, place, tree),
        }
    }

    /// The tenants that it is limited to.
    pub(crate) fn tenants(&self) -> impl Iterator<Item = &str> {
        let (own, named) = match self {
            Self::Session { within, .. } => (within.as_deref(), &[][..]),
            Self::Key { scope, .. } => (None, &scope.tenants[..]),
        };
        own.into_iter().chain(named.iter().map(String::as_str))
    }

    /// Whether it can be used at a place at all: what is elsewhere is hidden from it, not only denied.
    pub(crate) fn reaches(&self, place: Place<'_>, tree: &Tree) -> bool {
        match self {
            Self::Session { within, .. } => is_within(place, within.as_deref(), tree),
            Self::Key { scope, .. } => scope.reaches(place, tree),
        }
    }
}

fn is_within(place: Place<'_>, tenant: Option<&str>, tree: &Tree) -> bool {
    tenant.is_none_or(|tenant| tree.tenant_of(place).is_some_and(|home| tree.is_within(home, tenant)))
}

/// Why nobody is let in, and the id of what was shown, if anything.
pub(super) struct Refused {
    pub(super) problem: Problem,
    pub(super) shown: Option<String>,
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self { problem, shown: None }
    }
}

/// Where a token was found.
enum Carrier {
    Header,
    Cookie,
}

/// Who sent a request. If there is an `Authorization`, no cookie counts.
pub(super) async fn check(parts: &Parts, hub: &Hub, facts: &Facts) -> Result<(Subject, Credential), Refused> {
    let malformed = || Refused { problem: Problem::unauthenticated(), shown: Some("malformed".to_owned()) };
    let (token, carrier) = match bearer(&parts.headers).map_err(|_| malformed())? {
        Some(token) => (token, Carrier::Header),
        None => (session_token(&parts.headers).ok_or_else(Problem::unauthenticated)?, Carrier::Cookie),
    };
    if matches!(carrier, Carrier::Cookie) && !is_own_page(&parts.headers, &hub.settings.url) {
        return Err(foreign_page().into());
    }
    let unknown =
        |shown: &str| Refused { problem: Problem::unauthenticated(), shown: Some(shown.to_owned()) };
    let presented = Presented::read(token).ok_or_else(|| unknown("malformed"))?;
    let refused = || unknown(presented.id);
    let (subject, credential) = match (presented.kind, &carrier) {
        (Kind::Session, _) => session(hub, &presented, parts, &carrier).await?.ok_or_else(refused)?,
        (Kind::ApiKey, Carrier::Header) => key(hub, &presented, facts).await?.ok_or_else(refused)?,
        _ => return Err(refused()),
    };
    if hub.index.now().is_active(&subject.user) { Ok((subject, credential)) } else { Err(refused()) }
}

/// The header is there twice, or is none of a bearer.
pub(crate) struct Malformed;

/// The one bearer token, if the header is there.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Malformed> {
    let mut values = headers.get_all(header::AUTHORIZATION).into_iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Malformed);
    }
    let text = value.to_str().map_err(|_| Malformed)?;
    let (scheme, token) = text.split_once(' ').ok_or(Malformed)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(Some(token.trim())) } else { Err(Malformed) }
}

/// What a request shows, whether it is taken or not.
pub(crate) fn shown(headers: &HeaderMap) -> Option<&str> {
    bearer(headers).ok()?.or_else(|| session_token(headers))
}

async fn session(
    hub: &Hub,
    presented: &Presented<'_>,
    parts: &Parts,
    carrier: &Carrier,
) -> Result<Option<(Subject, Credential)>, Problem> {
    let now = hub.now();
    let sessions = hub.records.sessions();
    let Some(session) = sessions.find(presented.id, now).await? else { return Ok(None) };
    if !presented.is(&Digest(session.digest.0)) {
        return Ok(None);
    }
    if matches!(carrier, Carrier::Cookie) && !is_safe(&parts.method) {
        let shown = parts.headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok());
        let is_ours = shown
            .and_then(Presented::read)
            .is_some_and(|shown| shown.kind == Kind::Csrf && shown.is(&Digest(session.csrf.0)));
        if !is_ours {
            return Err(foreign_page());
        }
    }
    sessions.touch(&session, now).await?;
    let Some(standing) = vouching::standing(hub, &session).await? else { return Ok(None) };
    let (subject, within) = subject(&session, standing);
    Ok(Some((subject, Credential::Session { id: session.id, within })))
}

fn subject(session: &Session, standing: Standing) -> (Subject, Option<String>) {
    (Subject { user: session.user.clone(), groups: standing.groups }, standing.within)
}

/// Whether a session or key that was taken is there still, and of the same one in the same groups.
pub(crate) async fn still_holds(
    hub: &Hub,
    credential: &Credential,
    whose: &Subject,
) -> Result<bool, Problem> {
    let now = hub.now();
    match credential {
        Credential::Session { id, within } => {
            let Some(session) = hub.records.sessions().find(id, now).await? else { return Ok(false) };
            let Some(standing) = vouching::standing(hub, &session).await? else { return Ok(false) };
            Ok(subject(&session, standing) == (whose.clone(), within.clone()))
        }
        Credential::Key { id, .. } => {
            Ok(hub.records.keys().find(id, now).await?.is_some_and(|key| key.user == whose.user))
        }
    }
}

async fn key(
    hub: &Hub,
    presented: &Presented<'_>,
    facts: &Facts,
) -> Result<Option<(Subject, Credential)>, Problem> {
    let now = hub.now();
    let keys = hub.records.keys();
    let Some(key) = keys.find(presented.id, now).await? else { return Ok(None) };
    if !presented.is(&Digest(key.digest.0)) {
        return Ok(None);
    }
    // A scope that cannot be read lets nothing through.
    let Ok(scope) = serde_json::from_str(&key.scope) else { return Ok(None) };
    keys.used(&key, &facts.address, now).await?;
    Ok(Some((Subject { user: key.user, groups: Vec::new() }, Credential::Key { id: key.id, scope })))
}

/// Whether a browser sent it for a page of ours, as far as it says for whom. It always says so with an `Upgrade`.
fn is_own_page(headers: &HeaderMap, url: &str) -> bool {
    headers.get_all(header::ORIGIN).into_iter().all(|origin| origin == url)
        && (!headers.contains_key(header::UPGRADE) || headers.contains_key(header::ORIGIN))
}

fn foreign_page() -> Problem {
    Problem::denied(
        "the request comes from another site, or from a page that is too old: `Origin` or header `X-Flotilla-Csrf` is \
         missing or wrong; load the page again",
    )
}

/// Whether a method changes nothing by itself. What is upgraded is judged by its origin too.
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

#[cfg(test)]
mod tests {
    use authz::{Place, Request, Tree};

    use super::Credential;

    #[test]
    fn a_tenants_provider_leads_nowhere_else() {
        let mut tree = Tree::default();
        tree.add_tenant("acme", None);
        tree.add_tenant("acme-dev", Some("acme"));
        tree.add_tenant("other", None);
        tree.add_cluster("acme-dev.c", "acme-dev");
        tree.add_cluster("other.c", "other");
        let session = |within: Option<&str>| Credential::Session {
            id: "s".to_owned(),
            within: within.map(str::to_owned),
        };
        let get = Request::hub("get", "clusters", "");
        for (place, is_inside) in [
            (Place::Tenant("acme"), true),
            (Place::Cluster("acme-dev.c"), true),
            (Place::Cluster("other.c"), false),
            (Place::Tenant("nowhere"), false),
            (Place::Platform, false),
        ] {
            assert!(session(None).allows(&get, place, &tree) && session(None).reaches(place, &tree));
            assert_eq!(session(Some("acme")).allows(&get, place, &tree), is_inside, "{place:?}");
            assert_eq!(session(Some("acme")).reaches(place, &tree), is_inside, "{place:?}");
        }
    }
}
