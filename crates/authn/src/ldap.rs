//! Sign-in with a name and a password of a directory (RFC 4511), over TLS only.

mod filter;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, Scope, SearchEntry, SearchOptions};
use rustls::ClientConfig;
use zeroize::Zeroizing;

use crate::provider::{ProviderError, Vouched, kept_groups, tls};
use filter::{escaped, filled};

/// Longest wait for a connection, and for all that is asked over it.
const CONNECT: Duration = Duration::from_secs(5);
const ALL: Duration = Duration::from_secs(10);
/// More groups are not read.
const MOST: i32 = 2000;
/// Marks a subject that is no text.
const BINARY: &str = "hex:";
/// Result codes (RFC 4511, appendix A).
const NO_SUCH_OBJECT: u32 = 32;
const INVALID_CREDENTIALS: u32 = 49;
const SIZE_LIMIT_EXCEEDED: u32 = 4;

/// How a directory is asked.
#[derive(Clone)]
pub struct LdapSettings {
    /// `ldaps://host[:port]`, or `ldap://host[:port]` with `start_tls`.
    pub url: String,
    /// Whether TLS begins after the connection.
    pub start_tls: bool,
    /// Authorities (PEM); those of the system if there are none.
    pub ca_bundle: Option<String>,
    /// Who searches.
    pub bind_dn: String,
    /// With which password.
    pub bind_password: Zeroizing<String>,
    /// Below which users are.
    pub user_base: String,
    /// Which entry is a user's, with `{user}`.
    pub user_filter: String,
    /// Attribute with a user's name.
    pub user_name_attribute: String,
    /// Attribute by which an entry is the same for ever.
    pub id_attribute: String,
    /// Below which groups are.
    pub group_base: Option<String>,
    /// Which entries are a user's groups, with `{dn}` or `{user}`.
    pub group_filter: String,
    /// Attribute with a group's name.
    pub group_name_attribute: String,
}

/// A directory that vouches for people.
#[derive(Clone)]
pub struct LdapDirectory {
    settings: LdapSettings,
    tls: Arc<ClientConfig>,
}

impl LdapDirectory {
    /// One that is asked so.
    ///
    /// # Errors
    /// If passwords would go without TLS, or the authorities cannot be read.
    pub fn new(settings: LdapSettings) -> Result<Self, ProviderError> {
        let scheme = if settings.start_tls { "ldap://" } else { "ldaps://" };
        let is_encrypted = settings.url.starts_with(scheme);
        if !is_encrypted {
            return Err(ProviderError::Settings("use ldaps://, or ldap:// with startTls".to_owned()));
        }
        if settings.bind_password.is_empty() {
            return Err(ProviderError::Settings("the bind password is missing; set the secret".to_owned()));
        }
        let tls = Arc::new(tls(settings.ca_bundle.as_deref())?);
        Ok(Self { settings, tls })
    }

    /// Whoever has this name and password.
    ///
    /// # Errors
    /// [`ProviderError::Refused`] if there is nobody or the password is wrong.
    pub async fn sign_in(&self, user: &str, password: Zeroizing<String>) -> Result<Vouched, ProviderError> {
        // A bind without a password is one of nobody, and succeeds.
        if password.is_empty() || user.is_empty() {
            return Err(ProviderError::Refused("the name or the password is empty"));
        }
        let filter = filled(&self.settings.user_filter, &[("{user}", escaped(user.as_bytes()))]);
        self.alone(move |directory| async move {
            let mut ldap = directory.connect().await?;
            directory.bind(&mut ldap).await?;
            let entry = directory.one(&mut ldap, &filter).await?;
            let entry = entry.ok_or(ProviderError::Refused("the directory has not exactly one such user"))?;
            let bound = ldap.simple_bind(&entry.dn, &password).await.map_err(unreachable)?;
            match bound.rc {
                0 => {}
                INVALID_CREDENTIALS => return Err(ProviderError::Refused("the password is wrong")),
                _ => return Err(ProviderError::Refused("the directory does not let the user in")),
            }
            // Groups are what the searching user sees, not what people see of themselves.
            directory.bind(&mut ldap).await?;
            directory.vouch(&mut ldap, &entry).await
        })
        .await
    }

    /// What the directory says now of a subject.
    ///
    /// # Errors
    /// [`ProviderError::Gone`] if the user's filter finds it no more.
    pub async fn look_up(&self, subject: &str) -> Result<Vouched, ProviderError> {
        let id = bytes_of(subject).ok_or(ProviderError::Gone)?;
        let is_user = filled(&self.settings.user_filter, &[("{user}", "*".to_owned())]);
        let filter = format!("(&({}={}){is_user})", self.settings.id_attribute, escaped(&id));
        self.alone(move |directory| async move {
            let mut ldap = directory.connect().await?;
            directory.bind(&mut ldap).await?;
            let entry = directory.one(&mut ldap, &filter).await?.ok_or(ProviderError::Gone)?;
            directory.vouch(&mut ldap, &entry).await
        })
        .await
    }

