//! Archives: what goes in comes out, and nothing else is taken for one.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use backup::{Entry, Error, Facts, Key, Reader, Totals, Writer};
use proptest::prelude::*;

fn facts() -> Facts {
    Facts {
        namespace: "team".to_owned(),
        name: "shop".to_owned(),
        uid: "8b1d".to_owned(),
        kubernetes_version: "v1.36.3".to_owned(),
        driver: "etcd".to_owned(),
        revision: 42,
        taken_at: "2026-11-25T09:00:00Z".parse().unwrap(),
        written_by: "0.1.0".to_owned(),
    }
}

fn archive(entries: &[Entry], key: &Key) -> Vec<u8> {
    let mut writer = Writer::new(facts(), key).unwrap();
    let mut bytes = Vec::new();
    for entry in entries {
        writer.push(entry).unwrap();
        bytes.extend(writer.take());
    }
    bytes.extend(writer.finish().unwrap().0);
    bytes
}

/// Reads an archive that comes in pieces.
fn read(bytes: &[u8], piece: usize, key: &Key) -> Result<(Vec<Entry>, Totals), Error> {
    let mut reader = Reader::new(key.clone())?;
    let mut entries = Vec::new();
    for piece in bytes.chunks(piece.max(1)) {
        reader.push(piece)?;
        while let Some(entry) = reader.next_entry()? {
            entries.push(entry);
        }
    }
    reader.finish()?;
    while let Some(entry) = reader.next_entry()? {
        entries.push(entry);
    }
    let totals = reader.totals()?;
    assert_eq!(reader.header().unwrap().facts, facts());
    Ok((entries, totals))
}

/// Values that do not compress, so that there are several chunks.
fn entries(count: usize) -> Vec<Entry> {
    let mut state = 1_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u8::try_from(state >> 56).unwrap()
    };
    let entry = |number: usize| Entry {
        key: format!("registry/pods/{number:06}").into_bytes(),
        value: (0..1000).map(|_| noise()).collect(),
        ends_in: number.is_multiple_of(3).then(|| Duration::from_secs(number as u64)),
    };
    (0..count).map(entry).collect()
}

