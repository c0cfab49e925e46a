//! What the two SQL drivers have in common: how kine keeps a tenant's entries in its table.
//!
//! A row is one revision of one key; a key's newest row tells its value or that it is gone. The row's `id`
//! is what Kubernetes shows as `resourceVersion`.

use std::time::Duration;

use crate::{Cause, Error, Record};

/// What stands before the tenant's keys in the column `name`.
pub(crate) const ROOT: &str = "/registry/";
/// Row that holds the pass of the writer that may write. No API server looks at it, for it is outside of
/// [`ROOT`]; it is the tenant's own, so that one who restores with the tenant's credentials can have a pass.
pub(crate) const FENCE: &str = "flotilla-fence";
/// Changes that go in one transaction.
pub(crate) const BATCH_CHANGES: usize = 400;
/// Bytes that go in one transaction, but for a larger value.
pub(crate) const BATCH_BYTES: usize = 2 << 20;
/// Longest wait for one small request.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for a request whose work grows with the tenant.
pub(crate) const LONG_TIMEOUT: Duration = Duration::from_mins(1);

/// kine's own key beside the tenant's, which it makes wherever it starts.
const KINES_OWN: &str = "health";

/// A record of a row's columns; none if the row is not the tenant's.
pub(crate) fn record(name: &[u8], value: Vec<u8>, lease: i64) -> Option<Record> {
    let key = name.strip_prefix(ROOT.as_bytes()).filter(|key| *key != KINES_OWN.as_bytes())?;
    let ends_in = u64::try_from(lease).ok().filter(|lease| *lease > 0).map(Duration::from_secs);
    Some(Record { key: key.to_vec(), value, ends_in })
}

/// The name under which kine keeps a key.
pub(crate) fn name(action: &'static str, key: &[u8]) -> Result<String, Error> {
    match std::str::from_utf8(key) {
        Ok(key) if !key.contains('\0') => Ok(format!("{ROOT}{key}")),
        _ => {
            let key = String::from_utf8_lossy(key);
            let message = format!("the key `{key}` is no text, which the column `name` takes only");
            Err(Error::Refused { action, source: Cause::new(&message, None) })
        }
    }
}

/// Seconds for the column `lease`: whole ones, at least one, since none would be for ever.
pub(crate) fn lease(record: &Record) -> i32 {
    let Some(left) = record.ends_in else { return 0 };
    i32::try_from(left.as_secs()).unwrap_or(i32::MAX).max(1)
}

/// Host and port of `host:port`; IPv6 addresses stand in brackets.
pub(crate) fn host_and_port(endpoint: &str, default: u16) -> (String, u16) {
    let split = endpoint.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
    // A part of an IPv6 address without brackets is no port.
    let split = split.filter(|(host, _)| !host.contains(':') || host.ends_with(']'));
    let (host, port) = split.unwrap_or((endpoint, default));
    (host.trim_start_matches('[').trim_end_matches(']').to_owned(), port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_tenants_rows_are_records() {
        let record = |name: &str, lease| record(name.as_bytes(), vec![1], lease);
        let found = record("/registry/pods/a", 60).unwrap();
        assert_eq!(
            (found.key.as_slice(), found.ends_in),
            (b"pods/a".as_slice(), Some(Duration::from_mins(1)))
        );
        assert_eq!(record("/registry/pods/a", 0).unwrap().ends_in, None);
        for other in ["/registry/health", "compact_rev_key", "gap-7", FENCE, "/registry"] {
            assert_eq!(record(other, 0), None, "{other}");
        }
    }

    #[test]
    fn endpoints_are_split_as_people_write_them() {
        assert_eq!(host_and_port("db.example:6432", 5432), ("db.example".to_owned(), 6432));
        assert_eq!(host_and_port("db.example", 5432), ("db.example".to_owned(), 5432));
        assert_eq!(host_and_port("[::1]:3307", 3306), ("::1".to_owned(), 3307));
        assert_eq!(host_and_port("::1", 3306), ("::1".to_owned(), 3306));
    }

    #[test]
    fn a_short_lease_does_not_become_eternal() {
        let record = |ends_in| Record { key: Vec::new(), value: Vec::new(), ends_in };
        assert_eq!(lease(&record(None)), 0);
        assert_eq!(lease(&record(Some(Duration::from_millis(10)))), 1);
        assert_eq!(lease(&record(Some(Duration::from_hours(1)))), 3600);
    }
}
