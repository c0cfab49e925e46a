//! The `flotilla` command. Data goes to standard output, everything else to standard error.

mod args;
mod commands;
mod error;
mod platform;
mod progress;
mod table;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

pub use error::Error;

/// The command line, for its reference page.
#[must_use]
pub fn command() -> clap::Command {
    args::Arguments::command()
}

/// Runs the command with the arguments of the process.
#[must_use]
pub fn run() -> ExitCode {
    match commands::run(args::Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", error.chain());
            ExitCode::from(error.exit_code())
        }
    }
}
