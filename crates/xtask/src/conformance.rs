//! `conformance`: upstream's end-to-end tests against a tenant with two workers.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::build::{self, BuildArguments};
use crate::workspace::Workspace;
use crate::{process, setup};

/// Which tests.
#[derive(Args)]
pub(crate) struct ConformanceArguments {
    /// Regular expression over the names of tests, in place of all that can run here.
    #[arg(value_name = "FOCUS")]
    focus: Option<String>,
}

/// Builds what is needed and runs the tests.
pub(crate) fn run(workspace: &Workspace, arguments: &ConformanceArguments) -> Result<()> {
    const PROGRAM: &str = "flotilla-conformance";
    setup::run_for_the_conformance()?;
    build::run(workspace, &BuildArguments::of_the_conformance())?;
    process::run_step("build flotilla-conformance", &mut build::program(workspace, &[PROGRAM], false))?;
    process::run_open(
        Command::new(build::built(workspace, PROGRAM, false))
            .current_dir(workspace.root())
            .args(&arguments.focus),
    )
}
