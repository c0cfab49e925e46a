//! What slows down guessing: failures in a row make the next try wait, for a name and for an address.

use jiff::{SignedDuration, Timestamp};

/// How much is forgiven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Failures that cost nothing.
    pub free: u32,
    /// Wait after the first that costs; doubled by each further one.
    pub first_wait: SignedDuration,
    /// Longest wait.
    pub longest_wait: SignedDuration,
}

impl Patience {
    /// With one account: five failures are free, then 15 s, at most 15 min. Nobody can lock out somebody else for
    /// longer.
    pub const OF_A_NAME: Self = Self {
        free: 5,
        first_wait: SignedDuration::from_secs(15),
        longest_wait: SignedDuration::from_mins(15),
    };
    /// With one address, behind which many people may sit.
    pub const OF_AN_ADDRESS: Self = Self {
        free: 30,
        first_wait: SignedDuration::from_secs(5),
        longest_wait: SignedDuration::from_mins(5),
    };
}

/// Failures in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    /// How many.
    pub failures: u32,
    /// When the last one was.
    pub last: Timestamp,
}

impl Attempts {
    /// When the next try is looked at; now or earlier if at once.
    #[must_use]
    pub fn next(&self, patience: &Patience) -> Timestamp {
        let Some(costly) = self.failures.checked_sub(patience.free).filter(|costly| *costly > 0) else {
            return self.last;
        };
        let doubled = patience.first_wait.checked_mul(1 << (costly - 1).min(20));
        self.last + doubled.unwrap_or(patience.longest_wait).min(patience.longest_wait)
    }

    /// After one more failure. What is longer ago than the longest wait is forgotten.
    #[must_use]
    pub fn failed(self, patience: &Patience, now: Timestamp) -> Self {
        let is_fresh = now.duration_since(self.last) <= patience.longest_wait;
        Self { failures: if is_fresh { self.failures.saturating_add(1) } else { 1 }, last: now }
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::{Attempts, Patience};

    #[test]
    fn failures_cost_more_and_more_and_are_forgotten() {
        let patience = Patience::OF_A_NAME;
        let now = Timestamp::UNIX_EPOCH;
        let mut attempts = Attempts::default();
        let mut waits = Vec::new();
        for _ in 0..14 {
            attempts = attempts.failed(&patience, now);
            waits.push(attempts.next(&patience).duration_since(now).as_secs());
        }
        assert_eq!(waits, [0, 0, 0, 0, 0, 15, 30, 60, 120, 240, 480, 900, 900, 900]);
        let later = now + patience.longest_wait + SignedDuration::from_secs(1);
        assert_eq!(attempts.failed(&patience, later).failures, 1);
    }

    #[test]
    fn no_number_of_failures_overflows() {
        let attempts = Attempts { failures: u32::MAX, last: Timestamp::UNIX_EPOCH };
        let patience = Patience::OF_AN_ADDRESS;
        assert_eq!(attempts.failed(&patience, Timestamp::UNIX_EPOCH).failures, u32::MAX);
        assert_eq!(attempts.next(&patience), Timestamp::UNIX_EPOCH + patience.longest_wait);
    }
}
