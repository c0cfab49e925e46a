//! How values stand in columns, and how they are read again.

use std::fmt;
use std::fmt::Write as _;

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// A SHA-256 of a secret or a request. Has no text in `Debug`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest(pub [u8; 32]);

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Digest(..)")
    }
}

impl Digest {
    /// 64 hexadecimal digits.
    pub(crate) fn text(self) -> String {
        self.0.iter().fold(String::with_capacity(64), |mut text, byte| {
            // Writing into a String does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    fn read(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }
}

/// A column that holds what no column of its kind does.
#[derive(Debug, thiserror::Error)]
#[error("the column {0} holds a damaged value")]
struct Damaged(String);

pub(crate) fn damaged(column: &str) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(Damaged(column.to_owned())))
}

/// Reads typed values from a row.
pub(crate) trait Columns {
    fn text(&self, column: &str) -> sqlx::Result<String>;
    fn optional_text(&self, column: &str) -> sqlx::Result<Option<String>>;
    /// Microseconds since 1970.
    fn time(&self, column: &str) -> sqlx::Result<Timestamp>;
    fn optional_time(&self, column: &str) -> sqlx::Result<Option<Timestamp>>;
    fn digest(&self, column: &str) -> sqlx::Result<Digest>;
    /// A JSON list of texts.
    fn list(&self, column: &str) -> sqlx::Result<Vec<String>>;
    /// A number that is not negative.
    fn number<T: TryFrom<i64>>(&self, column: &str) -> sqlx::Result<T>;
}

impl Columns for AnyRow {
    fn text(&self, column: &str) -> sqlx::Result<String> {
        self.try_get(column)
    }

    fn optional_text(&self, column: &str) -> sqlx::Result<Option<String>> {
        self.try_get(column)
    }

    fn time(&self, column: &str) -> sqlx::Result<Timestamp> {
        self.optional_time(column)?.ok_or_else(|| damaged(column))
    }

    fn optional_time(&self, column: &str) -> sqlx::Result<Option<Timestamp>> {
        let microseconds: Option<i64> = self.try_get(column)?;
        microseconds
            .map(|number| Timestamp::from_microsecond(number).map_err(|_| damaged(column)))
            .transpose()
    }

    fn digest(&self, column: &str) -> sqlx::Result<Digest> {
        Digest::read(self.try_get(column)?).ok_or_else(|| damaged(column))
    }

    fn list(&self, column: &str) -> sqlx::Result<Vec<String>> {
        serde_json::from_str(self.try_get(column)?).map_err(|_| damaged(column))
    }

    fn number<T: TryFrom<i64>>(&self, column: &str) -> sqlx::Result<T> {
        T::try_from(self.try_get::<i64, _>(column)?).map_err(|_| damaged(column))
    }
}

/// A JSON list of texts; a NUL in it is escaped and no trouble to store as text.
pub(crate) fn list_text(list: &[String]) -> String {
    serde_json::Value::from(list).to_string()
}

#[cfg(test)]
mod tests {
    use super::Digest;

    #[test]
    fn a_digest_is_read_as_it_was_written_and_is_not_shown() {
        let digest = Digest(std::array::from_fn(|place| u8::try_from(place * 7).unwrap_or(255)));
        assert_eq!(Digest::read(&digest.text()), Some(digest));
        assert_eq!(format!("{digest:?}"), "Digest(..)");
        for wrong in ["", "zz", &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(Digest::read(wrong), None, "{wrong}");
        }
    }
}
