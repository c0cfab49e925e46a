//! What the caller adds to a request so that upstream knows who it is from.

use std::fmt;

use http::header::{AUTHORIZATION, HeaderValue};
use http::{HeaderMap, HeaderName};

const IMPERSONATE_USER: HeaderName = HeaderName::from_static("impersonate-user");
const IMPERSONATE_GROUP: HeaderName = HeaderName::from_static("impersonate-group");

/// Why a token or name cannot be sent. Says nothing of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the {what} cannot be sent in a header: it is empty, begins or ends with a space, or holds a control character"
)]
pub struct CredentialError {
    what: &'static str,
}

/// Headers that say who a request is from. Has no text in `Debug`.
#[derive(Clone, Default)]
pub struct Credentials {
    headers: HeaderMap,
}

impl Credentials {
    /// None: upstream knows the client by its certificate, or not at all.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// A bearer token.
    pub fn bearer(token: &str) -> Result<Self, CredentialError> {
        let wrong = CredentialError { what: "token" };
        let is_word = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        let value = HeaderValue::try_from(format!("Bearer {token}")).ok().filter(|_| is_word);
        let mut credentials = Self::default();
        credentials.add(AUTHORIZATION, value.ok_or(wrong)?);
        Ok(credentials)
    }

    /// In the name of a user with groups, for which upstream must trust the credentials that are there already.
    pub fn impersonating<'a>(
        mut self,
        user: &str,
        groups: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, CredentialError> {
        self.add(IMPERSONATE_USER, name("user", user)?);
        for group in groups {
            self.add(IMPERSONATE_GROUP, name("group", group)?);
        }
        Ok(self)
    }

    /// Puts them into a request, in the place of whatever has their names.
    pub(crate) fn put_into(&self, headers: &mut HeaderMap) {
        for name in self.headers.keys() {
            headers.remove(name);
        }
        headers.extend(self.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
    }

    fn add(&mut self, name: HeaderName, mut value: HeaderValue) {
        value.set_sensitive(true);
        self.headers.append(name, value);
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// Servers cut spaces off, and then it would be another's name.
fn name(what: &'static str, text: &str) -> Result<HeaderValue, CredentialError> {
    let wrong = CredentialError { what };
    if text.is_empty() || text.trim() != text || text.chars().any(char::is_control) {
        return Err(wrong);
    }
    HeaderValue::from_bytes(text.as_bytes()).map_err(|_| wrong)
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::Credentials;

    #[test]
    fn they_take_the_place_of_what_is_there() {
        let mut headers = HeaderMap::new();
        for value in ["Bearer stolen", "Basic too"] {
            headers.append("authorization", value.parse().unwrap());
        }
        headers.append("impersonate-group", "system:masters".parse().unwrap());
        let credentials = Credentials::bearer("own").unwrap().impersonating("olga", ["a", "b"]).unwrap();
        credentials.put_into(&mut headers);
        let all = |name: &str| headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(all("authorization").collect::<Vec<_>>(), ["Bearer own"]);
        assert_eq!(all("impersonate-user").collect::<Vec<_>>(), ["olga"]);
        assert_eq!(all("impersonate-group").collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn what_a_server_would_read_otherwise_is_refused() {
        for name in
            ["", " admin", "admin ", "a\r\nImpersonate-Group: system:masters", "a\u{a0}", "\u{85}a", "a\0"]
        {
            assert!(Credentials::none().impersonating(name, []).is_err(), "{name:?}");
            assert!(Credentials::none().impersonating("olga", [name]).is_err(), "{name:?}");
        }
        for token in ["", "a b", "a\n", "ä"] {
            assert!(Credentials::bearer(token).is_err(), "{token:?}");
        }
        assert!(Credentials::none().impersonating("Ölga", ["sales, north"]).is_ok());
    }

    #[test]
    fn no_secret_is_in_debug() {
        let credentials = Credentials::bearer("s3cret").unwrap();
        assert!(!format!("{credentials:?} {:?}", credentials.headers).contains("s3cret"));
    }
}
