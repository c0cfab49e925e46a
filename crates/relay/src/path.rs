//! Paths of the Kubernetes API, split and decoded, or refused.

use crate::target::Refusal;

/// A path that may be passed on.
#[derive(Debug)]
pub(crate) struct Path {
    /// Its segments, decoded; of those behind a proxy subresource, none.
    pub(crate) segments: Vec<String>,
    is_free: bool,
}

impl Path {
    pub(crate) fn read(path: &str) -> Result<Self, Refusal> {
        check_characters(path)?;
        let rest = path.strip_prefix('/').ok_or(Refusal::NotAbsolute)?;
        // The API server takes one slash at the end as none.
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.is_empty() {
            return if path == "/" {
                Ok(Self { segments: Vec::new(), is_free: false })
            } else {
                Err(Refusal::EmptySegment)
            };
        }
        let raw: Vec<&str> = rest.split('/').collect();
        let proxied = behind_proxy(&raw);
        let (strict, free) = raw.split_at(proxied.unwrap_or(raw.len()));
        let segments = strict.iter().map(|segment| read_segment(segment)).collect::<Result<_, _>>()?;
        check_free(&free.join("/"))?;
        Ok(Self { segments, is_free: proxied.is_some() })
    }

    /// Whether it leads through a proxy subresource, where path and query belong to another program.
    pub(crate) fn is_free(&self) -> bool {
        self.is_free
    }
}

/// Only what http, hyper and Go's URLs all take as it is.
fn check_characters(path: &str) -> Result<(), Refusal> {
    match path.bytes().find(|byte| !byte.is_ascii_graphic() || matches!(byte, b'\\' | b'#' | b'?')) {
        None => Ok(()),
        Some(b'\\') => Err(Refusal::Separator),
        Some(byte) if byte.is_ascii_control() => Err(Refusal::Control),
        Some(_) => Err(Refusal::Unencoded),
    }
}

/// Where the part begins that the API server hands to a pod, service or node. Spelled otherwise, such as with
/// encoded letters, it is no such path, and the strict rules hold.
fn behind_proxy(raw: &[&str]) -> Option<usize> {
    match raw {
        ["api", "v1", "namespaces", _, "pods" | "services", _, "proxy", ..] => Some(7),
        ["api", "v1", "nodes", _, "proxy", ..] => Some(5),
        _ => None,
    }
}

fn read_segment(segment: &str) -> Result<String, Refusal> {
    if segment.is_empty() {
        return Err(Refusal::EmptySegment);
    }
    let decoded = decode(segment.as_bytes())?;
    if decoded.iter().any(|byte| matches!(byte, b'/' | b'\\')) {
        return Err(Refusal::Separator);
    }
    if decoded.contains(&b'%') {
        return Err(Refusal::EncodedPercent);
    }
    let decoded = String::from_utf8(decoded).map_err(|_| Refusal::NotUtf8)?;
    if decoded.chars().any(char::is_control) {
        return Err(Refusal::Control);
    }
    if decoded == "." || decoded == ".." {
        return Err(Refusal::DotSegment);
    }
    Ok(decoded)
}

/// What is behind a proxy subresource may be anything that does not climb out of it.
fn check_free(rest: &str) -> Result<(), Refusal> {
    let decoded = decode(rest.as_bytes())?;
    let climbs = decoded.split(|byte| matches!(byte, b'/' | b'\\')).any(|segment| segment == b"..");
    if climbs { Err(Refusal::DotSegment) } else { Ok(()) }
}

/// Decodes percent escapes.
pub(crate) fn decode(text: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            decoded.push(first);
            continue;
        }
        let [high, low, after @ ..] = after else { return Err(Refusal::Escape) };
        decoded.push(digit(*high)? << 4 | digit(*low)?);
        rest = after;
    }
    Ok(decoded)
}

fn digit(byte: u8) -> Result<u8, Refusal> {
    match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        b'A'..=b'F' => Ok(byte - b'A' + 10),
        _ => Err(Refusal::Escape),
    }
}
