//! How much somebody may ask, and have under way: one's own storm is slowed down, and nobody else's requests with it.

pub(crate) mod door;
mod rate;
mod share;
mod strangers;
pub(crate) mod turned_away;

use std::time::{Duration, Instant};

use crate::Settings;
use crate::problem::Problem;
use rate::{Limit, Rates};
use share::Shares;
use strangers::Strangers;
use turned_away::TurnedAway;

pub(crate) use share::Share;

/// What a tenant's people may together, as a multiple of what one of them may.
const PEOPLE: u32 = 3;
/// Seconds of the rate that may come at once.
const BURST: f64 = 2.0;
/// Whoever is turned away waits so long for the answer: who asks again at once is not answered the more for it.
const PAUSE: Duration = Duration::from_secs(1);
/// When it is worth another try where too much is under way: requests end soon, streams seldom do.
const REQUESTS_END: u64 = 1;
const STREAMS_END: u64 = 10;

/// Why somebody is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// They ask too often; how long to wait.
    Often(Duration),
    /// So many requests are under way.
    Requests(u32),
    /// So many streams are open.
    Streams(u32),
}

/// Everybody's limits at this replica. 0 stands for none.
#[derive(Debug)]
pub(crate) struct Fairness {
    per_second: u32,
    rates: Rates,
    most_requests: u32,
    requests: Shares,
    most_streams: u32,
    streams: Shares,
    pub(crate) strangers: Strangers,
    pub(crate) turned_away: TurnedAway,
}

impl Fairness {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            per_second: settings.requests_per_second,
            rates: Rates::default(),
            most_requests: settings.requests_at_once,
            requests: Shares::default(),
            most_streams: settings.streams_at_once,
            streams: Shares::default(),
            strangers: Strangers::new(settings.strangers_per_second),
            turned_away: TurnedAway::default(),
        }
    }

    /// Counts a request of a user, whose tenant is `home`, until what is returned is dropped.
    pub(crate) fn ask(&self, user: &str, home: Option<&str>, now: Instant) -> Result<Share, Refusal> {
        let (user, home) = names(user, home);
        self.take_rate(&user, home.as_deref(), now).map_err(Refusal::Often)?;
        take(&self.requests, self.most_requests, &user, home.as_deref())
            .ok_or(Refusal::Requests(self.most_requests))
    }

    /// Counts a stream of a user until what is returned is dropped. It has been counted as a request.
    pub(crate) fn stream(&self, user: &str, home: Option<&str>) -> Result<Share, Refusal> {
        let (user, home) = names(user, home);
        take(&self.streams, self.most_streams, &user, home.as_deref())
            .ok_or(Refusal::Streams(self.most_streams))
    }

    fn take_rate(&self, user: &str, home: Option<&str>, now: Instant) -> Result<(), Duration> {
        if self.per_second == 0 {
            return Ok(());
        }
        let limit = |per_second: u32| {
            let rate = f64::from(per_second);
            Limit { rate, burst: rate * BURST }
        };
        let own = (user, limit(self.per_second));
        match home {
            None => self.rates.take([own], now),
            Some(home) => self.rates.take([own, (home, limit(self.per_second.saturating_mul(PEOPLE)))], now),
        }
    }
}

/// Lets somebody who is turned away wait.
pub(crate) async fn pause() {
    tokio::time::sleep(PAUSE).await;
}

/// As whom they have places and buckets.
fn names(user: &str, home: Option<&str>) -> (String, Option<String>) {
    (format!("user {user}"), home.map(|home| format!("tenant {home}")))
}

fn take(shares: &Shares, most: u32, user: &str, home: Option<&str>) -> Option<Share> {
    if most == 0 {
        return Some(Share::default());
    }
    match home {
        None => shares.take([(user, most)]),
        Some(home) => shares.take([(user, most), (home, most.saturating_mul(PEOPLE))]),
    }
}

impl Refusal {
    /// As it is answered.
    pub(crate) fn problem(self) -> Problem {
        match self {
            Self::Often(wait) => Problem::too_many(
                "you, or the people of your tenant together, ask more often than the hub allows; wait as `Retry-After` \
                 says, or watch instead of asking again and again",
                wait.as_secs() + 1,
            ),
            Self::Requests(most) => Problem::too_many(
                format!(
                    "{most} of your requests are under way, or {PEOPLE} times as many of your tenant's people; send fewer \
                     at once"
                ),
                REQUESTS_END,
            ),
            Self::Streams(most) => Problem::too_many(
                format!(
                    "you have {most} watches, logs and streams into pods open, or your tenant's people {PEOPLE} times as \
                     many; close some of them"
                ),
                STREAMS_END,
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use clap::Parser;

    use super::{Fairness, Refusal, Share};
    use crate::Settings;

    fn fairness(flags: &[&str]) -> Fairness {
        let all = ["flotilla-server", "--url=https://hub"].into_iter().chain(flags.iter().copied());
        Fairness::new(&Settings::parse_from(all))
    }

    #[test]
    fn the_people_of_a_tenant_share_what_three_of_them_may() {
        let fairness = fairness(&["--requests-per-second=10"]);
        let now = Instant::now();
        let pass = |user: &str, home| (0..50).filter(|_| fairness.ask(user, home, now).is_ok()).count();
        for user in ["a", "b", "c"] {
            assert_eq!(pass(user, Some("acme")), 20, "{user}");
        }
        assert_eq!((pass("d", Some("acme")), pass("e", Some("globex")), pass("f", None)), (0, 20, 20));
    }

    #[test]
    fn requests_and_streams_have_places_of_their_own() {
        let fairness = fairness(&["--requests-per-second=0", "--requests-at-once=2", "--streams-at-once=3"]);
        let now = Instant::now();
        let requests: Vec<Share> = (0..5).filter_map(|_| fairness.ask("a", None, now).ok()).collect();
        let streams: Vec<Share> = (0..5).filter_map(|_| fairness.stream("a", None).ok()).collect();
        assert_eq!((requests.len(), streams.len()), (2, 3));
        assert_eq!(fairness.ask("a", None, now).map(drop), Err(Refusal::Requests(2)));
        assert_eq!(fairness.stream("a", None).map(drop), Err(Refusal::Streams(3)));
        drop(requests);
        assert!(fairness.ask("a", None, now).is_ok() && fairness.ask("b", None, now).is_ok());
    }

    #[test]
    fn by_default_one_user_may_hold_a_thousand_watches() {
        let fairness = fairness(&[]);
        let held: Vec<Share> = (0..1000).filter_map(|_| fairness.stream("a", Some("acme")).ok()).collect();
        assert_eq!(held.len(), 1000);
    }

    #[test]
    fn without_limits_all_pass() {
        let fairness = fairness(&["--requests-per-second=0", "--requests-at-once=0", "--streams-at-once=0"]);
        let now = Instant::now();
        let held: Vec<Share> = (0..10_000)
            .flat_map(|_| [fairness.ask("a", Some("acme"), now), fairness.stream("a", Some("acme"))])
            .flatten()
            .collect();
        assert_eq!(held.len(), 20_000);
    }
}
