//! Method, path and query of a request, checked and then kept as they came: the same bytes are decided about and sent.

use http::Method;
use http::uri::PathAndQuery;

use crate::attributes::Attributes;
use crate::{path, query};

/// Longest path with its query, bytes. kubectl puts the words of a command into the query.
const LONGEST: usize = 32 * 1024;
/// What the Kubernetes API answers to.
const METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];

/// Why a method, path or query is not passed on. Nothing is ever cleaned: two programs may clean differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The Kubernetes API knows no such method.
    #[error("the Kubernetes API has no such method; use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS")]
    Method,
    /// It is longer than 32 KiB.
    #[error("path and query are longer than {LONGEST} bytes; ask for less at once")]
    TooLong,
    /// The path does not begin with a slash.
    #[error("the path does not begin with a slash; send it in origin form")]
    NotAbsolute,
    /// `.` or `..`, also encoded.
    #[error("the path holds `.` or `..`; send it without")]
    DotSegment,
    /// `//`.
    #[error("the path holds an empty segment; send it with single slashes")]
    EmptySegment,
    /// A backslash, or an encoded slash or backslash.
    #[error("the path holds a backslash or an encoded slash; no name of Kubernetes has one")]
    Separator,
    /// An encoded percent sign, which another program may decode again.
    #[error("the path holds an encoded percent sign; no name of Kubernetes has one")]
    EncodedPercent,
    /// A control character, also encoded.
    #[error("the path holds a control character; send it without")]
    Control,
    /// A character that must be encoded.
    #[error("path or query hold a character that must be encoded; percent-encode it")]
    Unencoded,
    /// `%` without two hexadecimal digits.
    #[error("path or query hold `%` without two hexadecimal digits; encode a percent sign as `%25`")]
    Escape,
    /// What is encoded is not UTF-8.
    #[error("path or query are not UTF-8; encode them as such")]
    NotUtf8,
    /// `;` in a query, which programs read in different ways.
    #[error("the query holds a semicolon; separate parameters by `&` and encode it as `%3B`")]
    Semicolon,
    /// More parameters than anybody needs.
    #[error("the query has more than {} parameters; ask for less at once", query::MOST)]
    TooMany,
    /// `watch` or `proxy` without a resource behind it.
    #[error("the path names no resource after `watch` or `proxy`; add one")]
    NoResource,
}

/// What a request is sent to.
#[derive(Clone, Debug)]
pub struct Target {
    method: Method,
    path_and_query: PathAndQuery,
    attributes: Attributes,
}

impl Target {
    /// Reads method, path and query, the latter as in the request line (`/api/v1/pods?watch=true`): without what
    /// the caller put before the path of the Kubernetes API.
    ///
    /// # Errors
    /// Why they are not passed on.
    pub fn read(method: &Method, path_and_query: &str) -> Result<Self, Refusal> {
        if !METHODS.contains(method) {
            return Err(Refusal::Method);
        }
        if path_and_query.len() > LONGEST {
            return Err(Refusal::TooLong);
        }
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let path = path::Path::read(path)?;
        let parameters =
            if path.is_free() { query::check(query).map(|()| Vec::new()) } else { query::read(query) };
        let attributes = Attributes::read(method, &path.segments, &parameters?)?;
        let path_and_query = PathAndQuery::try_from(path_and_query).map_err(|_| Refusal::Unencoded)?;
        Ok(Self { method: method.clone(), path_and_query, attributes })
    }

    /// What is wanted of which object.
    #[must_use]
    pub fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    /// The path as it came.
    #[must_use]
    pub fn path(&self) -> &str {
        self.path_and_query.path()
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Path and query as they came.
    #[must_use]
    pub fn path_and_query(&self) -> &PathAndQuery {
        &self.path_and_query
    }

    /// Whether the answer may take as long as it likes, by the same rule as the API server's: watches, logs,
    /// streams into pods, what is proxied, profiles.
    #[must_use]
    pub fn is_long_running(&self) -> bool {
        let attributes = &self.attributes;
        let is_profile = !attributes.is_resource && self.path().starts_with("/debug/pprof/");
        is_profile || attributes.is_long_running()
    }
}
