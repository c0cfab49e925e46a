//! By which the hub knows a cluster: `namespace.name` of a hosted one, the name of an imported one.

use std::fmt;

/// A cluster. Neither namespaces nor names of control planes hold a dot, nor do names of imported clusters, so that
/// no two clusters share an id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum ClusterId {
    /// A control plane of the management cluster.
    Hosted {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// A `Cluster`.
    Imported(String),
}

impl ClusterId {
    /// Reads an id; nothing if it has not the form of one.
    pub(crate) fn read(text: &str) -> Option<Self> {
        match text.split_once('.') {
            Some((namespace, name)) if is_label(namespace) && is_label(name) => {
                Some(Self::Hosted { namespace: namespace.to_owned(), name: name.to_owned() })
            }
            None if is_label(text) => Some(Self::Imported(text.to_owned())),
            _ => None,
        }
    }
}

impl fmt::Display for ClusterId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hosted { namespace, name } => write!(formatter, "{namespace}.{name}"),
            Self::Imported(name) => formatter.write_str(name),
        }
    }
}

/// A DNS label, as names of namespaces are.
pub(crate) fn is_label(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(is_inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::ClusterId;

    #[test]
    fn an_id_is_read_as_it_is_written() {
        for text in ["acme.prod", "edge-1"] {
            assert_eq!(ClusterId::read(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_id_is_not_taken_for_one() {
        for text in ["", ".", "a.", ".a", "a.b.c", "..", "a/b", "A", "a%2fb", "-a", "a-.b", &"x".repeat(64)] {
            assert_eq!(ClusterId::read(text), None, "{text}");
        }
    }
}
