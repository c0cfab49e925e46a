//! `bench`: builds what is needed and runs the measurements of crates/bench.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::build::{self, BuildArguments};
use crate::workspace::Workspace;
use crate::{console, process, setup};

/// The flag that leaves the cluster and the operator as they are.
const NO_INSTALL: &str = "--no-install";

/// What to pass on.
#[derive(Args)]
pub(crate) struct BenchArguments {
    /// Measures the console in a browser, and nothing else.
    #[arg(long)]
    console: bool,
    /// Flags of `flotilla-bench`, behind `--`.
    #[arg(last = true, value_name = "FLAGS")]
    flags: Vec<String>,
}

/// Builds and measures.
pub(crate) fn run(workspace: &Workspace, arguments: &BenchArguments) -> Result<()> {
    if arguments.console {
        setup::run()?;
        return console::measure(workspace);
    }
    if !arguments.flags.iter().any(|flag| flag == NO_INSTALL) {
        setup::run()?;
        build::run(workspace, &BuildArguments::of_the_bench())?;
    }
    let mut build = build::program(workspace, &["flotilla-bench", "flotilla-fleet"], true);
    process::run_step("build flotilla-bench", &mut build)?;
    process::run_open(
        Command::new(build::built(workspace, "flotilla-bench", true))
            .current_dir(workspace.root())
            .args(&arguments.flags),
    )
}
