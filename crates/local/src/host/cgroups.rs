//! One cgroup per node in every hierarchy of the machine, version 1, 2 or both.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::files;
use crate::{ClusterName, Error};

/// The cgroup below a node's in which its own programs run; pods are beside it.
const SYSTEM: &str = "system";
/// The cgroup of the supervisor below node 0's. The short-lived programs that it calls inherit it, so
/// that a sweep finds them even if the supervisor was killed in the middle.
const SUPERVISOR: &str = "supervisor";

/// A mounted hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hierarchy {
    point: PathBuf,
    /// Version 2, or the version 1 hierarchy of this controller is enough to find processes again.
    tracks_processes: bool,
}

fn hierarchies() -> Vec<Hierarchy> {
    parse(&std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default())
}

/// Mount points of the hierarchies.
#[must_use]
pub fn points() -> Vec<PathBuf> {
    hierarchies().into_iter().map(|hierarchy| hierarchy.point).collect()
}

/// Reads mountinfo: mount point in the fifth field, after ` - ` the file system's type and options.
/// Processes are tracked in one hierarchy: version 1's `pids`, and without that version 2's.
fn parse(mounts: &str) -> Vec<Hierarchy> {
    let mut found: Vec<(PathBuf, bool, bool)> = mounts
        .lines()
        .filter_map(|line| {
            let (place, system) = line.split_once(" - ")?;
            let point = PathBuf::from(place.split(' ').nth(4)?);
            let kind = system.split(' ').next()?;
            let options = system.split(' ').nth(2).unwrap_or_default();
            let is_pids = kind == "cgroup" && options.split(',').any(|option| option == "pids");
            kind.starts_with("cgroup").then_some((point, is_pids, kind == "cgroup2"))
        })
        .collect();
    found.dedup_by(|one, other| one.0 == other.0);
    let has_pids = found.iter().any(|(_, is_pids, _)| *is_pids);
    found
        .into_iter()
        .map(|(point, is_pids, is_v2)| Hierarchy {
            point,
            tracks_processes: if has_pids { is_pids } else { is_v2 },
        })
        .collect()
}

/// Makes the cgroups of a node.
pub(crate) fn create(name: &ClusterName, node: u8) -> Result<(), Error> {
    for hierarchy in hierarchies() {
        let directory = hierarchy.point.join(name.scope(node));
        files::create_directory(&directory)?;
        if hierarchy.tracks_processes {
            files::create_directory(&directory.join(SYSTEM))?;
        }
    }
    Ok(())
}

/// The `cgroup.procs` files into which the programs of a node are entered.
pub(crate) fn entries_for_programs(name: &ClusterName, node: u8) -> Vec<PathBuf> {
    hierarchies()
        .into_iter()
        .filter(|hierarchy| hierarchy.tracks_processes)
        .map(|hierarchy| hierarchy.point.join(name.scope(node)).join(SYSTEM).join("cgroup.procs"))
        .collect()
}

/// Enters this process into the supervisor's cgroup.
pub(crate) fn enter_as_supervisor(name: &ClusterName) -> Result<(), Error> {
    for hierarchy in hierarchies().into_iter().filter(|hierarchy| hierarchy.tracks_processes) {
        let directory = hierarchy.point.join(name.scope(0)).join(SUPERVISOR);
        files::create_directory(&directory)?;
        let entry = directory.join("cgroup.procs");
        std::fs::write(&entry, std::process::id().to_string()).map_err(Error::file("write", &entry))?;
    }
    Ok(())
}

/// Thaws what is frozen in cgroups of the cluster: a frozen process takes no signal, and a runtime that was
/// killed in the middle of a change leaves its cgroup frozen.
pub(crate) fn thaw(name: &ClusterName) {
    for point in points() {
        let scopes = files::entries(&point).into_iter().filter(|entry| name.owns_scope(entry));
        scopes.for_each(|scope| thaw_tree(&point.join(scope)));
    }
}

/// Thaws a cgroup and those below it, version 1 and 2. What cannot be thawed is reported as not gone.
pub fn thaw_tree(directory: &Path) {
    for (file, thawed) in [("freezer.state", "THAWED"), ("cgroup.freeze", "0")] {
        let file = directory.join(file);
        if file.exists() {
            let _ = std::fs::write(file, thawed);
        }
    }
    for entry in files::entries(directory).into_iter().map(|entry| directory.join(entry)) {
        if entry.is_dir() {
            thaw_tree(&entry);
        }
    }
}

/// Removes all cgroups of the cluster. Their processes must be gone.
pub(crate) fn remove(name: &ClusterName) -> Result<(), Error> {
    for hierarchy in hierarchies() {
        for entry in files::entries(&hierarchy.point) {
            if name.owns_scope(&entry) {
                remove_tree(&hierarchy.point.join(entry))?;
            }
        }
    }
    Ok(())
}

/// A cgroup is removed as an empty directory, although files are seen in it. The kernel may need a
/// moment after the last process has ended.
fn remove_tree(directory: &Path) -> Result<(), Error> {
    const ATTEMPTS: usize = 100;
    for entry in files::entries(directory) {
        let child = directory.join(entry);
        if child.is_dir() {
            remove_tree(&child)?;
        }
    }
    let mut result = std::fs::remove_dir(directory);
    for _ in 0..ATTEMPTS {
        if result.is_ok() || !directory.exists() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(20));
        result = std::fs::remove_dir(directory);
    }
    result.map_err(|error| Error::Remove {
        what: format!("the cgroup {}", directory.display()),
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn tracked(mounts: &str) -> Vec<String> {
        let hierarchies = parse(mounts);
        hierarchies.iter().filter(|h| h.tracks_processes).map(|h| h.point.display().to_string()).collect()
    }

    #[test]
    fn processes_are_tracked_in_one_hierarchy_on_each_kind_of_machine() {
        let hybrid = "1 0 0:1 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                      2 0 0:2 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n\
                      3 0 0:3 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        assert_eq!(tracked(hybrid), ["/sys/fs/cgroup/pids"]);
        let unified = "1 0 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n";
        assert_eq!(tracked(unified), ["/sys/fs/cgroup"]);
    }
}
