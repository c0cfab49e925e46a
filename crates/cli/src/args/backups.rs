//! Arguments of `flotilla cluster backups`, `backup` and `restore`.

use clap::{ArgGroup, Args};

use super::{Form, HubChoice};

#[derive(Debug, Args)]
pub(crate) struct BackupList {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// Id of the cluster, such as `acme.prod`.
    pub(crate) id: String,
    /// Show what was brought back, and how far it is.
    #[arg(long)]
    pub(crate) restores: bool,
    /// Form of the output.
    #[arg(long, short, value_enum, default_value_t)]
    pub(crate) output: Form,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("target").args(["bucket", "volume", "directory"])))]
pub(crate) struct BackupTake {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// Id of the cluster, such as `acme.prod`.
    pub(crate) id: String,
    /// Name of the backup [default: cluster and time].
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Keep it in this bucket [default: where the cluster's backups are kept so far].
    #[arg(long, requires = "secret")]
    pub(crate) bucket: Option<String>,
    /// Address of the bucket's service, such as `https://s3.example.com` [default: AWS].
    #[arg(long, requires = "bucket", value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// Secret in the tenant's namespace with the bucket's credentials.
    #[arg(long, requires = "bucket", value_name = "NAME")]
    pub(crate) secret: Option<String>,
    /// Keep it on the volume of this claim in the tenant's namespace.
    #[arg(long, value_name = "CLAIM")]
    pub(crate) volume: Option<String>,
    /// Keep it in the operator's directory.
    #[arg(long)]
    pub(crate) directory: bool,
    /// Delete the archive together with the backup.
    #[arg(long)]
    pub(crate) delete_archive: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BackupRestore {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// Id of the cluster, such as `acme.prod`.
    pub(crate) id: String,
    /// Backup of the cluster that is brought back.
    #[arg(required_unless_present = "call_off")]
    pub(crate) backup: Option<String>,
    /// Call this restore off instead, while nothing was replaced, or forget it if it has ended.
    #[arg(long, value_name = "RESTORE", conflicts_with = "backup")]
    pub(crate) call_off: Option<String>,
}
