//! Arguments that are the same for all objects of a hub.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::HubChoice;

/// Form in which objects are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
    /// For files.
    Yaml,
    /// Names or ids only, one a line.
    Name,
}

#[derive(Debug, Args)]
pub(crate) struct Objects {
    #[command(subcommand)]
    pub(crate) command: ObjectCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ObjectCommand {
    /// List those that you may see.
    List(ObjectList),
    /// Show one.
    Show(ObjectShow),
    /// Make one.
    Create(ObjectWrite),
    /// Change some fields of one.
    Set(ObjectWrite),
    /// Make or write anew what a file says.
    Apply(ObjectApply),
    /// Delete one.
    Delete(ObjectDelete),
}

#[derive(Debug, Args)]
pub(crate) struct ObjectList {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// Text in the name.
    #[arg(long)]
    pub(crate) search: Option<String>,
    /// Form of the output.
    #[arg(long, short, value_enum, default_value_t)]
    pub(crate) output: Form,
}

#[derive(Debug, Args)]
pub(crate) struct ObjectShow {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// Its name or id.
    pub(crate) name: String,
    /// Form of the output.
    #[arg(long, short, value_enum, default_value = "yaml")]
    pub(crate) output: Form,
}

#[derive(Debug, Args)]
pub(crate) struct ObjectWrite {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// Its name.
    pub(crate) name: String,
    /// Fields of its spec, such as `tenant=acme` or `quota.clusters=5`. Values are JSON, or else text; without a value
    /// the field is left out.
    #[arg(value_name = "FIELD=VALUE")]
    pub(crate) fields: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ObjectApply {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// YAML or JSON with `name`, `labels` and `spec`; `-` is standard input.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ObjectDelete {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// Its name or id.
    pub(crate) name: String,
}
