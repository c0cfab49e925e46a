//! Puts values in the place of `${name}`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::values::{Standing, Values, listed, shown};
use crate::validation::Fault;

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// As it stands.
    Text(&'a str),
    /// A parameter.
    Parameter(&'a str),
}

/// Fills in values, and notes what is wrong.
pub(super) struct Filling<'a> {
    values: &'a Values<'a>,
    pub(super) faults: Vec<Fault>,
}

impl<'a> Filling<'a> {
    pub(super) fn new(values: &'a Values<'a>) -> Self {
        Self { values, faults: Vec::new() }
    }

    /// An object without the fields that are left out.
    pub(super) fn object(&mut self, path: &str, object: &Map<String, Value>) -> Map<String, Value> {
        let mut filled = Map::new();
        for (name, value) in object {
            let path = format!("{path}.{name}");
            if name.contains("${") {
                let message = "is the name of a field, in which no parameter is filled in";
                self.faults.push(Fault::new(&path, name, message));
            } else if let Some(value) = self.value(&path, value) {
                filled.insert(name.clone(), value);
            }
        }
        filled
    }

    /// Labels without those that are left out.
    pub(super) fn labels(&mut self, labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let fill = |(name, text): (&String, &String)| {
            let value = self.text(&format!("labels.{name}"), text)?;
            Some((name.clone(), shown(&value)))
        };
        labels.iter().filter_map(fill).collect()
    }

    fn value(&mut self, path: &str, value: &Value) -> Option<Value> {
        match value {
            Value::String(text) => self.text(path, text),
            Value::Object(object) => Some(Value::Object(self.object(path, object))),
            Value::Array(items) => {
                let items = items.iter().enumerate();
                let filled = items.filter_map(|(index, item)| self.value(&format!("{path}[{index}]"), item));
                Some(Value::Array(filled.collect()))
            }
            Value::Null => {
                // JSON merge patches, as kubectl sends them, lose it.
                self.fault(path, "null", "says nothing; name a field that is to be left out in `without`")
            }
            other => Some(other.clone()),
        }
    }

    fn text(&mut self, path: &str, text: &str) -> Option<Value> {
        let pieces = match pieces(text) {
            Ok(pieces) => pieces,
            Err(message) => return self.fault(path, text, message),
        };
        if let [Piece::Parameter(name)] = pieces[..] {
            return match self.standing(path, text, name)? {
                Standing::Is(value) => Some(value.clone()),
                Standing::LeftOut | Standing::Untold => None,
            };
        }
        let mut whole = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => whole.push_str(text),
                Piece::Parameter(name) => match self.standing(path, text, name)? {
                    Standing::Is(value) => whole.push_str(&shown(value)),
                    Standing::Untold => return None,
                    Standing::LeftOut => {
                        let message = format!(
                            "is made with parameter `{name}`, which may be left out; require it, or give it a default"
                        );
                        return self.fault(path, text, message);
                    }
                },
            }
        }
        Some(Value::String(whole))
    }

    fn standing(&mut self, path: &str, text: &str, name: &str) -> Option<&'a Standing> {
        let values = self.values;
        let known = values.get(name);
        if known.is_none() {
            let names: Vec<&str> = values.keys().copied().collect();
            let message = format!("names `{name}`, which is no parameter; there are: {}", listed(&names));
            return self.fault(path, text, message);
        }
        known
    }

    fn fault<T>(&mut self, path: &str, value: &str, message: impl Into<String>) -> Option<T> {
        self.faults.push(Fault::new(path, value, message));
        None
    }
}

/// The parts of a text; why it cannot be read.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, &'static str> {
    const UNREADABLE: &str =
        "has a `${` that no name and `}` follow; write `${name}` for a parameter, `$${` for `${` itself";
    let (mut pieces, mut rest) = (Vec::new(), text);
    while let Some(begin) = rest.find("${") {
        let before = &rest[..begin];
        if let Some(literal) = before.strip_suffix('$') {
            pieces.push(Piece::Text(literal));
            pieces.push(Piece::Text("${"));
            rest = &rest[begin + 2..];
            continue;
        }
        let (name, after) = rest[begin + 2..].split_once('}').ok_or(UNREADABLE)?;
        if !is_name(name) {
            return Err(UNREADABLE);
        }
        pieces.push(Piece::Text(before));
        pieces.push(Piece::Parameter(name));
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    pieces.retain(|piece| *piece != Piece::Text(""));
    Ok(pieces)
}

/// Whether a parameter may be called so.
pub(super) fn is_name(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.len() <= 63
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(is_inner)
}
