//! The processes of a pod, found by the pod's UID in their control groups, and the CPU they used.

use std::fs;
use std::time::Duration;

/// Ticks of process times a second. The kernel's interface fixes it, whatever the kernel's own rate.
const TICKS_PER_SECOND: u64 = 100;

/// Name of the process that holds a pod's namespaces; it belongs to no container.
const SANDBOX: &str = "pause";

/// Processes of the containers of the pod with this UID on this machine.
pub(crate) fn of_pod(uid: &str) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid: &u32| {
            fs::read_to_string(format!("/proc/{pid}/cgroup")).is_ok_and(|groups| is_of_pod(&groups, uid))
                && fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() != SANDBOX)
        })
        .collect()
}

/// The cgroupfs driver writes the UID as it is, the systemd driver with underscores.
fn is_of_pod(groups: &str, uid: &str) -> bool {
    !uid.is_empty() && (groups.contains(uid) || groups.contains(&uid.replace('-', "_")))
}

/// CPU time that a live process has used.
pub(crate) fn cpu_time(pid: u32) -> Option<Duration> {
    parse_cpu_time(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// User and system time from /proc/PID/stat (proc(5)): fields 14 and 15. The name in field 2 may
/// hold blanks and parentheses, so counting starts behind the last one.
fn parse_cpu_time(stat: &str) -> Option<Duration> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 1000 / TICKS_PER_SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    const UID: &str = "0f2c61e3-1111-2222-3333-444455556666";

    #[test]
    fn both_cgroup_drivers_are_understood() {
        assert!(is_of_pod(&format!("5:memory:/kubepods/burstable/pod{UID}/abc"), UID));
        let systemd = "0::/kubepods.slice/kubepods-pod0f2c61e3_1111_2222_3333_444455556666.slice/cri-x.scope";
        assert!(is_of_pod(systemd, UID));
        assert!(!is_of_pod("0::/user.slice", UID));
        assert!(!is_of_pod("0::/user.slice", ""));
    }

    #[test]
    fn cpu_time_counts_user_and_system_ticks() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 9 0 100 1 1";
        assert_eq!(parse_cpu_time(stat), Some(Duration::from_secs(2)));
        assert_eq!(parse_cpu_time("garbage"), None);
    }

    #[test]
    fn own_process_used_cpu_time() {
        assert!(cpu_time(std::process::id()).is_some());
    }
}
