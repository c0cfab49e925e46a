//! Names of tenants' databases and users, and how they are written in statements.

use crate::{Error, TenantSpace};

/// Longer names are cut by PostgreSQL, so that two of them could be one.
const LONGEST: usize = 63;
/// Databases that are the server's own.
const DATABASES: [&str; 3] = ["postgres", "template0", "template1"];

/// Refuses names that PostgreSQL or kine would take for others, or that are the administrator's.
pub(super) fn check(space: &TenantSpace, administrator: &str) -> Result<(), Error> {
    let reserved = |name: &str| Err(Error::Reserved { name: name.to_owned() });
    if DATABASES.contains(&space.schema.as_str()) {
        return reserved(&space.schema);
    }
    // `pg_` begins the server's own roles; `public` and `none` are no roles.
    let user = space.user.as_str();
    if user == administrator || user.starts_with("pg_") || ["public", "none", "postgres"].contains(&user) {
        return reserved(user);
    }
    for name in [&space.schema, &space.user] {
        if name.is_empty() || name.len() > LONGEST || name.contains('\0') {
            let reason = "it must have 1 to 63 bytes";
            return Err(Error::Name { name: name.clone(), store: "PostgreSQL", reason });
        }
    }
    if space.schema.chars().any(char::is_uppercase) {
        let reason = "kine would look for it in lower case";
        return Err(Error::Name { name: space.schema.clone(), store: "PostgreSQL", reason });
    }
    Ok(())
}

/// A name as a statement has it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as a statement has it, where strings are as the standard says.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(schema: &str, user: &str) -> TenantSpace {
        TenantSpace { schema: schema.to_owned(), user: user.to_owned() }
    }

    #[test]
    fn names_that_are_others_are_refused() {
        let long = "x".repeat(64);
        for (schema, user) in [
            ("postgres", "team"),
            ("template1", "team"),
            ("team", "boss"),
            ("team", "pg_monitor"),
            ("team", "public"),
            ("Team", "team"),
            ("", "team"),
            ("team", ""),
            (long.as_str(), "team"),
            ("te\0am", "team"),
        ] {
            assert!(check(&space(schema, user), "boss").is_err(), "{schema} {user}");
        }
        check(&space("default_team\"; drop role x; --", "Team'"), "boss").unwrap();
    }

    #[test]
    fn quotes_do_not_end_a_name_or_a_text() {
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
        assert_eq!(literal("a'b"), "'a''b'");
    }
}
