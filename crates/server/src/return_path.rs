//! Where a browser goes after it has signed in: to a page of the hub, whatever a link says.

/// Longest path.
const LONGEST: usize = 1024;

/// The path, if it is one of this host and of nothing else.
pub(crate) fn local(path: &str) -> Option<&str> {
    let is_local = path.starts_with('/') && !path.starts_with("//");
    // Browsers read a backslash as a slash, and leave out what is not printed.
    let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (is_local && is_plain && path.len() <= LONGEST).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for path in ["/", "/clusters", "/clusters?tenant=a#b", "/a//b", "/%2f%2fevil.example.com"] {
            assert_eq!(local(path), Some(path));
        }
        for path in [
            "",
            "clusters",
            "//evil.example.com",
            "/\\evil.example.com",
            "\\\\evil.example.com",
            "https://evil.example.com",
            "javascript:alert(1)",
            "/\t/evil.example.com",
            "/\r\nset-cookie: a=b",
            " //evil.example.com",
            "/\u{2215}evil.example.com",
        ] {
            assert_eq!(local(path), None, "{path:?}");
        }
        assert_eq!(local(&format!("/{}", "a".repeat(1024))), None);
    }
}
