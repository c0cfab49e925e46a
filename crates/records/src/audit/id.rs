//! Ids of entries: UUIDs of version 7 (RFC 9562) whose order is that of time, to the microsecond.

use jiff::Timestamp;
use uuid::Uuid;

/// A new id for a time.
pub(super) fn at(time: Timestamp) -> Uuid {
    let Ok(random) = Uuid::new_v4().as_bytes()[8..].try_into() else { return first(time) };
    of(time, random)
}

/// The first id that a time can have.
pub(super) fn first(time: Timestamp) -> Uuid {
    of(time, [0; 8])
}

/// As it stands in the table.
pub(super) fn text(id: Uuid) -> String {
    id.hyphenated().to_string()
}

/// 48 bits of milliseconds, the version, 12 bits of a millisecond's fraction (section 6.2, method 3), the variant, the
/// rest random.
fn of(time: Timestamp, random: [u8; 8]) -> Uuid {
    let microseconds = u64::try_from(time.as_microsecond()).unwrap_or(0);
    let (milliseconds, rest) = (microseconds / 1000, microseconds % 1000);
    let fraction = rest * 4096 / 1000;
    let high = (milliseconds << 16) | 0x7000 | fraction;
    let low = (u64::from_be_bytes(random) & (u64::MAX >> 2)) | (1 << 63);
    Uuid::from_u64_pair(high, low)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{at, first, text};

    #[test]
    fn the_order_of_ids_is_that_of_time() {
        let mut last = String::new();
        for microsecond in (0..3000).chain(1_796_000_000_000_000..1_796_000_000_003_000) {
            let time = Timestamp::from_microsecond(microsecond).unwrap();
            let (lowest, id) = (text(first(time)), text(at(time)));
            assert!(last < lowest && lowest <= id, "{microsecond}");
            last = id;
        }
    }

    #[test]
    fn an_id_is_a_uuid_of_version_7_with_its_time() {
        let time: Timestamp = "2026-11-29T01:02:03.456789Z".parse().unwrap();
        let id = at(time);
        assert_eq!((id.get_version_num(), id.get_variant()), (7, uuid::Variant::RFC4122));
        let (seconds, nanoseconds) = id.get_timestamp().unwrap().to_unix();
        assert_eq!((seconds, nanoseconds / 1_000_000), (time.as_second().cast_unsigned(), 456));
        assert_ne!(at(time), at(time));
    }
}
