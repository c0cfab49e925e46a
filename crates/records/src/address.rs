//! Where the database is: what a URL says, and what of it may be shown.

use std::path::PathBuf;

use url::Url;

use crate::RecordsError;

/// What speaks SQL there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    PostgreSql,
}

/// A URL that was looked at. Has no `Debug`, since it holds the password.
pub(crate) struct Address {
    pub(crate) dialect: Dialect,
    /// For the driver only.
    pub(crate) url: String,
    /// For people: a path, or host, port and name.
    pub(crate) place: String,
    /// The file, if the URL asks to make it.
    pub(crate) new_file: Option<PathBuf>,
    secrets: Vec<String>,
}

impl Address {
    /// Reads a URL.
    pub(crate) fn parse(text: &str) -> Result<Self, RecordsError> {
        // The parser's errors name no part of the text.
        let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
        match url.scheme() {
            "sqlite" => Self::of_a_file(text, &url),
            "postgres" | "postgresql" => Self::of_a_server(text, &url),
            _ => Err(wrong("its scheme is neither sqlite nor postgres")),
        }
    }

    fn of_a_file(text: &str, url: &Url) -> Result<Self, RecordsError> {
        if !text.starts_with("sqlite:///") {
            return Err(wrong("the path is not absolute"));
        }
        // As the driver does it: a `+` is a plus.
        let path = percent_decoded(url.path()).ok_or_else(|| wrong("the path is not UTF-8"))?;
        let mode = url.query_pairs().find(|(key, _)| key == "mode").map(|(_, value)| value.into_owned());
        if mode.as_deref() == Some("memory") || path.ends_with(":memory:") {
            return Err(wrong("memory keeps nothing"));
        }
        let new_file = (mode.as_deref() == Some("rwc")).then(|| PathBuf::from(&path));
        Ok(Self {
            dialect: Dialect::Sqlite,
            url: text.to_owned(),
            place: path,
            new_file,
            secrets: Vec::new(),
        })
    }

    fn of_a_server(text: &str, url: &Url) -> Result<Self, RecordsError> {
        let host = url.host_str().ok_or_else(|| wrong("it names no host"))?;
        let place = format!("{host}:{}{}", url.port().unwrap_or(5432), url.path());
        let mut secrets = Vec::new();
        if let Some(password) = url.password() {
            secrets.extend(percent_decoded(password));
            secrets.push(password.to_owned());
        }
        secrets.extend(
            url.query_pairs().filter(|(key, _)| key == "password").map(|(_, value)| value.into_owned()),
        );
        secrets.retain(|secret| !secret.is_empty());
        Ok(Self { dialect: Dialect::PostgreSql, url: text.to_owned(), place, new_file: None, secrets })
    }

    /// The failure to open it, without the password.
    pub(crate) fn cannot_open(&self, error: &dyn std::error::Error) -> RecordsError {
        let mut reason = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !reason.contains(&text) {
                reason = format!("{reason}: {text}");
            }
            cause = error.source();
        }
        for secret in &self.secrets {
            reason = reason.replace(secret, "***");
        }
        let hint = match self.dialect {
            Dialect::Sqlite => {
                "see that its directory exists, on a local disk with room, and that this user may write there"
            }
            Dialect::PostgreSql => {
                "see that the server runs, that user, password and database in the URL are right, and that this user \
                 may create tables"
            }
        };
        RecordsError::Open { place: self.place.clone(), reason, hint }
    }
}

fn wrong(reason: &str) -> RecordsError {
    RecordsError::Url { reason: reason.to_owned() }
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes().iter();
    while let Some(&byte) = rest.next() {
        let escaped = rest.as_slice().get(..2).filter(|_| byte == b'%');
        match escaped.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()) {
            Some(decoded) => {
                bytes.push(decoded);
                rest.nth(1);
            }
            None => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::{Address, Dialect};

    #[test]
    fn a_file_is_named_by_an_absolute_path() {
        let address = Address::parse("sqlite:///var/lib/a%20b/records.db?mode=rwc").ok().unwrap();
        assert_eq!(address.dialect, Dialect::Sqlite);
        assert_eq!(address.place, "/var/lib/a b/records.db");
        assert_eq!(address.new_file.unwrap().to_str(), Some("/var/lib/a b/records.db"));
        for refused in
            ["sqlite://records.db", "sqlite::memory:", "sqlite:///a?mode=memory", "mysql://h/d", "nothing"]
        {
            assert!(Address::parse(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn no_text_shows_the_password() {
        let address =
            Address::parse("postgres://hub:s%40cret@db.example/flotilla?password=other").ok().unwrap();
        assert_eq!(address.place, "db.example:5432/flotilla");
        let told = address.cannot_open(&std::io::Error::other("s@cret and s%40cret and other")).to_string();
        assert!(told.contains("*** and *** and ***"), "{told}");
        let told = Address::parse("postgres://hub:s3cret@[db/flotilla").err().unwrap();
        assert!(!format!("{told} {told:?}").contains("s3cret"));
    }
}
