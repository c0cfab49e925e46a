//! Arguments of the commands that speak to a hub.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Which hub.
#[derive(Debug, Args)]
pub(crate) struct HubChoice {
    /// URL of the hub [default: the one that was signed in to last].
    #[arg(long, env = "FLOTILLA_HUB", value_name = "URL")]
    pub(crate) hub: Option<String>,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Login {
    #[command(subcommand)]
    pub(crate) command: Option<LoginCommand>,
    #[command(flatten)]
    pub(crate) hub: Option<LoginHub>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LoginCommand {
    /// Let in a program that shows a code, as yourself.
    Approve(Decide),
    /// Turn away a program that shows a code.
    Deny(Decide),
}

#[derive(Debug, Args)]
pub(crate) struct Decide {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// The code that the program shows, such as `BCDF-GHJK`.
    pub(crate) code: String,
}

#[derive(Debug, Args)]
pub(crate) struct LoginHub {
    /// URL of the hub, such as `https://hub.example.com`.
    #[arg(value_name = "URL")]
    pub(crate) hub: String,
    /// File with the certificate of the authority that signed the hub's [default: as before, or those of the system].
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Name of the user who signs in with a password [default: you let the program in elsewhere].
    #[arg(long, short)]
    pub(crate) user: Option<String>,
    /// Six digits of the second factor, or a recovery code.
    #[arg(long, requires = "user")]
    pub(crate) code: Option<String>,
    /// Read the password from standard input instead of asking for it.
    #[arg(long, requires = "user")]
    pub(crate) password_stdin: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Logout {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
}

#[derive(Debug, Args)]
pub(crate) struct Credential {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// Id of the cluster whose own API server is asked; without it the hub is.
    #[arg(long, value_name = "ID")]
    pub(crate) cluster: Option<String>,
}