fn any_entries() -> impl Strategy<Value = Vec<Entry>> {
    let value = proptest::collection::vec(any::<u8>(), 0..3000);
    let left = proptest::option::of(0..100_000_u64);
    let key = proptest::collection::vec(any::<u8>(), 1..40);
    proptest::collection::btree_map(key, (value, left), 0..150).prop_map(|map| {
        let entry = |(key, (value, left)): (Vec<u8>, (Vec<u8>, Option<u64>))| Entry {
            key,
            value,
            ends_in: left.map(Duration::from_millis),
        };
        map.into_iter().map(entry).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_goes_in_comes_out(entries in any_entries(), piece in 1_usize..200_000) {
        let key = Key::generate().unwrap();
        let (found, totals) = read(&archive(&entries, &key), piece, &key).unwrap();
        prop_assert_eq!(totals.entries, entries.len() as u64);
        prop_assert_eq!(found, entries);
    }

    #[test]
    fn a_truncated_archive_is_called_so(cut in any::<prop::sample::Index>(), piece in 1_usize..100_000) {
        let key = Key::generate().unwrap();
        let whole = archive(&entries(150), &key);
        let cut = cut.index(whole.len());
        let error = read(&whole[..cut], piece, &key).unwrap_err();
        prop_assert!(matches!(error, Error::Truncated { .. }), "cut at {cut}: {error}");
    }

    #[test]
    fn a_changed_byte_never_goes_unseen(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let key = Key::generate().unwrap();
        let mut changed = archive(&entries(150), &key);
        let at = at.index(changed.len());
        changed[at] ^= 1 << bit;
        let error = read(&changed, 50_000, &key).unwrap_err();
        // A changed magic makes it foreign, a changed fingerprint another key's, a changed end mark truncated,
        // a changed length of the header too.
        let is_named = matches!(error, Error::Tampered { .. })
            || at < 1000 && matches!(error, Error::Foreign | Error::OtherKey { .. } | Error::Newer { .. } | Error::Truncated { .. })
            || at >= changed.len() - 16 && matches!(error, Error::Truncated { .. });
        prop_assert!(is_named, "byte {at}: {error:?}");
    }
}

const SEALED: usize = (64 << 10) + 16;

fn body(archive: &[u8]) -> usize {
    let length = u32::from_be_bytes(archive[16..20].try_into().unwrap());
    20 + usize::try_from(length).unwrap() + 32
}

#[test]
fn chunks_can_be_neither_left_out_nor_exchanged_nor_repeated_nor_be_the_end() {
    let key = Key::generate().unwrap();
    let whole = archive(&entries(400), &key);
    let begin = body(&whole);
    assert!(whole.len() > begin + 4 * SEALED, "several chunks");
    let (head, rest) = whole.split_at(begin);
    let (first, rest) = rest.split_at(SEALED);
    let (second, rest) = rest.split_at(SEALED);
    let end = &whole[whole.len() - 16..];
    for changed in [
        [head, second, rest].concat(),
        [head, second, first, rest].concat(),
        [head, first, first, second, rest].concat(),
        [head, first, end].concat(),
        [head, end].concat(),
        [&whole, end].concat(),
        [&whole, &whole[..]].concat(),
    ] {
        let error = read(&changed, 10_000, &key).unwrap_err();
        assert!(matches!(error, Error::Tampered { .. }), "{error:?}");
    }
}

#[test]
fn a_chunk_of_another_archive_with_the_same_key_is_refused() {
    let key = Key::generate().unwrap();
    let (one, other) = (archive(&entries(400), &key), archive(&entries(400), &key));
    assert_ne!(one, other, "each archive has a salt of its own");
    let (head, body) = (&one[..body(&one)], &other[body(&other)..]);
    assert!(matches!(read(&[head, body].concat(), 1000, &key), Err(Error::Tampered { .. })));
}

#[test]
fn another_key_is_named_and_nothing_is_read_with_it() {
    let (key, other) = (Key::generate().unwrap(), Key::generate().unwrap());
    let error = read(&archive(&entries(3), &key), 1000, &other).unwrap_err().to_string();
    assert!(error.contains(&key.fingerprint().unwrap()), "{error}");
    assert!(error.contains(&other.fingerprint().unwrap()), "{error}");
}

#[test]
fn nothing_of_the_entries_is_readable_in_an_archive() {
    let key = Key::generate().unwrap();
    let entry = Entry { key: b"secrets/a".to_vec(), value: b"the-password-itself".repeat(50), ends_in: None };
    let bytes = archive(&[entry], &key);
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    assert!(!holds(b"the-password") && !holds(b"secrets/a"));
    assert!(holds(b"\"shop\""), "the header says whose it is");
}

#[test]
fn another_file_and_a_later_format_are_named() {
    let key = Key::generate().unwrap();
    assert!(matches!(read(b"PK\x03\x04 something else", 7, &key), Err(Error::Foreign)));
    let mut later = archive(&[], &key);
    let text = b"\"format\":1";
    let at = later.windows(text.len()).position(|window| window == text).unwrap();
    later[at + text.len() - 1] = b'9';
    let error = read(&later, 1000, &key).unwrap_err();
    assert!(matches!(error, Error::Newer { found: 9 }), "{error:?}");
}

#[test]
fn keys_out_of_order_are_refused_when_they_are_written() {
    let key = Key::generate().unwrap();
    let mut writer = Writer::new(facts(), &key).unwrap();
    let entries = entries(2);
    writer.push(&entries[1]).unwrap();
    assert!(writer.push(&entries[0]).is_err());
    assert!(writer.push(&entries[1]).is_err());
}
