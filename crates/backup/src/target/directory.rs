//! Archives as files: written beside their place, made durable, then moved there.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;

use super::TargetError;

/// A file that is being written.
pub(super) struct Staged {
    root: PathBuf,
    /// Removes itself unless it was moved to its place.
    part: Part,
    place: PathBuf,
    file: File,
}

struct Part(Option<PathBuf>);

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // Without a way to tell; nobody takes the file for an archive.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Staged {
    pub(super) async fn create(root: &Path, name: &str) -> Result<Self, TargetError> {
        let place = root.join(name);
        let directory = place.parent().unwrap_or(root);
        // The root itself is not made: a volume that is not mounted must not look like an empty one.
        let known = fs::metadata(root).await.map_err(|source| failed("find the directory", root, source))?;
        if !known.is_dir() {
            return Err(failed("find the directory", root, ErrorKind::NotADirectory.into()));
        }
        fs::create_dir_all(directory).await.map_err(|source| failed("make a directory", root, source))?;
        let file_name = place.file_name().unwrap_or_default().to_string_lossy();
        let part = directory.join(format!(".{file_name}.part"));
        let file = File::create(&part).await.map_err(|source| failed("write the backup", root, source))?;
        Ok(Self { root: root.to_owned(), part: Part(Some(part)), place, file })
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), TargetError> {
        let written = self.file.write_all(bytes).await;
        written.map_err(|source| failed("write the backup", &self.root, source))
    }

    pub(super) async fn finish(mut self) -> Result<(), TargetError> {
        let failed = |source| failed("write the backup", &self.root, source);
        // Bytes that wait in the file's buffer are written first; their error shows here.
        self.file.flush().await.map_err(failed)?;
        self.file.sync_all().await.map_err(failed)?;
        if let Some(part) = self.part.0.as_ref() {
            fs::rename(part, &self.place).await.map_err(failed)?;
        }
        self.part.0 = None;
        let directory = self.place.parent().unwrap_or(&self.root);
        File::open(directory).await.map_err(failed)?.sync_all().await.map_err(failed)
    }

    pub(super) fn abort(self) {
        drop(self.part);
    }
}

/// Removes an archive, and the directories that it leaves empty.
pub(super) async fn remove(root: &Path, name: &str) -> Result<(), TargetError> {
    let place = root.join(name);
    match fs::remove_file(&place).await {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(failed("remove the backup", root, source)),
    }
    for directory in place.ancestors().skip(1).take_while(|directory| *directory != root) {
        if fs::remove_dir(directory).await.is_err() {
            // Others are in it.
            break;
        }
    }
    Ok(())
}

pub(super) fn failed(action: &'static str, root: &Path, source: std::io::Error) -> TargetError {
    let target = format!("directory {}", root.display());
    match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            TargetError::Full { target, source }
        }
        _ => TargetError::File { action, target, source },
    }
}
