//! The keys of a tenant.

use crate::Error;

/// The tenant's keys: `/<schema>/`.
///
/// The range ends in `/`, so that a schema which is the prefix of another one reaches nothing of it.
pub(super) fn key_range(schema: &str) -> Result<String, Error> {
    if schema.is_empty() || schema.contains('/') {
        return Err(Error::Schema { schema: schema.to_owned() });
    }
    Ok(format!("/{schema}/"))
}

/// First key behind a range that ends in `/`: `0` follows `/` in ASCII.
pub(super) fn range_end(range: &str) -> String {
    format!("{}0", range.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::{key_range, range_end};

    #[test]
    fn a_range_holds_its_own_keys_and_none_of_a_longer_name() {
        let range = key_range("team").unwrap();
        let end = range_end(&range);
        let holds = |key: &str| key >= range.as_str() && key < end.as_str();
        assert!(holds("/team/registry/pods/a"));
        assert!(holds("/team/\u{7f}"));
        for foreign in ["/team", "/team-b/registry", "/team2/x", "/tea/x", "/teams/registry"] {
            assert!(!holds(foreign), "{foreign}");
        }
    }

    #[test]
    fn a_schema_that_is_no_name_is_refused() {
        assert!(key_range("").is_err());
        assert!(key_range("a/b").is_err());
    }
}
