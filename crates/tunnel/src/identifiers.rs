//! What agents say that they reach: `host=...&cidr=...&ipv4=...&ipv6=...&default-route=true`.

use std::net::IpAddr;

/// More than these are not kept: a peer's list must not grow without bound.
const MOST: usize = 64;

/// Addresses that an agent reaches best.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Identifiers {
    hosts: Vec<String>,
    addresses: Vec<IpAddr>,
    pub(crate) is_default_route: bool,
}

impl Identifiers {
    /// Reads the agent's header; what is unknown or malformed is left out, since agents of other
    /// versions may say more.
    pub(crate) fn parse(text: &str) -> Self {
        let mut found = Self::default();
        for (key, value) in text.split('&').take(MOST).filter_map(|pair| pair.split_once('=')) {
            let value = decoded(value);
            match key {
                "host" => found.hosts.push(value),
                "ipv4" | "ipv6" => found.addresses.extend(value.parse::<IpAddr>()),
                "default-route" => found.is_default_route |= value == "true",
                _ => {}
            }
        }
        found
    }

    /// Whether the agent named this host as its own.
    pub(crate) fn name(&self, host: &str) -> bool {
        match host.parse::<IpAddr>() {
            Ok(address) => self.addresses.contains(&address),
            Err(_) => self.hosts.iter().any(|own| own.eq_ignore_ascii_case(host)),
        }
    }
}

/// Undoes the encoding of a URL's query.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match (first, hex.and_then(|two| u8::from_str_radix(two, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = tail;
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::Identifiers;

    #[test]
    fn an_agents_words_are_understood() {
        let agent = Identifiers::parse("host=node-1&ipv4=10.0.0.7&ipv6=fd00%3A%3A7&default-route=true&x=%zz");
        assert!(agent.is_default_route);
        for own in ["node-1", "NODE-1", "10.0.0.7", "fd00::7"] {
            assert!(agent.name(own), "{own}");
        }
        for other in ["node-2", "10.0.0.8", ""] {
            assert!(!agent.name(other), "{other}");
        }
        assert_eq!(Identifiers::parse("nonsense"), Identifiers::default());
    }
}
