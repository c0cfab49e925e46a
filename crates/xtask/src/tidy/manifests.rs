//! Rules for Cargo.toml files: ranks, inherited lints, dependencies only through the workspace table.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process;
use crate::workspace::Workspace;

/// Checks every member of the workspace.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let text = process::read(Command::new("cargo").current_dir(workspace.root()).args([
        "metadata",
        "--no-deps",
        "--format-version=1",
        "--locked",
    ]))?;
    let metadata: Value = serde_json::from_str(&text).context("parse cargo metadata")?;
    let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
    let mut faults = check_ranks(&packages);
    for package in &packages {
        let path = package["manifest_path"].as_str().unwrap_or_default();
        let manifest = fs::read_to_string(path).with_context(|| format!("read {path}"))?;
        let name = package["name"].as_str().unwrap_or_default();
        faults.extend(check_text(&manifest).into_iter().map(|fault| format!("{name}: {fault}")));
    }
    Ok(faults)
}

/// A crate depends only on crates of lower rank; dependencies of tests count too.
fn check_ranks(packages: &[Value]) -> Vec<String> {
    let ranks: BTreeMap<&str, Option<u64>> = packages
        .iter()
        .filter_map(|package| Some((package["name"].as_str()?, package["metadata"]["rank"].as_u64())))
        .collect();
    let mut faults = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(rank) = ranks.get(name).copied().flatten() else {
            faults.push(format!("{name}: no `rank` under [package.metadata]"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let on = dependency["name"].as_str().unwrap_or_default();
            if let Some(Some(other)) = ranks.get(on)
                && *other >= rank
            {
                faults.push(format!(
                    "{name} (rank {rank}) depends on {on} (rank {other}): only lower ranks may be used"
                ));
            }
        }
    }
    faults
}

/// Rules that need only the text of a member's manifest.
fn check_text(manifest: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if !manifest.contains("[lints]\nworkspace = true") {
        faults.push("lints are not inherited: add `[lints]` with `workspace = true`".to_owned());
    }
    let mut is_dependency_table = false;
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            is_dependency_table = line.trim_matches(['[', ']']).ends_with("dependencies");
        } else if is_dependency_table
            && !line.is_empty()
            && !line.starts_with('#')
            && !line.contains("workspace = true")
        {
            faults.push(format!("`{line}`: take it from [workspace.dependencies]"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn dependency_on_the_same_rank_is_a_fault() {
        let packages = [
            json!({"name": "low", "metadata": {"rank": 1}, "dependencies": []}),
            json!({"name": "peer", "metadata": {"rank": 1}, "dependencies": [{"name": "low"}, {"name": "serde"}]}),
            json!({"name": "high", "metadata": {"rank": 2}, "dependencies": [{"name": "low"}]}),
            json!({"name": "unranked", "metadata": null, "dependencies": []}),
        ];
        let faults = check_ranks(&packages);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].contains("peer (rank 1) depends on low (rank 1)"));
        assert!(faults[1].contains("unranked"));
    }

    #[test]
    fn manifest_takes_dependencies_and_lints_from_the_workspace() {
        let good = "[dependencies]\nserde.workspace = true\n\n[lints]\nworkspace = true\n";
        assert!(check_text(good).is_empty());
        let bad = "[dev-dependencies]\nserde = \"1\"\n";
        assert_eq!(check_text(bad).len(), 2);
    }
}
