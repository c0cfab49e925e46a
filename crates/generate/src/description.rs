//! The description of the hub's API, as every hub serves it.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::Generated;

/// The one file.
pub(crate) fn file() -> Result<Generated> {
    let text = serde_json::to_string_pretty(&server::description()).context("write the API's description")?;
    Ok(Generated { path: PathBuf::from("generated/openapi.json"), text: text + "\n" })
}
