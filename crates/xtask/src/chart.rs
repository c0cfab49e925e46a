//! `chart`: lints charts/flotilla and holds its renders against golden files.
//!
//! A case is a pair in charts/flotilla/tests: `NAME.values.yaml` and what it renders to, `NAME.golden.yaml`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::process;
use crate::workspace::Workspace;

/// The oldest Kubernetes that the chart says it supports; renders are made for a fixed version.
const RENDERED_FOR: &str = "1.33.0";

/// How to treat the golden files.
#[derive(Args)]
pub(crate) struct ChartArguments {
    /// Writes the golden files instead of comparing with them.
    #[arg(long)]
    pub(crate) update: bool,
}

/// Lints and renders every case.
pub(crate) fn run(workspace: &Workspace, arguments: &ChartArguments) -> Result<()> {
    let helm = workspace.dist().join("tools/helm");
    if !helm.is_file() {
        bail!("no Helm in {}; run `cargo xtask build` first", workspace.relative(&helm).display());
    }
    let chart = workspace.root().join("charts/flotilla");
    let mut different = Vec::new();
    for values in cases(&chart.join("tests"))? {
        process::read(
            Command::new(&helm).args(["lint", "--strict", "--quiet"]).arg(&chart).arg("-f").arg(&values),
        )
        .with_context(|| format!("lint with {}", workspace.relative(&values).display()))?;
        let rendered = render(&helm, &chart, &values)?;
        let golden = golden_path(&values);
        if arguments.update {
            fs::write(&golden, &rendered).with_context(|| format!("write {}", golden.display()))?;
        } else if fs::read_to_string(&golden).unwrap_or_default() != rendered {
            different.push(golden);
            show_difference(different.last().map_or(Path::new(""), PathBuf::as_path), &rendered);
        }
    }
    if different.is_empty() {
        return Ok(());
    }
    bail!("{} golden file(s) differ; run `cargo xtask chart --update` and look at the diff", different.len())
}

/// The values files of the cases, in order of name.
fn cases(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).with_context(|| format!("list {}", directory.display()))? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(".values.yaml") {
            found.push(path);
        }
    }
    if found.is_empty() {
        bail!("no cases in {}", directory.display());
    }
    found.sort();
    Ok(found)
}

fn golden_path(values: &Path) -> PathBuf {
    PathBuf::from(values.to_string_lossy().replace(".values.yaml", ".golden.yaml"))
}

fn render(helm: &Path, chart: &Path, values: &Path) -> Result<String> {
    process::read(
        Command::new(helm)
            .args(["template", "flotilla"])
            .arg(chart)
            .args(["--namespace", "flotilla-system", "--kube-version", RENDERED_FOR, "-f"])
            .arg(values),
    )
    .with_context(|| format!("render with {}", values.display()))
}

/// Shows the difference as `diff` does; a machine without it only hears that there is one.
fn show_difference(golden: &Path, rendered: &str) {
    eprintln!("{} differs from the render", golden.display());
    let fresh = golden.with_extension("rendered");
    if fs::write(&fresh, rendered).is_ok() {
        let _ = Command::new("diff").arg("-u").arg(golden).arg(&fresh).status();
        let _ = fs::remove_file(&fresh);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_file_lies_beside_its_values() {
        assert_eq!(golden_path(Path::new("t/ha.values.yaml")), Path::new("t/ha.golden.yaml"));
    }
}
