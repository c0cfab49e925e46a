//! Arguments of `flotilla api`.

use clap::{Args, ValueEnum};

use super::HubChoice;

#[derive(Debug, Args)]
pub(crate) struct Api {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// Method of the request.
    #[arg(value_enum, ignore_case = true)]
    pub(crate) method: Method,
    /// Path below `/api/v1/`, with its query, such as `clusters?state=Ready`.
    pub(crate) path: String,
    /// Read the body, JSON, from standard input, where no other user of the machine sees it.
    #[arg(long)]
    pub(crate) stdin: bool,
    /// The body, JSON, without secrets.
    #[arg(long, short, value_name = "JSON", conflicts_with = "stdin")]
    pub(crate) data: Option<String>,
}

/// Methods of the API.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Method {
    /// Reads.
    Get,
    /// Makes, or does.
    Post,
    /// Writes anew.
    Put,
    /// Changes.
    Patch,
    /// Deletes.
    Delete,
}

impl Method {
    /// As it is sent.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}
