//! `tidy`: rules of the project that no compiler checks. Every fault is listed, not only the first.

mod chart;
mod links;
mod manifests;
mod sources;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::process;
use crate::workspace::Workspace;

/// Runs all rules.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let files = tracked_files(workspace)?;
    let mut faults = Vec::new();
    faults.extend(manifests::check(workspace)?);
    faults.extend(sources::check(workspace, &files));
    faults.extend(links::check(workspace, &files));
    faults.extend(chart::check(workspace)?);
    if faults.is_empty() {
        return Ok(());
    }
    for fault in &faults {
        eprintln!("      {fault}");
    }
    bail!("tidy found {} fault(s)", faults.len())
}

/// The files of the project: what git tracks or would track.
fn tracked_files(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let listing = process::read(Command::new("git").current_dir(workspace.root()).args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))?;
    let mut files: Vec<PathBuf> = listing.lines().map(|line| workspace.root().join(line)).collect();
    files.retain(|path| path.is_file());
    files.sort();
    files.dedup();
    Ok(files)
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|extension| extension == wanted)
}
