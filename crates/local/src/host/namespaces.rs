//! A mount namespace per node, in which kubelet and containerd find the paths that they insist on.
//!
//! Everything they mount lives in it and vanishes with it, whatever happened to the processes.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::{files, limits, run};
use crate::layout::RUN_ROOT;
use crate::{Error, Layout};

/// Directories outside the data directory that had to be made as mount points.
fn made_directories() -> PathBuf {
    Path::new(RUN_ROOT).join("made-directories")
}

/// Paths in the namespace of a node and the directories that are mounted there.
fn bindings(layout: &Layout, node: u8) -> [(&'static str, PathBuf); 5] {
    [
        ("/var/lib/kubelet", layout.node(node).join("kubelet")),
        ("/var/log/pods", layout.node(node).join("pod-logs")),
        ("/var/log/containers", layout.node_run(node).join("container-logs")),
        ("/var/lib/cni", layout.node_run(node).join("cni")),
        // Shims put their sockets into /run/containerd whatever the configuration says.
        ("/run/containerd", layout.node_run(node).join("containerd")),
    ]
}

/// Makes the namespace of a node.
pub(crate) fn create(layout: &Layout, node: u8) -> Result<(), Error> {
    // In a namespace of its own, so that the mounts below are nobody else's: first all is private,
    // then shared within, which lets a pod with `Bidirectional` propagation show its mounts to others.
    let mut script = String::from("mount --make-rshared /\n");
    for (point, source) in bindings(layout, node) {
        files::create_directory(&source)?;
        create_mount_point(Path::new(point))?;
        let _ = writeln!(script, "mount --bind '{}' {point}", source.display());
    }
    let file = layout.mount_namespace(node);
    files::write(&file, "")?;
    let argument = format!("--mount={}", file.display());
    run("unshare", &[&argument, "--propagation", "private", "/bin/sh", "-ec", &script]).map(drop)
}

/// Makes the directory for namespace files. A mount namespace can only be bound to a file below a
/// private mount (unshare(1)).
pub(crate) fn create_directory(layout: &Layout) -> Result<(), Error> {
    let directory = layout.namespaces();
    files::create_directory(&directory)?;
    run("mount", &[Path::new("--bind"), &directory, &directory])?;
    run("mount", &[Path::new("--make-private"), &directory]).map(drop)
}

fn create_mount_point(point: &Path) -> Result<(), Error> {
    let missing: Vec<&Path> = point.ancestors().take_while(|path| !path.exists()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    remember(&missing)?;
    files::create_directory(point)
}

/// Records directories before they are made, the deepest first.
fn remember(directories: &[&Path]) -> Result<(), Error> {
    let mut text = String::new();
    for directory in directories {
        let _ = writeln!(text, "{}", directory.display());
    }
    let recorded = files::read_if_exists(&made_directories())?.unwrap_or_default();
    files::write(&made_directories(), &(text + &recorded))
}

/// Remembers that `ip netns` is about to make /run/netns, a mount of its own.
pub(crate) fn remember_network_namespaces() -> Result<(), Error> {
    let directory = Path::new("/run/netns");
    if directory.exists() { Ok(()) } else { remember(&[directory]) }
}

/// Removes the cluster's namespaces and mounts. Its processes must be gone.
pub(crate) fn remove(layout: &Layout) -> Result<(), Error> {
    for point in mounts_below(&[layout.data(), &layout.run()]) {
        // Lazily: a stray user, such as a shell in the directory, must not be in the way.
        run("umount", &["--lazy", &point])?;
    }
    Ok(())
}

/// Removes the mount points that were made for clusters, once no cluster is left: where a directory
/// is a mount point in another namespace, removing it would end that mount.
pub(crate) fn remove_mount_points() -> Result<(), Error> {
    let others = files::entries(Path::new(RUN_ROOT));
    if others.iter().any(|entry| Path::new(RUN_ROOT).join(entry).is_dir()) {
        return Ok(());
    }
    for directory in files::read_if_exists(&made_directories())?.unwrap_or_default().lines() {
        if files::entries(Path::new(directory)).is_empty() {
            for point in mounts_below(&[Path::new(directory)]) {
                run("umount", &[&point])?;
            }
            // Somebody else may have taken the directory into use.
            let _ = std::fs::remove_dir(directory);
        }
    }
    limits::restore()?;
    files::remove_tree(Path::new(RUN_ROOT))
}

/// Mount points at or below the given directories, the innermost first.
fn mounts_below(directories: &[&Path]) -> Vec<String> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    points_below(&mounts, directories)
}

/// The fifth field of a line of mountinfo is the mount point, with spaces as `\040`.
fn points_below(mounts: &str, directories: &[&Path]) -> Vec<String> {
    let mut points: Vec<String> = mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(|point| point.replace("\\040", " "))
        .filter(|point| directories.iter().any(|directory| Path::new(point).starts_with(directory)))
        .collect();
    // Later lines are mounted on top of earlier ones.
    points.reverse();
    points
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::points_below;

    #[test]
    fn only_mounts_below_are_found_and_the_last_comes_first() {
        let mounts = "1 0 8:1 / / rw - ext4 x rw\n\
                      2 1 8:1 /a /run/f/a rw - ext4 x rw\n\
                      3 2 0:4 n /run/f/a/n rw - nsfs n rw\n\
                      4 1 0:4 n /run/fine rw - tmpfs n rw\n";
        assert_eq!(points_below(mounts, &[Path::new("/run/f")]), ["/run/f/a/n", "/run/f/a"]);
    }
}
