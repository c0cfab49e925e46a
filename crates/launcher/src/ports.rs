//! Free ports on loopback, for control planes that tests start.

use std::net::{Ipv4Addr, TcpListener};

use crate::Error;

/// Asks the system for free ports on 127.0.0.1, all different. Another program may take one before
/// it is used; whoever starts a server on it sees that as its early end.
pub fn free_ports<const N: usize>() -> Result<[u16; N], Error> {
    let mut ports = [0; N];
    // The listeners are kept until all ports are known, else the system may give one out twice.
    let mut listeners = Vec::with_capacity(N);
    for port in &mut ports {
        let find = |source| Error::FindPort { source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(find)?;
        *port = listener.local_addr().map_err(find)?.port();
        listeners.push(listener);
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    #[test]
    fn ports_are_different() {
        let [first, second, third] = super::free_ports().unwrap();
        assert!(first != second && second != third && first != third);
    }
}
