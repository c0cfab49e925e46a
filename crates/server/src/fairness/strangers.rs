//! Those who have not shown who they are: wrong tokens, sign-in, programs that wait to be let in, agents that register.
//! Each address has a bucket, and all have one. Whoever has shown a token that was taken is past them: a storm of others
//! behind the same address, which may be that of a whole load balancer, does not turn them away.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::rate::{Limit, Rates};

/// Seconds of the rate that may come at once: a fleet of agents after a restart, an office in the morning.
const BURST: f64 = 10.0;
/// What all addresses may ask together, as a multiple of one.
const ALL: f64 = 4.0;
/// Bits of an address that tell a network of IPv6 apart; whoever has one has all addresses in it.
const NETWORK: u32 = 64;
/// How long a token that was taken is remembered.
const REMEMBERED: Duration = Duration::from_hours(1);
/// Tokens that are remembered at most.
const MOST: usize = 100_000;

/// The strangers of this replica.
#[derive(Debug)]
pub(crate) struct Strangers {
    /// Of one address; none without a limit.
    rate: Option<f64>,
    rates: Rates,
    /// By a keyed hash: tokens are not kept in memory for this.
    met: Mutex<HashMap<u64, Instant>>,
    hasher: RandomState,
}

impl Strangers {
    /// So many requests a second of an address; 0 stands for no limit.
    pub(super) fn new(per_second: u32) -> Self {
        let rate = (per_second > 0).then(|| f64::from(per_second));
        Self { rate, rates: Rates::default(), met: Mutex::default(), hasher: RandomState::new() }
    }

    /// Counts a request from an address.
    ///
    /// # Errors
    /// How long to wait, where it is one too many.
    pub(crate) fn ask(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let Some(rate) = self.rate else { return Ok(()) };
        let limit = |rate: f64| Limit { rate, burst: rate * BURST };
        let network = format!("address {}", network(address));
        // All of them first: where these are too many, no bucket is made for one more address.
        self.rates.take([("all strangers", limit(rate * ALL)), (&network, limit(rate))], now)
    }

    /// Whether a token was taken before.
    pub(crate) fn has_met(&self, token: &[u8], now: Instant) -> bool {
        let met = self.lock().get(&self.hasher.hash_one(token)).copied();
        met.is_some_and(|met| now.saturating_duration_since(met) < REMEMBERED)
    }

    /// A token was taken.
    pub(crate) fn meet(&self, token: &[u8], now: Instant) {
        let mut met = self.lock();
        if met.len() >= MOST {
            met.retain(|_, met| now.saturating_duration_since(*met) < REMEMBERED);
            if met.len() >= MOST {
                met.clear();
            }
        }
        met.insert(self.hasher.hash_one(token), now);
    }

    /// A token was not taken, or no longer.
    pub(crate) fn forget(&self, token: &[u8]) {
        self.lock().remove(&self.hasher.hash_one(token));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Instant>> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What counts as one address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (u128::BITS - NETWORK))))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::{Duration, Instant};

    use super::{Strangers, network};

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn pass(strangers: &Strangers, from: &str, now: Instant, asked: u32) -> usize {
        (0..asked).filter(|_| strangers.ask(address(from), now).is_ok()).count()
    }

    #[test]
    fn a_network_of_version_6_is_one_address() {
        assert_eq!(network(address("2001:db8:1:2:3:4:5:6")), address("2001:db8:1:2::"));
        assert_eq!(network(address("::ffff:192.0.2.1")), address("192.0.2.1"));
        assert_ne!(network(address("192.0.2.1")), network(address("192.0.2.2")));
    }

    #[test]
    fn one_address_gets_its_part_and_all_together_theirs() {
        let (strangers, now) = (Strangers::new(5), Instant::now());
        assert_eq!(pass(&strangers, "2001:db8::1", now, 100), 50);
        assert_eq!(pass(&strangers, "2001:db8::2", now, 100), 0, "it is the same network");
        for number in 1..=3 {
            assert_eq!(pass(&strangers, &format!("192.0.2.{number}"), now, 100), 50);
        }
        assert_eq!(pass(&strangers, "192.0.2.9", now, 100), 0, "all together have asked too much");
        assert_eq!(pass(&strangers, "192.0.2.9", now + Duration::from_secs(1), 100), 20);
        assert_eq!(pass(&Strangers::new(0), "192.0.2.9", now, 1000), 1000);
    }

    #[test]
    fn a_token_is_known_until_it_is_refused_or_long_unused() {
        let (strangers, now) = (Strangers::new(5), Instant::now());
        assert!(!strangers.has_met(b"a", now));
        strangers.meet(b"a", now);
        assert!(strangers.has_met(b"a", now) && !strangers.has_met(b"b", now));
        assert!(!strangers.has_met(b"a", now + Duration::from_hours(1)));
        strangers.forget(b"a");
        assert!(!strangers.has_met(b"a", now));
    }
}
