//! Texts from outside, made fit to be stored.

use std::borrow::Cow;

/// A text without NUL, which PostgreSQL cannot store. The same for the same text, so that it can be found again.
pub(crate) fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// [`storable`], and its beginning only if it has more than `limit` bytes.
pub(crate) fn bounded(text: &str, limit: usize) -> String {
    storable(&text[..text.floor_char_boundary(limit)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{bounded, storable};

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(bounded("größer", 3), "gr");
        assert_eq!(bounded("größer", 4), "grö");
        assert_eq!(bounded("größer", 99), "größer");
    }

    #[test]
    fn nul_is_replaced() {
        assert_eq!(storable("ol\0ga"), "ol\u{fffd}ga");
        assert_eq!(storable("olga"), "olga");
    }
}
