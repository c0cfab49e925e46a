//! Arguments of the commands about oneself: hubs, keys, passwords, rights.

use clap::{Args, Subcommand};

use super::{Form, HubChoice, ObjectDelete};

#[derive(Debug, Args)]
pub(crate) struct Contexts {
    #[command(subcommand)]
    pub(crate) command: ContextCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ContextCommand {
    /// List the hubs that you are signed in to.
    List,
    /// Choose the hub that is meant where none is named.
    Use(ContextUse),
}

#[derive(Debug, Args)]
pub(crate) struct ContextUse {
    /// URL of the hub.
    #[arg(value_name = "URL")]
    pub(crate) hub: String,
}

#[derive(Debug, Args)]
pub(crate) struct Whoami {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// Form of the output.
    #[arg(long, short, value_enum, default_value = "yaml")]
    pub(crate) output: Form,
}

#[derive(Debug, Args)]
pub(crate) struct Password {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// User whose password is set [default: yourself].
    pub(crate) user: Option<String>,
    /// Read the password from standard input; for one's own, the old one on the line before.
    #[arg(long = "password-stdin")]
    pub(crate) from_stdin: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Keys {
    #[command(subcommand)]
    pub(crate) command: KeyCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// List your keys.
    List(KeyList),
    /// Make a key for a program and print it, this once.
    Create(KeyCreate),
    /// Delete a key.
    Delete(ObjectDelete),
}

#[derive(Debug, Args)]
pub(crate) struct KeyList {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// Form of the output.
    #[arg(long, short, value_enum, default_value_t)]
    pub(crate) output: Form,
}

#[derive(Debug, Args)]
pub(crate) struct KeyCreate {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// What you call it.
    pub(crate) name: String,
    /// Days until it ends.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=366))]
    pub(crate) days: u16,
    /// It may only read.
    #[arg(long)]
    pub(crate) read_only: bool,
    /// It may be used in this tenant and below; may be repeated.
    #[arg(long = "tenant", value_name = "TENANT")]
    pub(crate) tenants: Vec<String>,
    /// It may be used in this cluster; may be repeated.
    #[arg(long = "cluster", value_name = "ID")]
    pub(crate) clusters: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Access {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// Verb, such as `get`; without it only what holds there is told.
    #[arg(long, requires = "resource")]
    pub(crate) verb: Option<String>,
    /// Resource, such as `clusters`, or `pods` with --inside.
    #[arg(long)]
    pub(crate) resource: Option<String>,
    /// In this tenant.
    #[arg(long, conflicts_with_all = ["project", "cluster"])]
    pub(crate) tenant: Option<String>,
    /// In this project.
    #[arg(long, conflicts_with = "cluster")]
    pub(crate) project: Option<String>,
    /// In this cluster.
    #[arg(long, value_name = "ID")]
    pub(crate) cluster: Option<String>,
    /// In this namespace of the cluster.
    #[arg(long, requires = "cluster")]
    pub(crate) namespace: Option<String>,
    /// About objects inside the cluster, not those of the hub.
    #[arg(long)]
    pub(crate) inside: bool,
    /// Of this user [default: yourself].
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// Form of the output.
    #[arg(long, short, value_enum, default_value_t)]
    pub(crate) output: Form,
}

#[derive(Debug, Args)]
pub(crate) struct Audit {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// Entries from this time on, such as `2026-05-01T00:00:00Z`.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Of this user.
    #[arg(long, value_name = "USER")]
    pub(crate) actor: Option<String>,
    /// Of this tenant and those below it.
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// About this cluster.
    #[arg(long, value_name = "ID")]
    pub(crate) cluster: Option<String>,
    /// With this verb.
    #[arg(long)]
    pub(crate) verb: Option<String>,
    /// `allowed`, `denied` or `failed`.
    #[arg(long)]
    pub(crate) decision: Option<String>,
    /// How many of the newest, 1 to 1000.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) limit: u16,
    /// Form of the output.
    #[arg(long, short, value_enum, default_value_t)]
    pub(crate) output: Form,
}
