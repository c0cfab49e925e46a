//! How long to wait before a process that ended is started again.

use std::time::Duration;

/// Exponential back-off that forgets after a long healthy run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Wait after the first failure.
    pub const FIRST: Duration = Duration::from_millis(250);
    /// Longest wait.
    pub const LONGEST: Duration = Duration::from_secs(30);
    /// A run at least this long counts as healthy: the next failure is a first one again.
    pub const HEALTHY_AFTER: Duration = Duration::from_mins(1);

    /// A back-off that has seen no failure.
    #[must_use]
    pub fn new() -> Self {
        Self { failures: 0 }
    }

    /// The wait before the next start, after a run of the length `ran`.
    pub fn next(&mut self, ran: Duration) -> Duration {
        if ran >= Self::HEALTHY_AFTER {
            self.failures = 0;
        }
        let wait = Self::FIRST.saturating_mul(2_u32.saturating_pow(self.failures.min(16)));
        self.failures = self.failures.saturating_add(1);
        wait.min(Self::LONGEST)
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Backoff;

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut backoff = Backoff::new();
        let waits: Vec<_> = (0..10).map(|_| backoff.next(Duration::ZERO).as_millis()).collect();
        assert_eq!(waits[..4], [250, 500, 1000, 2000]);
        assert_eq!(waits[9], 30_000);
    }

    #[test]
    fn a_healthy_run_starts_over() {
        let mut backoff = Backoff::new();
        for _ in 0..5 {
            backoff.next(Duration::ZERO);
        }
        assert_eq!(backoff.next(Backoff::HEALTHY_AFTER), Backoff::FIRST);
    }
}
