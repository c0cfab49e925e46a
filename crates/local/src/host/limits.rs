//! Limits of the machine that the containers of a few clusters reach, raised while any cluster is there.

use std::path::{Path, PathBuf};

use super::files;
use crate::Error;
use crate::layout::RUN_ROOT;

/// Watchers of files that one user may have. An API server takes six, and the kernel's usual 128 are taken by
/// twenty of them; containerd then does without its container runtime interface.
const INSTANCES: &str = "/proc/sys/fs/inotify/max_user_instances";
const ENOUGH: u64 = 8192;

/// Where the limit that was found is kept until the last cluster has gone.
fn found_before() -> PathBuf {
    Path::new(RUN_ROOT).join("inotify-instances")
}

/// Raises the limit if it is lower. A machine that does not let it be raised may still be good for a few tenants.
pub(crate) fn raise() -> Result<(), Error> {
    raise_in(Path::new(INSTANCES), &found_before())
}

fn raise_in(limit: &Path, kept: &Path) -> Result<(), Error> {
    let found = files::read_if_exists(limit)?.and_then(|text| text.trim().parse::<u64>().ok());
    let Some(found) = found.filter(|found| *found < ENOUGH) else { return Ok(()) };
    if files::read_if_exists(kept)?.is_none() {
        files::write(kept, &found.to_string())?;
    }
    if let Err(error) = std::fs::write(limit, ENOUGH.to_string()) {
        tracing::warn!(%error, "{} stays at {found}", limit.display());
    }
    Ok(())
}

/// Puts the limit back as it was found, unless somebody else has changed it since.
pub(crate) fn restore() -> Result<(), Error> {
    restore_in(Path::new(INSTANCES), &found_before())
}

fn restore_in(limit: &Path, kept: &Path) -> Result<(), Error> {
    let Some(found) = files::read_if_exists(kept)? else { return Ok(()) };
    if files::read_if_exists(limit)?.is_some_and(|text| text.trim() == ENOUGH.to_string()) {
        std::fs::write(limit, found).map_err(Error::file("write", limit))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{raise_in, restore_in};

    #[test]
    fn a_low_limit_is_raised_once_and_put_back_and_a_higher_one_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let (limit, kept) = (directory.path().join("limit"), directory.path().join("kept"));
        let read = || std::fs::read_to_string(&limit).unwrap();
        std::fs::write(&limit, "128\n").unwrap();
        raise_in(&limit, &kept).unwrap();
        raise_in(&limit, &kept).unwrap();
        assert_eq!(read(), "8192");
        restore_in(&limit, &kept).unwrap();
        assert_eq!(read(), "128");

        // Somebody else's wish counts.
        raise_in(&limit, &kept).unwrap();
        std::fs::write(&limit, "65536").unwrap();
        restore_in(&limit, &kept).unwrap();
        assert_eq!(read(), "65536");
        std::fs::remove_file(&kept).unwrap();
        raise_in(&limit, &kept).unwrap();
        assert_eq!(read(), "65536");
        assert!(!kept.exists());
    }
}
