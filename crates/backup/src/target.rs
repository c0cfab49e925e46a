//! Where archives are kept: a directory (a volume that is mounted, too) or an S3 bucket.

mod directory;
mod http;
mod s3;

use std::path::PathBuf;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::ObjectStoreExt;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub use s3::S3Settings;

/// Bytes that are read from a file at once.
const PIECE: usize = 256 << 10;

/// Why a target did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// A name that would lead out of the target.
    #[error("`{name}` cannot be the name of a backup: use letters, digits, `-`, `_`, `.` and single slashes")]
    Name {
        /// The name.
        name: String,
    },
    /// There is no such archive.
    #[error("there is no backup `{name}` in {target}")]
    Missing {
        /// Its name.
        name: String,
        /// The target.
        target: String,
    },
    /// No space is left.
    #[error("{target} is full; free space in it, or keep fewer backups")]
    Full {
        /// The target.
        target: String,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// A file operation failed.
    #[error("failed to {action} in {target}")]
    File {
        /// What was tried.
        action: &'static str,
        /// The target.
        target: String,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// The settings lead to no bucket.
    #[error("the settings of the S3 bucket cannot be used: {message}")]
    Settings {
        /// What is wrong.
        message: String,
    },
    /// The bucket refused, or could not be reached.
    #[error("failed to {action} in {target}: {message}")]
    Bucket {
        /// What was tried.
        action: &'static str,
        /// The target.
        target: String,
        /// The service's reason.
        message: String,
    },
}

/// A place for archives.
#[derive(Debug, Clone)]
pub enum Target {
    /// A directory of this machine or of a mounted volume; it must exist.
    Directory(PathBuf),
    /// A bucket, or what lies below a prefix of it.
    S3(s3::Bucket),
}

impl Target {
    /// A bucket. Nothing is asked of it yet.
    pub fn s3(settings: &S3Settings) -> Result<Self, TargetError> {
        s3::Bucket::new(settings).map(Self::S3)
    }

    /// Begins to write an archive. It is not there before [`Upload::finish`].
    pub async fn create(&self, name: &str) -> Result<Upload, TargetError> {
        let path = checked(name)?;
        let sink = match self {
            Self::Directory(root) => Sink::File(directory::Staged::create(root, name).await?),
            Self::S3(bucket) => Sink::Object(Box::new(bucket.writer(path))),
        };
        Ok(Upload { sink, target: self.to_string(), bytes: 0 })
    }

    /// Begins to read an archive.
    pub async fn open(&self, name: &str) -> Result<Download, TargetError> {
        let path = checked(name)?;
        let missing = || TargetError::Missing { name: name.to_owned(), target: self.to_string() };
        let source = match self {
            Self::Directory(root) => match tokio::fs::File::open(root.join(name)).await {
                Ok(file) => Source::File(file),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(missing()),
                Err(source) => return Err(directory::failed("open the backup", root, source)),
            },
            Self::S3(bucket) => match bucket.store.get(&bucket.place(path)).await {
                Ok(found) => Source::Object(found.into_stream()),
                Err(object_store::Error::NotFound { .. }) => return Err(missing()),
                Err(error) => return Err(bucket.failed("open the backup", &error)),
            },
        };
        Ok(Download { source, target: self.to_string() })
    }

    /// Removes an archive. One that is gone already is no error.
    pub async fn remove(&self, name: &str) -> Result<(), TargetError> {
        let path = checked(name)?;
        match self {
            Self::Directory(root) => directory::remove(root, name).await,
            Self::S3(bucket) => match bucket.store.delete(&bucket.place(path)).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(bucket.failed("remove the backup", &error)),
            },
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Directory(root) => write!(formatter, "directory {}", root.display()),
            Self::S3(bucket) => write!(formatter, "{bucket}"),
        }
    }
}

/// An archive that is being written. Dropped before its end, it leaves nothing that is taken for one.
pub struct Upload {
    sink: Sink,
    target: String,
    bytes: u64,
}

enum Sink {
    File(directory::Staged),
    Object(Box<BufWriter>),
}

impl Upload {
    /// Writes the next bytes.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), TargetError> {
        self.bytes += bytes.len() as u64;
        match &mut self.sink {
            Sink::File(staged) => staged.write(bytes).await,
            Sink::Object(writer) => match writer.write_all(bytes).await {
                Ok(()) => Ok(()),
                Err(error) => Err(s3::failed_io("write the backup", &self.target, &error)),
            },
        }
    }

    /// Puts the archive in its place; returns its size in bytes.
    pub async fn finish(self) -> Result<u64, TargetError> {
        match self.sink {
            Sink::File(staged) => staged.finish().await?,
            Sink::Object(mut writer) => {
                let done = writer.shutdown().await;
                done.map_err(|error| s3::failed_io("write the backup", &self.target, &error))?;
            }
        }
        Ok(self.bytes)
    }

    /// Gives up what was written.
    pub async fn abort(self) {
        match self.sink {
            Sink::File(staged) => staged.abort(),
            // Parts that stay behind show nowhere, and buckets have rules that remove them.
            Sink::Object(mut writer) => drop(writer.abort().await),
        }
    }
}

/// An archive that is being read.
pub struct Download {
    source: Source,
    target: String,
}

enum Source {
    File(tokio::fs::File),
    Object(BoxStream<'static, object_store::Result<Bytes>>),
}

impl Download {
    /// The next bytes; none at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, TargetError> {
        match &mut self.source {
            Source::File(file) => {
                let mut piece = Vec::with_capacity(PIECE);
                let read = file.take(PIECE as u64).read_to_end(&mut piece).await;
                let failed = |source| TargetError::File {
                    action: "read the backup",
                    target: self.target.clone(),
                    source,
                };
                read.map_err(failed)?;
                Ok(Some(Bytes::from(piece)).filter(|piece| !piece.is_empty()))
            }
            Source::Object(stream) => match stream.next().await.transpose() {
                Ok(piece) => Ok(piece),
                Err(error) => Err(TargetError::Bucket {
                    action: "read the backup",
                    target: self.target.clone(),
                    message: s3::reason(&error),
                }),
            },
        }
    }
}

/// A name is a relative path of plain parts.
fn checked(name: &str) -> Result<Path, TargetError> {
    let is_plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.chars().all(|found| found.is_ascii_alphanumeric() || "-_.".contains(found))
    };
    if name.split('/').all(is_plain) {
        Ok(Path::from(name))
    } else {
        Err(TargetError::Name { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::checked;

    #[test]
    fn a_name_cannot_lead_out_of_the_target() {
        assert!(checked("team/shop/nightly-1.flotilla").is_ok());
        for name in ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/.hidden", "a b", "a\0b"] {
            assert!(checked(name).is_err(), "{name:?}");
        }
    }
}
