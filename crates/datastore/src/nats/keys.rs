//! kine's keys as subjects: each part between slashes in base58, joined by dots.

/// The root of a tenant's keys behind kine.
const ROOT: &str = "registry";
/// The first part of what has no slash in front, which no API server writes.
const META: &str = "meta";
/// How a part without letters is written.
const EMPTY: &str = "/";

/// The key in a bucket of what the tenant knows under `key`.
pub(super) fn encode(key: &str) -> String {
    let parts = std::iter::once(ROOT).chain(key.split('/'));
    parts.map(part).collect::<Vec<_>>().join(".")
}

/// The key in a bucket of something that is not the tenant's.
pub(super) fn aside(name: &str) -> String {
    format!("{META}.{}", part(name))
}

/// What the tenant knows a key of its bucket under; none if it is not the tenant's.
pub(super) fn decode(encoded: &str) -> Option<Vec<u8>> {
    let mut parts = encoded.split('.').map(|part| bs58::decode(part).into_vec().ok());
    if parts.next()?? != ROOT.as_bytes() {
        return None;
    }
    let mut key = Vec::new();
    for (position, part) in parts.enumerate() {
        if position > 0 {
            key.push(b'/');
        }
        let part = part?;
        if part != EMPTY.as_bytes() {
            key.extend(part);
        }
    }
    Some(key)
}

fn part(text: &str) -> String {
    bs58::encode(if text.is_empty() { EMPTY } else { text }).into_string()
}

#[cfg(test)]
mod tests {
    use super::{aside, decode, encode};

    #[test]
    fn keys_are_written_as_kine_writes_them() {
        // From kine's own tests: "/registry/health" and a key without a slash.
        for key in ["health", "pods/default/a.b", "", "trailing/", "double//slash", "ä/ö"] {
            assert_eq!(decode(&encode(key)).unwrap(), key.as_bytes(), "{key}");
        }
        assert_eq!(decode(&aside("compact_rev_key_apiserver")), None);
    }
}
