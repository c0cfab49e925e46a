//! What guessing costs, for a name and for an address, wherever a password or a code is asked for.

use authn::{Attempts, Patience};
use jiff::Timestamp;

use crate::hub::Hub;
use crate::problem::Problem;

/// Whose failures count.
pub(crate) struct Guesser {
    /// Of the name, if there is one.
    name: Option<(String, Patience)>,
    address: (String, Patience),
}

impl Guesser {
    pub(crate) fn new(user: &str, address: &str) -> Self {
        Self { name: Some((format!("name:{user}"), Patience::OF_A_NAME)), ..Self::nobody(address) }
    }

    /// Somebody who has said no name that there is.
    pub(crate) fn nobody(address: &str) -> Self {
        Self { name: None, address: (format!("address:{address}"), Patience::OF_AN_ADDRESS) }
    }

    /// Somebody who is signed in and types codes of devices. That they sign in costs nothing the more.
    pub(crate) fn of_devices(user: &str, address: &str) -> Self {
        Self { name: Some((format!("device:{user}"), Patience::OF_A_NAME)), ..Self::nobody(address) }
    }

    /// Refuses while earlier failures cost time. Counts the try as a failure of the name until it has succeeded, so that
    /// many at once get no further than one after the other.
    pub(crate) async fn heed(&self, hub: &Hub, now: Timestamp) -> Result<(), Problem> {
        let (address, patience) = &self.address;
        let next = known(hub.records.guessing().attempts(address).await?).next(patience);
        if next > now {
            return Err(too_many(next, now));
        }
        let Some((name, patience)) = &self.name else { return Ok(()) };
        let mut next = now;
        let rule = |attempts| {
            next = known(attempts).next(patience);
            if next > now { attempts } else { kept(known(attempts).failed(patience, now)) }
        };
        hub.records.guessing().failed(name, rule).await?;
        if next > now { Err(too_many(next, now)) } else { Ok(()) }
    }

    /// It was wrong: the address has failed, too.
    pub(crate) async fn failed(&self, hub: &Hub, now: Timestamp) -> Result<(), Problem> {
        let (address, patience) = &self.address;
        let rule = |attempts| kept(known(attempts).failed(patience, now));
        hub.records.guessing().failed(address, rule).await?;
        Ok(())
    }

    /// It was neither right nor wrong, or right without making up for what was wrong before.
    pub(crate) async fn forgiven(&self, hub: &Hub) -> Result<(), Problem> {
        let Some((name, _)) = &self.name else { return Ok(()) };
        let rule = |attempts: records::Attempts| records::Attempts {
            failures: attempts.failures.saturating_sub(1),
            ..attempts
        };
        hub.records.guessing().failed(name, rule).await?;
        Ok(())
    }

    /// The name was right: its failures are forgotten, those of the address are not.
    pub(crate) async fn succeeded(&self, hub: &Hub) -> Result<(), Problem> {
        let Some((name, _)) = &self.name else { return Ok(()) };
        Ok(hub.records.guessing().cleared(name).await?)
    }
}

fn known(records::Attempts { failures, last }: records::Attempts) -> Attempts {
    Attempts { failures, last }
}

fn kept(Attempts { failures, last }: Attempts) -> records::Attempts {
    records::Attempts { failures, last }
}

fn too_many(next: Timestamp, now: Timestamp) -> Problem {
    let seconds = u64::try_from(next.duration_since(now).as_secs()).unwrap_or_default() + 1;
    Problem::too_many(format!("too many failures; try again in {seconds} s"), seconds)
}
