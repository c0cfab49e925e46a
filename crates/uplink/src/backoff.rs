//! How long an agent waits before it dials again. Randomness is an argument.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
/// With every agent of a fleet waiting a random part of this, all are back within a minute of the hub.
const LONGEST: Duration = Duration::from_secs(30);
const SHORTEST: Duration = Duration::from_millis(50);
const FIRST_REPEATED: Duration = Duration::from_secs(1);
const LONGEST_REPEATED: Duration = Duration::from_mins(1);
/// Doublings after which nothing grows any more.
const DOUBLINGS: u32 = 8;

/// Waits between dials. `random` is evenly distributed in 0..1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
    repeated: u32,
}

impl Backoff {
    /// After a dial that failed, or a connection that was lost: a random part of 0.5 s, then of twice as long, at most
    /// of 30 s.
    pub fn failed(&mut self, random: f64) -> Duration {
        let most = (FIRST * (1 << self.failures.min(DOUBLINGS))).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        most.mul_f64(random.clamp(0.0, 1.0)).max(SHORTEST)
    }

    /// After the hub said that this agent may not connect, which seldom changes: 30 to 60 s.
    pub fn refused(&mut self, random: f64) -> Duration {
        self.failures = self.failures.saturating_add(1);
        half_random(LONGEST_REPEATED, random)
    }

    /// After a dial that led to a replica which has a connection already: about 1 s, then twice as long, at most 60 s.
    pub fn repeated(&mut self, random: f64) -> Duration {
        let most = (FIRST_REPEATED * (1 << self.repeated.min(DOUBLINGS))).min(LONGEST_REPEATED);
        self.repeated = self.repeated.saturating_add(1);
        half_random(most, random)
    }

    /// After a new connection: others may be found as fast.
    pub fn found(&mut self) {
        self.repeated = 0;
    }

    /// After a connection that lasted.
    pub fn lasted(&mut self) {
        *self = Self::default();
    }
}

fn half_random(most: Duration, random: f64) -> Duration {
    most.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Backoff;

    #[test]
    fn the_first_retry_is_soon_and_later_ones_are_spread_over_half_a_minute() {
        let mut backoff = Backoff::default();
        let most: Vec<u128> = (0..8).map(|_| backoff.failed(1.0).as_millis()).collect();
        assert_eq!(most, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        assert_eq!(backoff.failed(0.5), Duration::from_secs(15));
        assert_eq!(backoff.failed(0.0), Duration::from_millis(50));
        backoff.lasted();
        assert_eq!(backoff.failed(1.0), Duration::from_millis(500));
    }

    /// The hub must not be stormed, and nobody may be late: with the longest wait, two tries of everybody fit.
    #[test]
    fn a_thousand_agents_are_back_within_a_minute_and_not_all_at_once() {
        let mut backoff = Backoff::default();
        for _ in 0..20 {
            backoff.failed(0.5);
        }
        let waits: Vec<u64> =
            (0..1000).map(|agent| backoff.clone().failed(f64::from(agent) / 1000.0).as_secs()).collect();
        assert!(waits.iter().all(|wait| *wait <= 30));
        let busiest = (0..30).map(|second| waits.iter().filter(|wait| **wait == second).count()).max();
        assert!(busiest.is_some_and(|busiest| busiest < 50), "{busiest:?}");
    }

    #[test]
    fn a_search_for_further_replicas_slows_down_to_a_minute() {
        let mut backoff = Backoff::default();
        let most: Vec<u64> = (0..8).map(|_| backoff.repeated(1.0).as_secs()).collect();
        assert_eq!(most, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(backoff.repeated(0.0), Duration::from_secs(30));
        backoff.found();
        assert_eq!(backoff.repeated(1.0), Duration::from_secs(1));
    }
}
