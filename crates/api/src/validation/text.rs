//! Shapes of names.

/// A label by RFC 1035: what Services may be called.
pub(super) fn is_dns_1035_label(text: &str) -> bool {
    is_dns_1123_label(text) && text.starts_with(|first: char| first.is_ascii_lowercase())
}

/// A label by RFC 1123: what ports, containers and volumes may be called.
pub(crate) fn is_dns_1123_label(text: &str) -> bool {
    let inner = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit();
    (1..=63).contains(&text.len())
        && text.chars().all(|character| inner(character) || character == '-')
        && text.starts_with(inner)
        && text.ends_with(inner)
}

/// A host name, in which the first label may be `*`.
pub(super) fn is_dns_name(text: &str) -> bool {
    let name = text.strip_prefix("*.").unwrap_or(text);
    (1..=253).contains(&name.len()) && name.split('.').all(is_dns_1123_label)
}
