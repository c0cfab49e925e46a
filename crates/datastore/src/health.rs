//! What a store says about itself.

use crate::Driver;

/// Percent of its limit above which a store is called almost full.
const ALMOST_FULL: u64 = 90;

/// What a store says about itself when its administrator asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// Version of the server.
    pub version: String,
    /// Bytes that it keeps, where it tells.
    pub used: Option<u64>,
    /// Bytes that it takes at most, where it has such a limit and tells.
    pub limit: Option<u64>,
    /// Why writes are refused at present, where it tells: an alarm, read-only mode.
    pub refuses_writes: Option<String>,
}

/// Whether a store can be used with its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Support {
    /// It can.
    Supported,
    /// It is older than what is needed.
    TooOld {
        /// Name of the product.
        product: &'static str,
        /// Oldest version that serves.
        oldest: &'static str,
    },
    /// The version cannot be read.
    Unknown,
}

impl Health {
    /// Whether a store of this version serves.
    #[must_use]
    pub fn support(&self, driver: Driver) -> Support {
        let is_maria = self.version.to_ascii_lowercase().contains("mariadb");
        let (product, oldest) = match driver {
            Driver::Etcd => ("etcd", "3.4"),
            Driver::PostgreSql => ("PostgreSQL", "12"),
            Driver::MySql if is_maria => ("MariaDB", "10.5"),
            Driver::MySql => ("MySQL", "8.0"),
            Driver::Nats => ("NATS", "2.9"),
        };
        match (numbers(&self.version), numbers(oldest)) {
            (Some(found), Some(needed)) if found >= needed => Support::Supported,
            (Some(_), Some(_)) => Support::TooOld { product, oldest },
            _ => Support::Unknown,
        }
    }

    /// How full the store is, in percent, where it tells.
    #[must_use]
    pub fn percent_used(&self) -> Option<u64> {
        let (used, limit) = (self.used?, self.limit.filter(|limit| *limit > 0)?);
        used.checked_mul(100).map(|used| used / limit)
    }

    /// Whether little space is left; none where the store does not tell.
    #[must_use]
    pub fn is_almost_full(&self) -> Option<bool> {
        self.percent_used().map(|percent| percent >= ALMOST_FULL)
    }
}

/// The first two numbers of a version, such as 10 and 11 of `10.11.6-MariaDB`.
fn numbers(version: &str) -> Option<(u64, u64)> {
    let begin = version.find(|character: char| character.is_ascii_digit())?;
    let mut parts = version.get(begin..)?.split('.').map(|part| {
        let end = part.find(|character: char| !character.is_ascii_digit()).unwrap_or(part.len());
        part.get(..end).and_then(|digits| digits.parse().ok())
    });
    Some((parts.next()??, parts.next().flatten().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::{Health, Support};
    use crate::Driver;

    fn support(driver: Driver, version: &str) -> Support {
        Health { version: version.to_owned(), ..Health::default() }.support(driver)
    }

    #[test]
    fn versions_are_told_apart_as_servers_write_them() {
        assert_eq!(support(Driver::Etcd, "3.6.5"), Support::Supported);
        assert_eq!(support(Driver::PostgreSql, "15.14 (Debian 15.14-0+deb12u1)"), Support::Supported);
        assert_eq!(support(Driver::MySql, "10.11.14-MariaDB-0+deb12u2"), Support::Supported);
        assert_eq!(support(Driver::Nats, "v2.15.2"), Support::Supported);
        let old = Support::TooOld { product: "MySQL", oldest: "8.0" };
        assert_eq!(support(Driver::MySql, "5.7.44-log"), old);
        let old = Support::TooOld { product: "PostgreSQL", oldest: "12" };
        assert_eq!(support(Driver::PostgreSql, "9.6"), old);
        assert_eq!(support(Driver::Etcd, "main"), Support::Unknown);
    }

    #[test]
    fn fullness_is_known_only_where_the_store_tells() {
        let health = |used, limit| Health { used, limit, ..Health::default() };
        assert_eq!(health(Some(95), Some(100)).is_almost_full(), Some(true));
        assert_eq!(health(Some(50), Some(100)).is_almost_full(), Some(false));
        assert_eq!(health(Some(50), None).is_almost_full(), None);
        assert_eq!(health(Some(50), Some(0)).is_almost_full(), None);
    }
}
