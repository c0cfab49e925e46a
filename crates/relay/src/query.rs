//! Queries of the Kubernetes API, read as Go reads them; what it would silently drop is refused.

use crate::path::decode;
use crate::target::Refusal;

/// Most parameters. Go drops the whole query at some number, this is far below.
pub(crate) const MOST: usize = 1000;

/// A parameter, decoded.
pub(crate) type Parameter = (String, String);

/// Only what http, hyper and Go's URLs all take as it is.
pub(crate) fn check(query: &str) -> Result<(), Refusal> {
    let is_plain = query.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    if is_plain { Ok(()) } else { Err(Refusal::Unencoded) }
}

/// The parameters in their order.
pub(crate) fn read(query: &str) -> Result<Vec<Parameter>, Refusal> {
    check(query)?;
    if query.contains(';') {
        return Err(Refusal::Semicolon);
    }
    if query.split('&').count() > MOST {
        return Err(Refusal::TooMany);
    }
    query.split('&').filter(|part| !part.is_empty()).map(read_parameter).collect()
}

fn read_parameter(part: &str) -> Result<Parameter, Refusal> {
    let (key, value) = part.split_once('=').unwrap_or((part, ""));
    Ok((read_text(key)?, read_text(value)?))
}

fn read_text(text: &str) -> Result<String, Refusal> {
    String::from_utf8(decode(text.replace('+', " ").as_bytes())?).map_err(|_| Refusal::NotUtf8)
}

/// The first value of a parameter, which is the one that the API server reads.
pub(crate) fn first<'a>(parameters: &'a [Parameter], key: &str) -> Option<&'a str> {
    parameters.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
}

/// The value that a field selector demands of `metadata.name`, if it demands just one. In doubt none: a request
/// without a name needs the right to all.
pub(crate) fn selected_name(selector: &str) -> Option<&str> {
    // Escapes are for commas and equal signs, which no name has.
    if selector.contains('\\') {
        return None;
    }
    let mut name = None;
    for term in selector.split(',').filter(|term| !term.is_empty()) {
        let at = term.find('=')?;
        let (left, right) = (&term[..at], &term[at + 1..]);
        let (left, is_equal) = left.strip_suffix('!').map_or((left, true), |left| (left, false));
        let right = if is_equal { right.strip_prefix('=').unwrap_or(right) } else { right };
        if right.contains('=') {
            return None;
        }
        if left == "metadata.name" && is_equal {
            if name.is_some_and(|name| name != right) {
                return None;
            }
            name = Some(right);
        }
    }
    name.filter(|name| is_segment(name))
}

/// Whether an object may have the name.
fn is_segment(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '%'])
}
