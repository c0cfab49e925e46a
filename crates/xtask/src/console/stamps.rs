//! What was done already, and from which files: it is done again only after one of them changed.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::progress;

/// A directory with a file for each thing that was done.
pub(super) struct Stamps {
    pub(super) directory: PathBuf,
}

impl Stamps {
    /// Calls `action`, unless it was done with the same `files`.
    pub(super) fn unless_done(
        &self,
        name: &str,
        files: &[PathBuf],
        title: &str,
        action: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let (path, fingerprint) = (self.directory.join(name), digest(files)?);
        if fs::read_to_string(&path).is_ok_and(|found| found == fingerprint) {
            progress::up_to_date(title);
            return Ok(());
        }
        self.forget(name)?;
        action()?;
        fs::create_dir_all(&self.directory).context("create a directory for stamps")?;
        fs::write(&path, fingerprint).with_context(|| format!("write {}", path.display()))
    }

    /// It will be done again.
    pub(super) fn forget(&self, name: &str) -> Result<()> {
        let path = self.directory.join(name);
        if path.exists() {
            fs::remove_file(&path).with_context(|| format!("remove {}", path.display()))?;
        }
        Ok(())
    }
}

/// The files below a directory, but for directories called one of `made`; in order.
pub(super) fn sources(directory: &Path, made: &[&str]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).with_context(|| format!("list {}", directory.display()))? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| made.iter().any(|made| name == *made)) {
            continue;
        }
        if path.is_dir() { files.extend(sources(&path, made)?) } else { files.push(path) }
    }
    files.sort();
    Ok(files)
}

/// A digest of paths and contents.
fn digest(files: &[PathBuf]) -> Result<String> {
    let mut digest = Sha256::new();
    for path in files {
        digest.update(path.to_string_lossy().as_bytes());
        digest.update([0]);
        digest.update(fs::read(path).with_context(|| format!("read {}", path.display()))?);
        digest.update([0]);
    }
    Ok(digest.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_is_done_again_only_after_a_change_of_sources() {
        let root = tempfile::tempdir().unwrap();
        let source = root.path().join("a.ts");
        fs::create_dir(root.path().join("made")).unwrap();
        fs::write(&source, "1").unwrap();
        let stamps = Stamps { directory: root.path().join("made/stamps") };
        let mut runs = 0;
        let mut run = || {
            let files = sources(root.path(), &["made"]).unwrap();
            let count = || {
                runs += 1;
                Ok(())
            };
            stamps.unless_done("checked", &files, "check", count).unwrap();
            runs
        };
        assert_eq!(run(), 1);
        fs::write(root.path().join("made/b.js"), "made").unwrap();
        assert_eq!(run(), 1);
        fs::write(&source, "2").unwrap();
        assert_eq!(run(), 2);
    }

    #[test]
    fn what_failed_is_tried_again() {
        let root = tempfile::tempdir().unwrap();
        let stamps = Stamps { directory: root.path().to_owned() };
        for _ in 0..2 {
            assert!(stamps.unless_done("checked", &[], "check", || anyhow::bail!("red")).is_err());
        }
    }
}
