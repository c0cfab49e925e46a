//! Filters with places for values (RFC 4515).

use std::fmt::Write as _;

/// A value as it stands in a filter: whatever is no letter or digit is escaped, so that it is never more than a value.
pub(super) fn escaped(value: &[u8]) -> String {
    value.iter().fold(String::with_capacity(value.len()), |mut text, byte| {
        if byte.is_ascii_alphanumeric() {
            text.push(char::from(*byte));
        } else {
            // Writing into a String does not fail.
            let _ = write!(text, "\\{byte:02x}");
        }
        text
    })
}

/// A filter with values in its places, of which none is read as a place again.
pub(super) fn filled(filter: &str, values: &[(&str, String)]) -> String {
    let mut text = String::with_capacity(filter.len());
    let mut rest = filter;
    while !rest.is_empty() {
        let found = values.iter().find_map(|(place, value)| Some((rest.strip_prefix(*place)?, value)));
        if let Some((after, value)) = found {
            text.push_str(value);
            rest = after;
            continue;
        }
        let mut characters = rest.chars();
        text.extend(characters.next());
        rest = characters.as_str();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{escaped, filled};

    #[test]
    fn a_value_is_never_a_part_of_the_filter() {
        let name = escaped(b"*)(uid=*");
        assert_eq!(name, r"\2a\29\28uid\3d\2a");
        let filter = filled("(&(objectClass=person)(uid={user}))", &[("{user}", name)]);
        assert_eq!(filter, r"(&(objectClass=person)(uid=\2a\29\28uid\3d\2a))");
        assert_eq!(escaped("\u{e4}\0".as_bytes()), r"\c3\a4\00");
    }

    #[test]
    fn a_value_with_the_text_of_a_place_is_a_value() {
        let values = [("{dn}", escaped(b"cn={user}")), ("{user}", escaped(b"olga"))];
        assert_eq!(filled("({dn}|{user}|\u{e4})", &values), "(cn\\3d\\7buser\\7d|olga|\u{e4})");
    }
}
