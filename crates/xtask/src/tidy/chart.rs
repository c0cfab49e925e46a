//! Every value of the chart is documented and known to its schema.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::workspace::Workspace;

/// Checks values.yaml against itself and values.schema.json.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let chart = workspace.root().join("charts/flotilla");
    let read = |name: &str| {
        fs::read_to_string(chart.join(name)).with_context(|| format!("read {name} of the chart"))
    };
    let values = read("values.yaml")?;
    let schema: Value =
        serde_json::from_str(&read("values.schema.json")?).context("parse values.schema.json")?;
    let mut faults = undocumented(&values);
    let keys = top_level_keys(&values);
    let known: BTreeSet<&str> =
        schema["properties"].as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
    for key in keys.symmetric_difference(&known) {
        faults.push(format!(
            "charts/flotilla: value `{key}` is not in both values.yaml and values.schema.json"
        ));
    }
    Ok(faults)
}

/// Keys without a comment on the line above; keys inside a documented list or map of examples are
/// comments themselves and do not count.
fn undocumented(values: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut previous = "";
    for (number, line) in (1..).zip(values.lines()) {
        let text = line.trim();
        let is_key = !text.is_empty() && !text.starts_with(['#', '-']) && text.contains(':');
        if is_key && !previous.starts_with('#') {
            faults.push(format!("charts/flotilla/values.yaml:{number}: `{text}` has no comment above it"));
        }
        previous = text;
    }
    faults
}

fn top_level_keys(values: &str) -> BTreeSet<&str> {
    values
        .lines()
        .filter(|line| !line.starts_with([' ', '#', '-']))
        .filter_map(|line| line.split_once(':').map(|(key, _)| key))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_needs_its_comment() {
        let values = "# Number of pods.\nreplicas: 1\n# Image.\nimage:\n  tag: x\n";
        let faults = undocumented(values);
        assert_eq!(faults.len(), 1);
        assert!(faults[0].contains("tag: x"));
        assert_eq!(top_level_keys(values), BTreeSet::from(["replicas", "image"]));
    }
}
