//! The `flotilla` command. Data goes to standard output, everything else to standard error.

mod args;
mod commands;
mod connection;
mod error;
mod fields;
mod hub;
mod nouns;
mod output;
mod platform;
mod progress;
mod table;

use std::process::ExitCode;

use clap::error::ErrorKind;
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
    let arguments = match args::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return explain(&error),
    };
    match commands::run(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", error.chain());
            ExitCode::from(error.exit_code())
        }
    }
}

/// Prints help, the version or what is wrong with the arguments; the last is the user's fault.
fn explain(error: &clap::Error) -> ExitCode {
    // If the terminal is gone there is nobody to tell.
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
        _ => ExitCode::from(1),
    }
}
