//! What runs as a Job beside a tenant, with nothing but the tenant's own credentials: writes an archive, reads
//! it back, restores it, removes it. It asks no API server; how it went is its termination message.

mod backup;
mod place;
mod restore;
mod store;
mod verify;

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use place::Place;
use store::StoreArguments;

/// Longest message that a kubelet keeps.
const LONGEST_MESSAGE: usize = 3000;

/// Works on one archive of a tenant.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// Write the contents of a control plane to an archive and read it back
    Backup(BackupTask),
    /// Read an archive and check all of it
    Verify(VerifyTask),
    /// Check an archive, then make the contents of a control plane those of the archive
    Restore(RestoreTask),
    /// Remove an archive
    Remove(VerifyTask),
}

/// Arguments of `backup`.
#[derive(Debug, Args)]
pub struct BackupTask {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    store: StoreArguments,
    /// Namespace of the control plane
    #[arg(long)]
    namespace: String,
    /// Name of the control plane
    #[arg(long)]
    name: String,
    /// UID of the control plane
    #[arg(long)]
    uid: String,
    /// Version of Kubernetes that the control plane runs
    #[arg(long, default_value = "")]
    kubernetes_version: String,
}

/// Arguments of `verify` and `remove`.
#[derive(Debug, Args)]
pub struct VerifyTask {
    #[command(flatten)]
    place: Place,
}

/// Arguments of `restore`.
#[derive(Debug, Args)]
pub struct RestoreTask {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    store: StoreArguments,
}

/// How a task went: its termination message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Outcome {
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// Whether the archive was read back and is whole.
    pub(crate) verified: bool,
    /// Objects in the archive.
    pub(crate) objects: u64,
    /// Bytes of the archive.
    pub(crate) size: u64,
    /// Revision of the store that it shows.
    pub(crate) revision: i64,
    /// Fingerprint of its key.
    pub(crate) key: String,
    /// The moment that it shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) taken_at: Option<Timestamp>,
    /// Version of Kubernetes that wrote the objects.
    pub(crate) kubernetes_version: String,
    /// How long it took.
    pub(crate) milliseconds: u64,
}

/// Why a task failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TaskError {
    /// A file of a Secret is missing or unreadable.
    #[error("failed to read {path}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// A driver that nobody knows.
    #[error("there is no driver `{0}`")]
    Driver(String),
    /// The key is none.
    #[error("the Secret with the backup key cannot be used")]
    Key(#[from] ::backup::KeyError),
    /// The archive cannot be written or read.
    #[error(transparent)]
    Archive(#[from] ::backup::Error),
    /// The place of the archive failed.
    #[error(transparent)]
    Target(#[from] ::backup::TargetError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] datastore::Error),
    /// What was read back is not what was written.
    #[error("the archive holds {found} objects when it is read back, and {written} were written")]
    Differs {
        /// Objects that were written.
        written: u64,
        /// Objects that were found.
        found: u64,
    },
    /// Somebody else writes.
    #[error("the control plane's contents still change after {0} rounds; something else writes to them")]
    Unsettled(u32),
}

impl Task {
    /// Does it, and writes down how it went.
    ///
    /// # Errors
    /// Why it failed, which stands in the outcome too.
    pub async fn run(&self) -> anyhow::Result<()> {
        let result = self.place().result.clone();
        let began = std::time::Instant::now();
        let done = match self {
            Self::Backup(task) => Box::pin(backup::run(task)).await,
            Self::Verify(task) => Box::pin(verify::run(&task.place)).await,
            Self::Restore(task) => Box::pin(restore::run(task)).await,
            Self::Remove(task) => Box::pin(remove(&task.place)).await,
        };
        let mut outcome = done.unwrap_or_else(|error| {
            let mut message = crate::data_stores::chain(&error);
            while message.len() > LONGEST_MESSAGE {
                message.pop();
            }
            Outcome { error: Some(message), ..Outcome::default() }
        });
        outcome.milliseconds = began.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
        tracing::info!(objects = outcome.objects, bytes = outcome.size, "ended");
        let text = serde_json::to_string(&outcome).context("write the outcome as JSON")?;
        let written = tokio::fs::write(&result, text).await;
        written.with_context(|| format!("write the outcome to {}", result.display()))?;
        outcome.error.map_or(Ok(()), |message| Err(anyhow::anyhow!(message)))
    }

    fn place(&self) -> &Place {
        match self {
            Self::Backup(task) => &task.place,
            Self::Verify(task) | Self::Remove(task) => &task.place,
            Self::Restore(task) => &task.place,
        }
    }
}

async fn remove(place: &Place) -> Result<Outcome, TaskError> {
    place.target().await?.remove(&place.archive).await?;
    Ok(Outcome::default())
}