    /// Runs in a task of its own, in time: the library panics at an answer that is none.
    async fn alone<F, W>(&self, work: W) -> Result<Vouched, ProviderError>
    where
        F: Future<Output = Result<Vouched, ProviderError>> + Send + 'static,
        W: FnOnce(Self) -> F,
    {
        let task = tokio::spawn(tokio::time::timeout(ALL, work(self.clone())));
        match task.await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(ProviderError::Unreachable("it takes longer than 10 s".to_owned())),
            Err(_) => Err(ProviderError::Unreachable("its answer cannot be read".to_owned())),
        }
    }

    async fn connect(&self) -> Result<Ldap, ProviderError> {
        let settings = LdapConnSettings::new()
            .set_conn_timeout(CONNECT)
            .set_starttls(self.settings.start_tls)
            .set_config(self.tls.clone());
        let (connection, ldap) =
            LdapConnAsync::with_settings(settings, &self.settings.url).await.map_err(unreachable)?;
        tokio::spawn(async move {
            if let Err(error) = connection.drive().await {
                tracing::debug!(%error, "a connection to a directory broke off");
            }
        });
        Ok(ldap)
    }

    async fn bind(&self, ldap: &mut Ldap) -> Result<(), ProviderError> {
        let bound = ldap.simple_bind(&self.settings.bind_dn, &self.settings.bind_password).await;
        match bound.map_err(unreachable)?.rc {
            0 => Ok(()),
            code => Err(ProviderError::Unreachable(format!("bindDn cannot bind, LDAP code {code}"))),
        }
    }

    /// The one entry that a filter finds below the users; nothing if there are none or several.
    async fn one(&self, ldap: &mut Ldap, filter: &str) -> Result<Option<SearchEntry>, ProviderError> {
        let settings = &self.settings;
        let wanted = [settings.user_name_attribute.as_str(), settings.id_attribute.as_str()];
        let mut entries = search(ldap, &settings.user_base, filter, &wanted, 2).await?;
        let first = entries.pop();
        Ok(first.filter(|_| entries.is_empty()))
    }

    async fn vouch(&self, ldap: &mut Ldap, entry: &SearchEntry) -> Result<Vouched, ProviderError> {
        let settings = &self.settings;
        let subject = subject_of(entry, &settings.id_attribute).ok_or_else(|| {
            ProviderError::Settings(format!("idAttribute: the user has no `{}`", settings.id_attribute))
        })?;
        let user_name = value(entry, &settings.user_name_attribute).unwrap_or_default().to_owned();
        let mut groups = Vec::new();
        if let Some(base) = &settings.group_base {
            let places = [("{dn}", escaped(entry.dn.as_bytes())), ("{user}", escaped(user_name.as_bytes()))];
            let filter = filled(&settings.group_filter, &places);
            let name = settings.group_name_attribute.as_str();
            let found = search(ldap, base, &filter, &[name], MOST).await?;
            groups.extend(found.iter().filter_map(|group| value(group, name)).map(str::to_owned));
        }
        Ok(Vouched { subject, user_name, groups: kept_groups(groups) })
    }
}

impl fmt::Debug for LdapDirectory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LdapDirectory").field("url", &self.settings.url).finish_non_exhaustive()
    }
}

async fn search(
    ldap: &mut Ldap,
    base: &str,
    filter: &str,
    wanted: &[&str],
    most: i32,
) -> Result<Vec<SearchEntry>, ProviderError> {
    let options = SearchOptions::new().sizelimit(most);
    let found = ldap.with_search_options(options).search(base, Scope::Subtree, filter, wanted).await;
    let ldap3::SearchResult(entries, result) = found.map_err(unreachable)?;
    match result.rc {
        0 | SIZE_LIMIT_EXCEEDED => {
            let entries = entries.into_iter().filter(|entry| !entry.is_ref() && !entry.is_intermediate());
            Ok(entries.map(SearchEntry::construct).collect())
        }
        NO_SUCH_OBJECT => Ok(Vec::new()),
        code => Err(ProviderError::Unreachable(format!("it cannot search `{base}`, LDAP code {code}"))),
    }
}

fn unreachable(error: LdapError) -> ProviderError {
    match error {
        LdapError::FilterParsing => ProviderError::Settings("a filter cannot be read".to_owned()),
        error => ProviderError::Unreachable(error.to_string()),
    }
}

/// The first value of an attribute, whose name may be written in capitals.
fn value<'a>(entry: &'a SearchEntry, attribute: &str) -> Option<&'a str> {
    let found = entry.attrs.iter().find(|(name, _)| name.eq_ignore_ascii_case(attribute));
    found?.1.first().map(String::as_str)
}

fn subject_of(entry: &SearchEntry, attribute: &str) -> Option<String> {
    let binary = entry.bin_attrs.iter().find(|(name, _)| name.eq_ignore_ascii_case(attribute));
    match (value(entry, attribute), binary.and_then(|(_, values)| values.first())) {
        (Some(text), None) if !text.is_empty() && !text.starts_with(BINARY) => Some(text.to_owned()),
        (None, Some(bytes)) => Some(format!("{BINARY}{}", HEXLOWER.encode(bytes))),
        _ => None,
    }
}

fn bytes_of(subject: &str) -> Option<Vec<u8>> {
    match subject.strip_prefix(BINARY) {
        Some(digits) => HEXLOWER.decode(digits.as_bytes()).ok(),
        None => Some(subject.as_bytes().to_vec()),
    }
}
