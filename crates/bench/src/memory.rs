//! Memory of a process as the kernel accounts it in `/proc/PID/smaps_rollup`.

use std::fs;
use std::iter::Sum;

/// An amount of memory in kibibytes, the unit of /proc.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Kib(u64);

impl Kib {
    /// The amount in mebibytes.
    #[expect(clippy::cast_precision_loss, reason = "no process has 2^52 KiB")]
    pub(crate) fn mib(self) -> f64 {
        self.0 as f64 / 1024.0
    }
}

/// Memory of a process or of several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Resident, shared pages counted in full.
    pub(crate) rss: Kib,
    /// Resident, shared pages divided by the number of processes that map them.
    pub(crate) pss: Kib,
    /// Not backed by a file: heap and stacks.
    pub(crate) anonymous: Kib,
}

impl Memory {
    /// The memory of a live process; nothing once it is gone.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        parse(&fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?)
    }
}

impl Sum for Memory {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), |sum, part| Self {
            rss: Kib(sum.rss.0 + part.rss.0),
            pss: Kib(sum.pss.0 + part.pss.0),
            anonymous: Kib(sum.anonymous.0 + part.anonymous.0),
        })
    }
}

fn parse(text: &str) -> Option<Memory> {
    let amount = |field: &str| -> Option<Kib> {
        text.lines()
            .find_map(|line| line.strip_prefix(field)?.split_whitespace().next()?.parse().ok())
            .map(Kib)
    };
    Some(Memory { rss: amount("Rss:")?, pss: amount("Pss:")?, anonymous: amount("Anonymous:")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLLUP: &str = "00400000-7ffd [rollup]\nRss:   2048 kB\nPss:   1024 kB\nPss_Dirty: 9 kB\n\
                          Anonymous:   512 kB\nAnonHugePages: 0 kB\n";

    #[test]
    fn rollup_is_read_by_whole_field_names() {
        let memory = parse(ROLLUP).unwrap();
        assert_eq!(memory, Memory { rss: Kib(2048), pss: Kib(1024), anonymous: Kib(512) });
        assert!((memory.rss.mib() - 2.0).abs() < f64::EPSILON);
    }

    #[test]
    fn kernel_thread_has_no_memory() {
        assert_eq!(parse(""), None);
    }

    #[test]
    fn own_process_has_memory() {
        assert!(Memory::of(std::process::id()).is_some_and(|memory| memory.anonymous.0 > 0));
    }
}
