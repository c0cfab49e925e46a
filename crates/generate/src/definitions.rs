//! The custom resource definitions, where Helm looks for them.

use std::path::Path;

use anyhow::{Context, Result};

use crate::Generated;

/// Helm installs what lies here before everything else.
const DIRECTORY: &str = "charts/flotilla/crds";

/// One file for each definition.
pub(crate) fn files() -> Result<Vec<Generated>> {
    api::crds()
        .iter()
        .map(|definition| {
            let plural = &definition.spec.names.plural;
            let yaml =
                serde_saphyr::to_string(definition).with_context(|| format!("write {plural} as YAML"))?;
            Ok(Generated {
                path: Path::new(DIRECTORY).join(format!("{plural}.yaml")),
                text: format!("# Written by `cargo xtask gen` from crates/api; do not edit.\n{yaml}"),
            })
        })
        .collect()
}
