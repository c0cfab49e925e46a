//! Requests a second: buckets that fill, of users, tenants and addresses.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Buckets that are kept before those that are full are forgotten.
const MANY: usize = 1024;

/// Requests a second, and how many may come at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) rate: f64,
    pub(super) burst: f64,
}

/// What is left of a limit.
#[derive(Debug)]
struct Bucket {
    limit: Limit,
    left: f64,
    at: Instant,
    /// Whether it ran dry and has not been full since.
    is_dry: bool,
}

impl Bucket {
    fn new(limit: Limit, now: Instant) -> Self {
        Self { limit, left: limit.burst, at: now, is_dry: false }
    }

    fn fill(&mut self, now: Instant) {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * self.limit.rate;
        self.left = (self.left + gained).min(self.limit.burst);
        self.at = now;
        if self.left >= self.limit.burst {
            self.is_dry = false;
        }
    }

    /// Time until there is room for a request; none if there is.
    fn wait(&self) -> Option<Duration> {
        (self.left < 1.0).then(|| Duration::from_secs_f64((1.0 - self.left) / self.limit.rate))
    }
}

/// Everybody's buckets of one kind.
#[derive(Debug, Default)]
pub(super) struct Rates(Mutex<Buckets>);

#[derive(Debug, Default)]
struct Buckets {
    known: HashMap<String, Bucket>,
    sweep_at: usize,
}

impl Rates {
    /// Takes a request out of all of these buckets, or out of none. Where one is dry, those after it are not looked at.
    ///
    /// # Errors
    /// How long to wait, where it is one too many.
    pub(super) fn take<const N: usize>(
        &self,
        from: [(&str, Limit); N],
        now: Instant,
    ) -> Result<(), Duration> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (whose, limit) in from {
            if let Some(wait) = buckets.wait(whose, limit, now) {
                return Err(wait);
            }
        }
        for (whose, _) in from {
            if let Some(bucket) = buckets.known.get_mut(whose) {
                bucket.left -= 1.0;
            }
        }
        Ok(())
    }
}

impl Buckets {
    fn wait(&mut self, whose: &str, limit: Limit, now: Instant) -> Option<Duration> {
        if !self.known.contains_key(whose) {
            self.sweep(now);
        }
        let bucket = self.known.entry(whose.to_owned()).or_insert_with(|| Bucket::new(limit, now));
        bucket.fill(now);
        let wait = bucket.wait();
        if wait.is_some() && !bucket.is_dry {
            bucket.is_dry = true;
            tracing::warn!(whose, per_second = limit.rate, "too many requests; those beyond are turned away");
        }
        wait
    }

    /// Forgets those that a new bucket would equal.
    fn sweep(&mut self, now: Instant) {
        if self.known.len() < self.sweep_at.max(MANY) {
            return;
        }
        self.known.retain(|_, bucket| {
            bucket.fill(now);
            bucket.left < bucket.limit.burst
        });
        self.sweep_at = 2 * self.known.len();
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Limit, MANY, Rates};

    const LIMIT: Limit = Limit { rate: 10.0, burst: 20.0 };
    const SHARED: Limit = Limit { rate: 30.0, burst: 60.0 };

    /// How many of so many requests at one moment pass.
    fn pass(rates: &Rates, user: &str, now: Instant, asked: u32) -> usize {
        (0..asked).filter(|_| rates.take([(user, LIMIT)], now).is_ok()).count()
    }

    #[test]
    fn who_asks_too_much_is_slowed_down_and_nobody_else() {
        let (rates, now) = (Rates::default(), Instant::now());
        assert_eq!(pass(&rates, "a", now, 50), 20);
        assert_eq!(rates.take([("a", LIMIT)], now), Err(Duration::from_millis(100)));
        assert_eq!(pass(&rates, "b", now, 20), 20);
        assert_eq!(pass(&rates, "a", now + Duration::from_millis(550), 50), 5);
        assert_eq!(pass(&rates, "a", now + Duration::from_mins(1), 50), 20);
    }

    #[test]
    fn what_one_bucket_refuses_is_taken_from_no_other() {
        let (rates, now) = (Rates::default(), Instant::now());
        let pass_both = |user: &str, shared: &str| {
            (0..50).filter(|_| rates.take([(user, LIMIT), (shared, SHARED)], now).is_ok()).count()
        };
        for user in ["a", "b", "c"] {
            assert_eq!(pass_both(user, "acme"), 20, "{user}");
        }
        assert_eq!(pass_both("d", "acme"), 0);
        assert_eq!(pass_both("e", "globex"), 20);
        assert_eq!(pass(&rates, "d", now, 50), 20);
    }

    #[test]
    fn those_who_have_been_quiet_are_forgotten() {
        let (rates, now) = (Rates::default(), Instant::now());
        for number in 0..MANY {
            rates.take([(&*number.to_string(), LIMIT)], now).unwrap();
        }
        rates.take([("last", LIMIT)], now + Duration::from_mins(1)).unwrap();
        assert_eq!(rates.0.lock().unwrap().known.len(), 1);
    }
}
