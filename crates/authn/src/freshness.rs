//! How long what a provider has said of somebody holds.

use jiff::{SignedDuration, Timestamp};

/// How long groups hold while the provider does not answer.
const GRACE: SignedDuration = SignedDuration::from_mins(10);

/// What is to be done before somebody's groups count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// They count as they are.
    Fresh,
    /// The provider is to be asked; as long as it does not answer, they count.
    Due,
    /// The provider is to be asked; as long as it does not answer, none counts.
    Overdue,
}

impl Freshness {
    /// Of groups that were read at `read` and are to be read anew each `every`.
    #[must_use]
    pub fn of(read: Timestamp, every: SignedDuration, now: Timestamp) -> Self {
        let age = now.duration_since(read);
        if age < every {
            Self::Fresh
        } else if age < GRACE.max(every) {
            Self::Due
        } else {
            Self::Overdue
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::Freshness;

    #[test]
    fn groups_hold_ten_minutes_without_an_answer() {
        let read = Timestamp::UNIX_EPOCH;
        let after = |seconds| {
            let now = read + SignedDuration::from_secs(seconds);
            Freshness::of(read, SignedDuration::from_mins(1), now)
        };
        assert_eq!(after(0), Freshness::Fresh);
        assert_eq!(after(59), Freshness::Fresh);
        assert_eq!(after(60), Freshness::Due);
        assert_eq!(after(599), Freshness::Due);
        assert_eq!(after(600), Freshness::Overdue);
    }
}
