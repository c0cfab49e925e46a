//! Arguments of the commands about what tenants have: their people, and what they use.

use clap::{Args, ValueEnum};

use super::{Form, HubChoice};

#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct Members {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// Of this tenant.
    #[arg(long, required_unless_present_any = ["project", "cluster"], conflicts_with_all = ["project", "cluster"])]
    pub(crate) tenant: Option<String>,
    /// Of this project.
    #[arg(long, conflicts_with = "cluster")]
    pub(crate) project: Option<String>,
    /// Of this cluster.
    #[arg(long, value_name = "ID")]
    pub(crate) cluster: Option<String>,
    /// Form of the output.
    #[arg(long, short, value_enum, default_value_t)]
    pub(crate) output: Form,
}

#[derive(Debug, Args)]
pub(crate) struct Metering {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// From this day on, such as `2026-05-01` [default: 29 days before the last].
    #[arg(long, value_name = "DAY")]
    pub(crate) from: Option<String>,
    /// Up to this day [default: today].
    #[arg(long, value_name = "DAY")]
    pub(crate) to: Option<String>,
    /// Of this tenant and those below it.
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// Of this cluster.
    #[arg(long, value_name = "ID")]
    pub(crate) cluster: Option<String>,
    /// What is added up [default: each day of each cluster stands alone].
    #[arg(long, value_enum)]
    pub(crate) by: Option<MeteringBy>,
    /// Form of the output.
    #[arg(long, short, value_enum, default_value_t)]
    pub(crate) output: Form,
}

/// What is added up.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum MeteringBy {
    /// All days of a tenant's clusters.
    Tenant,
    /// All days of a cluster.
    Cluster,
    /// All clusters of a day.
    Day,
}

impl MeteringBy {
    /// As the API calls it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Cluster => "cluster",
            Self::Day => "day",
        }
    }
}
