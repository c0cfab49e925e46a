//! Facts about the machine, without which figures mean nothing.

use std::fs;

use base::{Clock, SystemClock};
use kube::Client;
use serde::Serialize;

/// What the figures were measured on.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Facts {
    measured_at: String,
    cpu_model: String,
    cpus: usize,
    memory_mib: u64,
    architecture: &'static str,
    kernel: String,
    /// Version of the management cluster.
    kubernetes: String,
}

/// Facts of this machine and of the management cluster, if there is one.
pub(crate) async fn facts(client: Option<Client>) -> Facts {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let kubernetes = match client {
        Some(client) => client.apiserver_version().await.map(|info| info.git_version).ok(),
        None => None,
    };
    Facts {
        measured_at: SystemClock.now().to_string(),
        cpu_model: field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| "unknown".to_owned()),
        cpus: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        memory_mib: total_memory_mib(&read("/proc/meminfo")),
        architecture: std::env::consts::ARCH,
        kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        kubernetes: kubernetes.unwrap_or_else(|| "unknown".to_owned()),
    }
}

/// The value of the first line `name : value`.
fn field(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

fn total_memory_mib(meminfo: &str) -> u64 {
    let kib = field(meminfo, "MemTotal").and_then(|value| value.split(' ').next()?.parse::<u64>().ok());
    kib.unwrap_or_default() / 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_proc_files_are_read_by_name() {
        assert_eq!(field("vendor_id\t: X\nmodel name\t: Fast 9\n", "model name").as_deref(), Some("Fast 9"));
        assert_eq!(total_memory_mib("MemTotal:       2097152 kB\nMemFree: 1 kB\n"), 2048);
    }
}
