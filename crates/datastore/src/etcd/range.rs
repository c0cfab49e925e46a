//! The keys of a tenant.

use super::ROOT;
use crate::{Error, TenantSpace};

/// The tenant's keys: `/<schema>/`.
///
/// The range ends in `/`, so that a schema which is the prefix of another one reaches nothing of it.
pub(super) fn key_range(schema: &str) -> Result<String, Error> {
    if schema.is_empty() || schema.contains('/') {
        return Err(Error::Schema { schema: schema.to_owned() });
    }
    Ok(format!("/{schema}/"))
}

/// Key, below the tenant's root, of the pass of the writer that may write. It is the tenant's own, so that
/// one who restores with the tenant's credentials can have a pass too; no API server looks at it.
pub(super) const FENCE: &str = "flotilla-fence";

/// Where the pass of the writer that may write stands.
pub(super) fn fence_key(space: &TenantSpace) -> Result<String, Error> {
    Ok(format!("{}{FENCE}", key_range(&space.schema)?))
}

/// First key behind a range that ends in `/`: `0` follows `/` in ASCII.
pub(super) fn range_end(range: &str) -> String {
    format!("{}0", range.trim_end_matches('/'))
}

/// Range of a tenant's keys, if neither its role nor its user is the administrator's.
pub(super) fn place(space: &TenantSpace) -> Result<String, Error> {
    match [&space.schema, &space.user].into_iter().find(|name| name.as_str() == ROOT) {
        Some(name) => Err(Error::Reserved { name: name.clone() }),
        None => key_range(&space.schema),
    }
}

#[cfg(test)]
mod tests {
    use super::{key_range, place, range_end};
    use crate::TenantSpace;

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

    #[test]
    fn no_tenant_has_the_place_of_the_administrator() {
        for (schema, user) in [("root", "team"), ("team", "root")] {
            let space = TenantSpace { schema: schema.to_owned(), user: user.to_owned() };
            assert!(place(&space).is_err(), "{space:?}");
        }
    }
}
