//! Relative links in Markdown files lead somewhere.

use std::fs;
use std::path::PathBuf;

use super::has_extension;
use crate::workspace::Workspace;

/// Checks every Markdown file of the project.
pub(super) fn check(workspace: &Workspace, files: &[PathBuf]) -> Vec<String> {
    let mut faults = Vec::new();
    for path in files.iter().filter(|path| has_extension(path, "md")) {
        let Ok(text) = fs::read_to_string(path) else { continue };
        let Some(directory) = path.parent() else { continue };
        for target in targets(&text) {
            if !directory.join(target).exists() {
                faults
                    .push(format!("{}: link to {target} leads nowhere", workspace.relative(path).display()));
            }
        }
    }
    faults
}

/// Targets of relative links, without their anchors.
fn targets(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        if is_code {
            continue;
        }
        for part in line.split("](").skip(1) {
            let Some((target, _)) = part.split_once(')') else { continue };
            let target = target.split('#').next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:") {
                found.push(target);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_relative_links_outside_code_count() {
        let text = "[a](docs/a.md#part) [b](https://x.y/z) [c](#here)\n```\n[d](nowhere)\n```\n[e](e.md)";
        assert_eq!(targets(text), ["docs/a.md", "e.md"]);
    }
}
