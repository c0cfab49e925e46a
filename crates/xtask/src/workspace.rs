//! Where things are in the work tree.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The work tree that the command runs in.
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// Walks up from the current directory to the root of the work tree.
    pub(crate) fn find() -> Result<Self> {
        let start = std::env::current_dir().context("read the current directory")?;
        let root = start
            .ancestors()
            .find(|directory| directory.join("kubernetes/versions").is_dir())
            .context("not inside the project: run `cargo xtask` in its work tree")?;
        Ok(Self { root: root.to_owned() })
    }

    /// The root of the work tree.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The directory of the Go module.
    pub(crate) fn kubernetes(&self) -> PathBuf {
        self.root.join("kubernetes")
    }

    /// Cargo's target directory; honours `CARGO_TARGET_DIR`.
    pub(crate) fn target(&self) -> PathBuf {
        std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| self.root.join("target"), |path| self.root.join(path))
    }

    /// The distribution directory, from which images are made.
    pub(crate) fn dist(&self) -> PathBuf {
        self.target().join("dist")
    }

    /// `path` as seen from the root, for messages.
    pub(crate) fn relative<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }
}
