//! Processes of the cluster, found by the namespaces and cgroups that they are in.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::state::ProcessIdentity;
use crate::{ClusterName, Error, Layout};

/// How long killed processes may take to vanish.
const PATIENCE: Duration = Duration::from_secs(15);
const INTERVAL: Duration = Duration::from_millis(20);

/// The identity of a running process.
pub(crate) fn identify(pid: u32) -> Option<ProcessIdentity> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(ProcessIdentity { pid, start_ticks: start_ticks(&stat)? })
}

/// Field 22 of `/proc/<pid>/stat` (proc(5)). The second field is the name in parentheses, which may
/// itself hold spaces and parentheses. A zombie is as good as gone.
fn start_ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    if fields.next()? == "Z" {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// Whether the process still runs.
pub(crate) fn is_alive(process: ProcessIdentity) -> bool {
    identify(process.pid) == Some(process)
}

/// All processes of the cluster but the supervisor and the caller.
pub(crate) fn of_cluster(layout: &Layout) -> Vec<u32> {
    let namespaces = namespace_inodes(layout);
    all()
        .into_iter()
        .filter(|pid| *pid != std::process::id())
        .filter(|pid| {
            let files = ["net", "mnt"].map(|kind| inode(Path::new(&format!("/proc/{pid}/ns/{kind}"))));
            files.iter().flatten().any(|inode| namespaces.contains(inode))
                || std::fs::read_to_string(format!("/proc/{pid}/cgroup"))
                    .is_ok_and(|cgroups| is_in_cluster(&cgroups, layout.name()))
        })
        .collect()
}

/// The processes in pods of the cluster.
pub(crate) fn of_pods(name: &ClusterName) -> Vec<u32> {
    let in_pods = |cgroups: &str| {
        is_in_cluster(cgroups, name) && cgroups.lines().any(|line| line.contains("/kubepods"))
    };
    all()
        .into_iter()
        .filter(|pid| std::fs::read_to_string(format!("/proc/{pid}/cgroup")).is_ok_and(|text| in_pods(&text)))
        .collect()
}

/// Whether `/proc/<pid>/cgroup` (lines `id:controllers:/path`) names a cgroup of the cluster.
fn is_in_cluster(cgroups: &str, name: &ClusterName) -> bool {
    cgroups
        .lines()
        .filter_map(|line| line.splitn(3, ':').nth(2)?.strip_prefix('/')?.split('/').next())
        .any(|scope| name.owns_scope(scope))
}

fn all() -> Vec<u32> {
    super::files::entries(Path::new("/proc")).iter().filter_map(|entry| entry.parse().ok()).collect()
}

/// The inodes of the cluster's namespaces; a namespace's number is unique on the machine.
fn namespace_inodes(layout: &Layout) -> Vec<u64> {
    let network = super::network::namespaces(layout.name());
    let network = network.iter().map(|scope| Path::new("/run/netns").join(scope));
    let mount = super::files::entries(&layout.namespaces());
    let mount = mount.iter().map(|entry| layout.namespaces().join(entry));
    // Files that are no namespaces (yet) are on the file system of /run, whose numbers mean another thing.
    // Never the caller's own namespaces, in which is all else on the machine.
    let own = ["net", "mnt"].map(|kind| inode(Path::new(&format!("/proc/self/ns/{kind}"))));
    network
        .chain(mount)
        .filter(|file| is_namespace(file))
        .filter_map(|file| inode(&file))
        .filter(|inode| !own.contains(&Some(*inode)))
        .collect()
}

fn is_namespace(file: &Path) -> bool {
    let own = std::fs::metadata("/proc/self/ns/net").map(|metadata| metadata.dev());
    matches!((own, std::fs::metadata(file)), (Ok(device), Ok(metadata)) if metadata.dev() == device)
}

fn inode(file: &Path) -> Option<u64> {
    std::fs::metadata(file).ok().map(|metadata| metadata.ino())
}

/// Sends a signal; a process that has ended meanwhile is no error.
pub(crate) fn signal(pid: u32, signal: Signal) {
    if let Ok(pid) = i32::try_from(pid) {
        let _ = kill(Pid::from_raw(pid), signal);
    }
}

/// Ends a process: asks, waits, kills.
pub(crate) fn end(process: ProcessIdentity, grace: Duration) {
    if !is_alive(process) {
        return;
    }
    signal(process.pid, Signal::SIGTERM);
    if !wait_until(grace, || !is_alive(process)) {
        signal(process.pid, Signal::SIGKILL);
        wait_until(PATIENCE, || !is_alive(process));
    }
}

/// Kills all processes of the cluster, also those that are started meanwhile.
pub(crate) fn kill_all(layout: &Layout) -> Result<(), Error> {
    let alive =
        || -> Vec<u32> { of_cluster(layout).into_iter().filter(|pid| identify(*pid).is_some()).collect() };
    let gone = wait_until(PATIENCE, || {
        let left = alive();
        for pid in &left {
            signal(*pid, Signal::SIGKILL);
        }
        super::cgroups::thaw(layout.name());
        left.is_empty()
    });
    if gone {
        return Ok(());
    }
    Err(Error::Remove {
        what: format!("the processes {:?}", alive()),
        reason: format!("they still run {} s after they were killed", PATIENCE.as_secs()),
    })
}

/// Repeats `condition` until it holds; false if it does not within `patience`.
fn wait_until(patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let start = std::time::Instant::now();
    while !condition() {
        if start.elapsed() >= patience {
            return false;
        }
        std::thread::sleep(INTERVAL);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::{identify, is_alive, is_in_cluster, start_ticks};
    use crate::state::ProcessIdentity;

    #[test]
    fn the_start_is_found_behind_a_strange_name() {
        let fields: Vec<String> = (4..=30).map(|number| number.to_string()).collect();
        let stat = format!("7 (a ) b) S {}", fields.join(" "));
        assert_eq!(start_ticks(&stat), Some(22));
        assert_eq!(start_ticks(&stat.replace(" S ", " Z ")), None);
    }

    #[test]
    fn a_process_is_not_mistaken_for_another_with_its_number() {
        let own = identify(std::process::id()).unwrap();
        assert!(is_alive(own));
        assert!(!is_alive(ProcessIdentity { start_ticks: own.start_ticks + 1, ..own }));
    }

    #[test]
    fn only_cgroups_of_the_cluster_count() {
        let name = "a".parse().unwrap();
        assert!(is_in_cluster("4:memory:/x\n3:pids:/flotilla-a-0/kubepods/pod1", &name));
        assert!(is_in_cluster("0::/flotilla-a-12", &name));
        assert!(!is_in_cluster("0::/flotilla-a-b-0/system", &name));
        assert!(!is_in_cluster("0::/user/flotilla-a-0", &name));
    }
}
