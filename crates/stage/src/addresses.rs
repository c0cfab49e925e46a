//! Service addresses that lead to this machine.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::Ipv4Net;

/// Where the operator serves its webhooks: an address of the range that the API server gives out only on request.
pub(crate) fn webhooks(services: Ipv4Net) -> SocketAddr {
    let [first, second, third, _] = services.network().octets();
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(first, second, third, 10)), 9443)
}

#[cfg(test)]
mod tests {
    use super::webhooks;

    #[test]
    fn webhooks_have_an_address_of_the_range() {
        let range = "127.9.16.0/20".parse().unwrap();
        assert_eq!(webhooks(range).to_string(), "127.9.16.10:9443");
    }
}
