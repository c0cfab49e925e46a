//! Where the archive is, and the Secrets that are mounted.

use std::path::{Path, PathBuf};

use ::backup::{Key, S3Settings, Target};
use clap::Args;

use super::TaskError;

/// Where the archive is.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// Directory in which the Secrets are mounted: `config`, `certificate`, `key`, `bucket`
    #[arg(long, default_value = "/secrets")]
    pub(super) secrets: PathBuf,
    /// Directory that holds archives
    #[arg(long, required_unless_present = "bucket", conflicts_with = "bucket")]
    directory: Option<PathBuf>,
    /// Bucket that holds archives
    #[arg(long)]
    bucket: Option<String>,
    /// Address of the bucket's service
    #[arg(long, default_value = "")]
    s3_endpoint: String,
    /// Region of the bucket
    #[arg(long, default_value = "")]
    s3_region: String,
    /// What the names of all objects in the bucket begin with
    #[arg(long, default_value = "")]
    s3_prefix: String,
    /// Name of the archive
    #[arg(long)]
    pub(super) archive: String,
    /// File that the outcome is written to
    #[arg(long, default_value = "/dev/termination-log")]
    pub(super) result: PathBuf,
}

impl Place {
    pub(super) async fn target(&self) -> Result<Target, TaskError> {
        let Some(bucket) = &self.bucket else {
            return Ok(Target::Directory(self.directory.clone().unwrap_or_default()));
        };
        let secret = self.secrets.join("bucket");
        let authority = read_optional(&secret.join("ca.crt")).await?;
        Ok(Target::s3(&S3Settings {
            endpoint: self.s3_endpoint.clone(),
            region: self.s3_region.clone(),
            bucket: bucket.clone(),
            prefix: self.s3_prefix.clone(),
            access_key_id: read(&secret.join("accessKeyId")).await?.trim().to_owned(),
            secret_access_key: read(&secret.join("secretAccessKey")).await?.trim().to_owned(),
            certificate_authority: authority.unwrap_or_default(),
        })?)
    }

    pub(super) async fn key(&self) -> Result<Key, TaskError> {
        let path = self.secrets.join("key/key");
        let text = tokio::fs::read(&path).await.map_err(|source| TaskError::Read { path, source })?;
        Ok(Key::read(&text)?)
    }
}

/// Reads a key of a Secret.
pub(super) async fn read(path: &Path) -> Result<String, TaskError> {
    let failed = |source| TaskError::Read { path: path.to_owned(), source };
    tokio::fs::read_to_string(path).await.map_err(failed)
}

/// Reads a key of a Secret that may be missing.
pub(super) async fn read_optional(path: &Path) -> Result<Option<String>, TaskError> {
    match read(path).await {
        Ok(text) => Ok(Some(text)),
        Err(TaskError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
