//! A way out of a local cluster: its node reaches the load balancers of another local cluster through an address
//! translation that lets no connection in.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use anyhow::{Context, Result};
use local::{Layout, Record};

use crate::commands::{ip, run};

/// Position on the bridge of the other cluster, above those of sites.
const POSITION: u8 = 250;

/// Lays a cable from the first node of `from` to the bridge of `to`; both run. It goes with `from`.
pub fn open_outlet(from: &Layout, to: &Layout) -> Result<()> {
    let record = Record::read(to)?.context("the other local cluster does not run")?;
    let plan = record.addresses;
    let (cable, bridge) = (to.name().cable(POSITION), to.name().bridge());
    let scope = from.name().scope(0);
    ip(
        None,
        &format!(
            "link add {cable} type veth peer name outlet netns {scope}\nlink set {cable} master {bridge} up\n"
        ),
    )?;
    let network = plan.node_network();
    let own = Ipv4Addr::from_bits(network.network().to_bits() + u32::from(POSITION));
    let mut batch = format!("address add {own}/{} dev outlet\nlink set outlet up\n", network.prefix_len());
    let _ = writeln!(batch, "route add {} via {}", plan.load_balancers(), plan.node(0));
    ip(Some(&scope), &batch)?;
    let namespace = format!("--net=/run/netns/{scope}");
    run("nsenter", &[&namespace, "--", "nft", "-f", "-"], RULES)?.success().map(drop)
}

/// Out is allowed, in is not.
const RULES: &str = "
table ip outlet {
  chain translate { type nat hook postrouting priority srcnat; oifname outlet masquerade; }
  chain forward {
    type filter hook forward priority filter;
    iifname outlet ct state established,related accept
    iifname outlet drop
  }
  chain input {
    type filter hook input priority filter;
    iifname outlet ct state established,related accept
    iifname outlet drop
  }
}
";
