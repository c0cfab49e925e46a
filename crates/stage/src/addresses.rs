//! Service addresses that lead to this machine: a part of 127.0.0.0/8 for each stage.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

use anyhow::{Context, Result};
use ipnet::Ipv4Net;

/// A port that nothing else listens on; whoever holds it owns the range.
const CLAIM_PORT: u16 = 29_999;
/// Room for 4,096 Services.
const PREFIX: u8 = 20;

/// A range of addresses, held as long as the value lives.
#[derive(Debug)]
pub(crate) struct Addresses {
    net: Ipv4Net,
    _claim: TcpListener,
}

impl Addresses {
    /// Takes the first range that no other stage on this machine holds.
    pub(crate) fn claim() -> Result<Self> {
        let mut candidates =
            (64..128_u8).flat_map(|second| (0..16_u8).map(move |third| (second, third * 16)));
        candidates
            .find_map(|(second, third)| {
                let net = Ipv4Net::new(Ipv4Addr::new(127, second, third, 0), PREFIX).ok()?;
                let claim = TcpListener::bind((Ipv4Addr::new(127, second, third, 1), CLAIM_PORT)).ok()?;
                Some(Self { net, _claim: claim })
            })
            .context("every range of loopback addresses is held by another stage")
    }

    /// The range.
    pub(crate) fn net(&self) -> Ipv4Net {
        self.net
    }

    /// Where the operator serves its webhooks: an address that the API server gives out only on request.
    pub(crate) fn webhooks(&self) -> SocketAddr {
        let [first, second, third, _] = self.net.addr().octets();
        SocketAddr::new(IpAddr::V4(Ipv4Addr::new(first, second, third, 10)), 9443)
    }
}

#[cfg(test)]
mod tests {
    use super::Addresses;

    #[test]
    fn two_stages_hold_different_ranges() {
        let (one, two) = (Addresses::claim().unwrap(), Addresses::claim().unwrap());
        assert_ne!(one.net(), two.net());
        assert!(one.net().contains(&match one.webhooks().ip() {
            std::net::IpAddr::V4(address) => address,
            std::net::IpAddr::V6(_) => unreachable!(),
        }));
    }
}
