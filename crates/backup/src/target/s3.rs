//! Archives as objects of an S3 bucket.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::buffered::BufWriter;
use object_store::path::Path;
use object_store::{BackoffConfig, RetryConfig};

use super::TargetError;
use super::http::Connector;

/// Size of a part of a large object; S3 takes up to 10,000 parts.
const PART: usize = 16 << 20;
/// How long a request is tried again.
const RETRY: Duration = Duration::from_mins(1);

/// How to reach a bucket. The `Debug` form hides the secret.
#[derive(Clone, Default)]
pub struct S3Settings {
    /// Address of the service, `https://…`; AWS itself if empty.
    pub endpoint: String,
    /// Region; `us-east-1` if empty.
    pub region: String,
    /// Name of the bucket.
    pub bucket: String,
    /// What all names begin with.
    pub prefix: String,
    /// Access key ID.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: String,
    /// Authority that signed the service's certificate, PEM; the system's if empty.
    pub certificate_authority: String,
}

impl fmt::Debug for S3Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("S3Settings")
            .field("endpoint", &self.endpoint)
            .field("bucket", &self.bucket)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// A bucket, or what lies below a prefix of it.
#[derive(Debug, Clone)]
pub struct Bucket {
    pub(super) store: Arc<AmazonS3>,
    name: String,
    prefix: String,
    endpoint: String,
}

impl Bucket {
    pub(super) fn new(settings: &S3Settings) -> Result<Self, TargetError> {
        let connector = Connector::new(&settings.certificate_authority)?;
        let retry = RetryConfig { backoff: BackoffConfig::default(), max_retries: 8, retry_timeout: RETRY };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&settings.bucket)
            .with_access_key_id(&settings.access_key_id)
            .with_secret_access_key(&settings.secret_access_key)
            .with_region(if settings.region.is_empty() { "us-east-1" } else { &settings.region })
            .with_retry(retry)
            .with_http_connector(connector);
        if !settings.endpoint.is_empty() {
            let endpoint = settings.endpoint.trim_end_matches('/');
            builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
        }
        let store = builder.build().map_err(|error| TargetError::Settings { message: reason(&error) })?;
        Ok(Self {
            store: Arc::new(store),
            name: settings.bucket.clone(),
            prefix: settings.prefix.trim_matches('/').to_owned(),
            endpoint: settings.endpoint.clone(),
        })
    }

    pub(super) fn place(&self, path: Path) -> Path {
        if self.prefix.is_empty() { path } else { Path::from(format!("{}/{path}", self.prefix)) }
    }

    pub(super) fn writer(&self, path: Path) -> BufWriter {
        BufWriter::with_capacity(self.store.clone(), self.place(path), PART).with_max_concurrency(2)
    }

    pub(super) fn failed(&self, action: &'static str, error: &object_store::Error) -> TargetError {
        TargetError::Bucket { action, target: self.to_string(), message: reason(error) }
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "bucket {}", self.name)?;
        if self.endpoint.is_empty() { Ok(()) } else { write!(formatter, " of {}", self.endpoint) }
    }
}

pub(super) fn failed_io(action: &'static str, target: &str, error: &std::io::Error) -> TargetError {
    let message = match error.get_ref() {
        Some(inner) => reason(inner),
        None => error.to_string(),
    };
    TargetError::Bucket { action, target: target.to_owned(), message }
}

/// The library's reason: the service's code and message where it answered, else the innermost cause.
pub(super) fn reason(error: &(dyn Error + 'static)) -> String {
    let innermost = std::iter::successors(Some(error), |error| (*error).source()).last();
    let text = innermost.unwrap_or(error).to_string();
    let code = between(&text, "<Code>", "</Code>");
    match (code, between(&text, "<Message>", "</Message>")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        _ => text,
    }
}

fn between<'a>(text: &'a str, before: &str, behind: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(behind).map(|(inside, _)| inside)
}
