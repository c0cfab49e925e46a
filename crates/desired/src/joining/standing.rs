//! How a token stands: whether it may be used, and how a use is counted.

use api::condition::whole_seconds;
use api::{JoinToken, JoinTokenStatus, JoinedNode};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// The node that used a token last still signs in with it until it has its certificate.
const GRACE: SignedDuration = SignedDuration::from_mins(5);
/// Most uses that are kept by name.
const KEPT: usize = 100;

/// Whether a token may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It may.
    Active {
        /// When it ends.
        until: Timestamp,
    },
    /// As many nodes have joined as may.
    UsedUp {
        /// When the tenant's cluster forgets it.
        withdraw_at: Timestamp,
    },
    /// Its time is over.
    Expired,
}

/// When a token ends.
#[must_use]
pub fn expires_at(token: &JoinToken) -> Timestamp {
    let made = token.metadata.creation_timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0);
    made.saturating_add(token.spec.lasts()).unwrap_or(Timestamp::MAX)
}

/// Whether a token may be used now.
#[must_use]
pub fn phase(token: &JoinToken, now: Timestamp) -> Phase {
    let until = expires_at(token);
    if now >= until {
        return Phase::Expired;
    }
    let status = token.status.as_ref();
    let uses = status.map_or(0, |status| status.uses);
    if token.spec.max_uses.is_none_or(|most| uses < most) {
        return Phase::Active { until };
    }
    let last = status.and_then(|status| status.nodes.last()).map_or(now, |node| node.time.0);
    let withdraw_at = last.saturating_add(GRACE).unwrap_or(until).min(until);
    Phase::UsedUp { withdraw_at }
}

/// Whether a request has been counted already.
#[must_use]
pub fn is_counted(status: Option<&JoinTokenStatus>, uid: &str) -> bool {
    status.is_some_and(|status| status.nodes.iter().any(|node| node.uid == uid))
}

/// The status with one more use.
#[must_use]
pub fn counted(
    status: &JoinTokenStatus,
    node: &str,
    csr: &str,
    uid: &str,
    now: Timestamp,
) -> JoinTokenStatus {
    let mut status = status.clone();
    status.uses = status.uses.saturating_add(1);
    status.nodes.push(JoinedNode {
        name: node.to_owned(),
        csr: csr.to_owned(),
        uid: uid.to_owned(),
        time: Time(whole_seconds(now)),
    });
    let surplus = status.nodes.len().saturating_sub(KEPT);
    status.nodes.drain(..surplus);
    status
}

#[cfg(test)]
mod tests {
    use api::{JoinToken, JoinTokenSpec, JoinTokenStatus};
    use jiff::Timestamp;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::{Phase, counted, is_counted, phase};

    fn at(text: &str) -> Timestamp {
        format!("2026-01-01T{text}Z").parse().unwrap()
    }

    fn token(max_uses: Option<i32>) -> JoinToken {
        let spec = JoinTokenSpec { ttl: "1h".to_owned(), max_uses, ..JoinTokenSpec::default() };
        let mut token = JoinToken::new("a", spec);
        token.metadata.creation_timestamp = Some(Time(at("00:00:00")));
        token
    }

    #[test]
    fn a_token_ends_by_time_or_uses_whichever_comes_first() {
        let mut one = token(Some(1));
        let until = at("01:00:00");
        assert_eq!(phase(&one, at("00:59:59")), Phase::Active { until });
        assert_eq!(phase(&one, until), Phase::Expired);
        let used = counted(&JoinTokenStatus::default(), "n", "csr", "uid", at("00:10:00"));
        one.status = Some(used.clone());
        assert_eq!(phase(&one, at("00:10:00")), Phase::UsedUp { withdraw_at: at("00:15:00") });
        one.status = Some(counted(&JoinTokenStatus::default(), "n", "csr", "uid", at("00:58:00")));
        assert_eq!(phase(&one, at("00:58:00")), Phase::UsedUp { withdraw_at: until });
        let mut any = token(None);
        any.status = Some(used);
        assert_eq!(phase(&any, at("00:59:59")), Phase::Active { until });
    }

    #[test]
    fn a_use_is_known_by_its_uid_and_the_record_is_bounded() {
        let mut status = JoinTokenStatus::default();
        for number in 0..150 {
            status = counted(&status, "n", "csr", &number.to_string(), at("00:00:00"));
        }
        assert_eq!((status.uses, status.nodes.len()), (150, 100));
        assert!(is_counted(Some(&status), "149") && !is_counted(Some(&status), "csr"));
    }
}
