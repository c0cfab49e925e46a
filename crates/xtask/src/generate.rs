//! `gen`: the generated files, written by the program of crates/generate, which knows the types; and the console's types
//! of the API.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::workspace::Workspace;
use crate::{build, console, process};

/// How to treat the generated files.
#[derive(Args)]
pub(crate) struct GenerateArguments {
    /// Writes nothing; fails and shows which files differ.
    #[arg(long)]
    pub(crate) check: bool,
}

/// Builds the generator with the workspace's features and runs it.
pub(crate) fn run(workspace: &Workspace, arguments: &GenerateArguments) -> Result<()> {
    process::run_step("build the generator", &mut build::program(workspace, &["flotilla-generate"], false))?;
    let mut generator = Command::new(build::built(workspace, "flotilla-generate", false));
    generator.current_dir(workspace.root());
    if arguments.check {
        generator.arg("--check");
    }
    process::run_open(&mut generator)?;
    // Whether they are as they should be is checked with the console.
    if arguments.check { Ok(()) } else { console::write_types(workspace) }
}
