//! Bridge, cables, network namespaces and routes.

use std::fmt::Write;
use std::net::Ipv4Addr;
use std::path::Path;

use ipnet::Ipv4Net;
use serde_json::Value;

use super::{files, run, run_with_input};
use crate::{AddressPlan, ClusterName, Error};

/// The ranges that addresses and routes of the machine use, each with its description.
pub(crate) fn occupied() -> Result<Vec<(Ipv4Net, String)>, Error> {
    let addresses = parse(&run("ip", &["-json", "-4", "address"])?);
    let routes = parse(&run("ip", &["-json", "-4", "route"])?);
    Ok(used_by_addresses(&addresses).chain(used_by_routes(&routes)).collect())
}

fn parse(json: &str) -> Vec<Value> {
    serde_json::from_str(json).unwrap_or_default()
}

fn used_by_addresses(links: &[Value]) -> impl Iterator<Item = (Ipv4Net, String)> {
    links.iter().flat_map(|link| {
        let device = link["ifname"].as_str().unwrap_or("?");
        link["addr_info"].as_array().into_iter().flatten().filter_map(move |info| {
            let address: Ipv4Addr = info["local"].as_str()?.parse().ok()?;
            Some((Ipv4Net::from(address), format!("the address {address} of {device}")))
        })
    })
}

fn used_by_routes(routes: &[Value]) -> impl Iterator<Item = (Ipv4Net, String)> {
    routes.iter().filter_map(|route| {
        let destination = route["dst"].as_str()?;
        // A default route is no use of its addresses.
        let network: Ipv4Net =
            destination.parse().or_else(|_| destination.parse::<Ipv4Addr>().map(Ipv4Net::from)).ok()?;
        let device = route["dev"].as_str().unwrap_or("?");
        (network.prefix_len() > 0).then(|| (network, format!("the route to {destination} over {device}")))
    })
}

/// Names of the cluster's network namespaces.
pub(crate) fn namespaces(name: &ClusterName) -> Vec<String> {
    let mut scopes = files::entries(Path::new("/run/netns"));
    scopes.retain(|scope| name.owns_scope(scope));
    scopes
}

/// Makes everything, on a machine that holds nothing of the cluster.
pub(crate) fn create(name: &ClusterName, plan: AddressPlan, nodes: u8) -> Result<(), Error> {
    for node in 0..nodes {
        run("ip", &["netns", "add", &name.scope(node)])?;
    }
    run_with_input("ip", &["-batch", "-"], &host_batch(name, plan, nodes))?;
    for node in 0..nodes {
        let scope = name.scope(node);
        run_with_input("ip", &["-netns", &scope, "-batch", "-"], &node_batch(plan, node, nodes))?;
        let namespace = format!("--net=/run/netns/{scope}");
        // Not `ip netns exec`: that mounts a new /sys. The file speaks of the reader's namespace.
        let forward = "echo 1 > /proc/sys/net/ipv4/ip_forward";
        run("nsenter", &[&namespace, "--", "/bin/sh", "-c", forward])?;
    }
    Ok(())
}

fn host_batch(name: &ClusterName, plan: AddressPlan, nodes: u8) -> String {
    let bridge = name.bridge();
    let (address, length) = (plan.bridge(), plan.node_network().prefix_len());
    let mut batch = format!(
        "link add {bridge} type bridge\naddress add {address}/{length} dev {bridge}\nlink set {bridge} up\n"
    );
    for node in 0..nodes {
        let (cable, scope) = (name.cable(node), name.scope(node));
        let _ = writeln!(batch, "link add {cable} type veth peer name eth0 netns {scope}");
        let _ = writeln!(batch, "link set {cable} master {bridge} up");
        let _ = writeln!(batch, "route add {} via {}", plan.pods_of(node), plan.node(node));
    }
    for range in [plan.services(), plan.load_balancers()] {
        let _ = writeln!(batch, "route add {range} via {}", plan.node(0));
    }
    batch
}

/// A node has no default route: nothing in it may try to reach beyond the machine.
fn node_batch(plan: AddressPlan, node: u8, nodes: u8) -> String {
    let (address, length) = (plan.node(node), plan.node_network().prefix_len());
    let mut batch = format!("link set lo up\naddress add {address}/{length} dev eth0\nlink set eth0 up\n");
    for other in (0..nodes).filter(|other| *other != node) {
        let _ = writeln!(batch, "route add {} via {}", plan.pods_of(other), plan.node(other));
    }
    // kube-proxy rewrites these addresses, but only in packets that some route lets out: without one
    // the API server could not call a webhook by its Service.
    for range in [plan.services(), plan.load_balancers()] {
        let _ = writeln!(batch, "route add {range} dev eth0");
    }
    batch
}

/// Removes links and namespaces; routes and addresses go with them.
pub(crate) fn remove(name: &ClusterName) -> Result<(), Error> {
    for scope in namespaces(name) {
        run("ip", &["netns", "delete", &scope])?;
    }
    let (bridge, cables) = (name.bridge(), name.cable_prefix());
    for link in files::entries(Path::new("/sys/class/net")) {
        if link == bridge || link.starts_with(&cables) {
            // A cable vanishes by itself, a little after the namespace at its other end.
            let removed = run("ip", &["link", "delete", &link]);
            if Path::new("/sys/class/net").join(&link).exists() {
                removed?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{host_batch, node_batch, used_by_addresses, used_by_routes};
    use crate::AddressPlan;

    #[test]
    fn addresses_and_routes_are_in_use_but_a_default_route_is_not() {
        let links = [json!({"ifname": "eth0", "addr_info": [{"local": "192.0.2.2", "prefixlen": 24}]})];
        let routes = [
            json!({"dst": "default", "dev": "eth0"}),
            json!({"dst": "10.200.0.0/16", "dev": "tun0"}),
            json!({"dst": "10.9.9.9", "dev": "tun0"}),
        ];
        let used: Vec<String> = used_by_addresses(&links)
            .chain(used_by_routes(&routes))
            .map(|(network, by)| format!("{network} {by}"))
            .collect();
        assert_eq!(
            used,
            [
                "192.0.2.2/32 the address 192.0.2.2 of eth0",
                "10.200.0.0/16 the route to 10.200.0.0/16 over tun0",
                "10.9.9.9/32 the route to 10.9.9.9 over tun0",
            ]
        );
    }

    #[test]
    fn two_nodes_reach_each_other_and_the_host_reaches_both() {
        let plan = AddressPlan::first_free(&[]).unwrap();
        let name = "dev".parse().unwrap();
        insta::assert_snapshot!(host_batch(&name, plan, 2));
        insta::assert_snapshot!(node_batch(plan, 1, 2));
    }
}
