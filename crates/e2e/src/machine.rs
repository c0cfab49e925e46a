//! What a local cluster leaves on the machine, to compare before and after.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// Links, routes, namespaces, mounts and cgroups of the machine, one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traces(BTreeSet<String>);

impl Traces {
    /// Looks at the machine.
    pub fn take() -> Result<Self> {
        let mut lines = BTreeSet::new();
        for arguments in [["-o", "link"], ["-o", "route"], ["netns", "list"]] {
            lines.extend(ip(&arguments)?.into_iter().map(|line| format!("ip {}: {line}", arguments[1])));
        }
        let mounts = std::fs::read_to_string("/proc/self/mounts").context("read the mounts")?;
        lines.extend(mounts.lines().map(|line| format!("mount: {line}")));
        let watchers = std::fs::read_to_string("/proc/sys/fs/inotify/max_user_instances")?;
        lines.insert(format!("inotify: {watchers}"));
        cgroups(Path::new("/sys/fs/cgroup"), 0, &mut lines);
        Ok(Self(lines))
    }

    /// What is here and was not there.
    #[must_use]
    pub fn beyond(&self, before: &Self) -> Vec<String> {
        self.0.difference(&before.0).cloned().collect()
    }
}

/// Lines of `ip`, without counters and indices, which change by themselves.
fn ip(arguments: &[&str]) -> Result<Vec<String>> {
    let output = Command::new("ip").args(arguments).output().context("run ip")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text
        .lines()
        .map(|line| line.split_once(": ").map_or(line, |(_, rest)| rest))
        .map(|line| line.split(" qdisc").next().unwrap_or(line).to_owned())
        .collect())
}

/// Directories of the hierarchies, deep enough to see a cluster's own. What is deeper belongs to others, and
/// comes and goes.
fn cgroups(directory: &Path, depth: usize, lines: &mut BTreeSet<String>) {
    if depth > 1 {
        return;
    }
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            lines.insert(format!("cgroup: {}", path.display()));
            cgroups(&path, depth + 1, lines);
        }
    }
}
