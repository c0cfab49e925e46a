//! What the process itself uses, under the names that Prometheus clients agreed on.

use std::fmt;
use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

/// Ticks in which the kernel counts CPU time; the same on every platform since Linux 2.6.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU time and memory of the process, read when Prometheus asks.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessUsage;

impl Collector for ProcessUsage {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        if let Some(seconds) = fs::read_to_string("/proc/self/stat").ok().and_then(|text| cpu_seconds(&text))
        {
            let mut metric = encoder.encode_descriptor(
                "process_cpu_seconds",
                "CPU time that the process has used",
                None,
                MetricType::Counter,
            )?;
            metric.encode_counter::<NoLabelSet, _, f64>(&seconds, None)?;
        }
        if let Some(bytes) =
            fs::read_to_string("/proc/self/status").ok().and_then(|text| resident_bytes(&text))
        {
            let mut metric = encoder.encode_descriptor(
                "process_resident_memory_bytes",
                "Memory of the process that is in RAM",
                None,
                MetricType::Gauge,
            )?;
            metric.encode_gauge(&bytes)?;
        }
        Ok(())
    }
}

/// User and system time from `/proc/PID/stat`; the name before them may hold spaces.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11);
    let (user, system): (f64, f64) = (times.next()?.parse().ok()?, times.next()?.parse().ok()?);
    Some((user + system) / TICKS_PER_SECOND)
}

/// Resident memory from `/proc/PID/status`.
fn resident_bytes(status: &str) -> Option<i64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<i64>().ok().map(|kilobytes| kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::{ProcessUsage, cpu_seconds, resident_bytes};
    use prometheus_client::registry::Registry;

    #[test]
    fn the_kernels_words_are_read() {
        let stat = "42 (a b) c) S 1 1 1 0 -1 0 10 0 0 0 250 50 0 0 20 0 1 0 5 0 0";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(resident_bytes("Name:\tx\nVmRSS:\t    2048 kB\n"), Some(2_097_152));
        assert_eq!(cpu_seconds("nonsense"), None);
    }

    #[test]
    fn the_names_are_those_that_dashboards_know() {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(ProcessUsage));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        for name in ["\nprocess_cpu_seconds_total ", "\nprocess_resident_memory_bytes "] {
            assert!(text.contains(name), "{text}");
        }
    }
}
