//! Names of tenants' databases and users, and how they are written in statements.

use crate::{Error, TenantSpace};

/// Most characters in the name of a database.
const LONGEST: usize = 64;
/// Databases that are the server's own.
const DATABASES: [&str; 4] = ["mysql", "information_schema", "performance_schema", "sys"];
/// Users that are the server's own, or stand for none.
const USERS: [&str; 9] = [
    "root",
    "mysql",
    "mariadb.sys",
    "mysql.sys",
    "mysql.session",
    "mysql.infoschema",
    "event_scheduler",
    "system user",
    "unauthenticated user",
];

/// Refuses names that the server would take for others, or that are the administrator's.
pub(super) fn check(space: &TenantSpace, administrator: &str) -> Result<(), Error> {
    let is_one_of = |name: &str, names: &[&str]| names.iter().any(|other| other.eq_ignore_ascii_case(name));
    let reserved = |name: &str| Err(Error::Reserved { name: name.to_owned() });
    if is_one_of(&space.schema, &DATABASES) {
        return reserved(&space.schema);
    }
    let user = space.user.as_str();
    if user == administrator || user.eq_ignore_ascii_case("public") || is_one_of(user, &USERS) {
        return reserved(user);
    }
    for name in [&space.schema, &space.user] {
        if name.is_empty() || name.chars().count() > LONGEST || name.contains('\0') || name.ends_with(' ') {
            let reason = "it must have 1 to 64 characters and not end in a space";
            return Err(Error::Name { name: name.clone(), store: "MySQL", reason });
        }
    }
    Ok(())
}

/// A name as a statement has it.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text as a statement has it, where a backslash is only a backslash.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The name of a database as `GRANT` takes it: there `_` stands for any character and `%` for any text, so
/// that a right to `a_b` would be one to `axb` as well.
pub(super) fn pattern(database: &str) -> String {
    database.replace('\\', "\\\\").replace('_', "\\_").replace('%', "\\%")
}

/// User and host as a statement has them.
pub(super) fn account(space: &TenantSpace) -> String {
    format!("{}@'%'", literal(&space.user))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(schema: &str, user: &str) -> TenantSpace {
        TenantSpace { schema: schema.to_owned(), user: user.to_owned() }
    }

    #[test]
    fn names_that_are_others_are_refused() {
        let long = "x".repeat(65);
        for (schema, user) in [
            ("mysql", "team"),
            ("Information_Schema", "team"),
            ("team", "boss"),
            ("team", "ROOT"),
            ("team", "public"),
            ("", "team"),
            ("team", ""),
            ("team ", "team"),
            (long.as_str(), "team"),
            ("te\0am", "team"),
        ] {
            assert!(check(&space(schema, user), "boss").is_err(), "{schema} {user}");
        }
        check(&space("default_team`; DROP USER x; --", "team'"), "boss").unwrap();
    }

    #[test]
    fn quotes_do_not_end_a_name_or_a_text_and_wildcards_are_none() {
        assert_eq!(quoted("a`b"), "`a``b`");
        assert_eq!(literal("a'b\\"), "'a''b\\'");
        assert_eq!(pattern("a_b%"), "a\\_b\\%");
    }
}
