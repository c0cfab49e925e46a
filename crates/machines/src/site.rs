//! A place with a LAN behind a router that translates addresses and lets no connection in.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use local::{ClusterName, Layout, Record};

use crate::Machine;
use crate::commands::{ip, run};

/// Numbers of a site's namespaces: the router's, then its machines'. The local cluster's own nodes have
/// lower ones.
const FIRST: u8 = 100;
const PER_SITE: u8 = 10;

/// A site, known by its cluster and number.
#[derive(Debug, Clone)]
pub struct Site {
    pub(crate) layout: Layout,
    pub(crate) record: Record,
    number: u8,
}

impl Site {
    /// Makes a site beside a running local cluster, with data below the cluster's. What stood there before
    /// is ended.
    pub fn create(layout: &Layout, number: u8) -> Result<Self> {
        let site = Self::open(layout, number)?;
        site.remove()?;
        run("ip", &["netns", "add", &site.scope(0)], "")?.success()?;
        ip(None, &site.cable())?;
        ip(Some(&site.scope(0)), &site.router())?;
        let forward = "echo 1 > /proc/sys/net/ipv4/ip_forward && nft -f -";
        let namespace = format!("--net=/run/netns/{}", site.scope(0));
        run("nsenter", &[&namespace, "--", "/bin/sh", "-ec", forward], RULES)?.success()?;
        Ok(site)
    }

    /// A site that stands already.
    pub fn open(layout: &Layout, number: u8) -> Result<Self> {
        let record = Record::read(layout)?.context("the local cluster does not run")?;
        Ok(Self { layout: layout.clone(), record, number })
    }

    /// Machine `index` (from 1), which was started under this host name.
    #[must_use]
    pub fn machine(&self, index: u8, hostname: &str) -> Machine {
        Machine::new(self.clone(), index, hostname)
    }

    /// Starts a fresh machine `index` (from 1) under a host name.
    pub fn start(&self, index: u8, hostname: &str) -> Result<Machine> {
        let scope = self.scope(index);
        self.discard(index)?;
        run("ip", &["netns", "add", &scope], "")?.success()?;
        let plug = Self::plug(index);
        let batch = format!(
            "link add {plug} type veth peer name eth0 netns {scope}\nlink set {plug} master lan up\n"
        );
        ip(Some(&self.scope(0)), &batch)?;
        let batch = format!(
            "link set lo up\naddress add {}/24 dev eth0\nlink set eth0 up\nroute add {} via {}\nroute add 10.96.0.0/16 dev eth0\n",
            self.address(index),
            self.record.addresses.network(),
            self.address(0)
        );
        ip(Some(&scope), &batch)?;
        let machine = self.machine(index, hostname);
        machine.start()?;
        Ok(machine)
    }

    /// Ends all machines of the site and removes its network.
    pub fn remove(&self) -> Result<()> {
        for index in (0..PER_SITE).rev() {
            self.discard(index)?;
        }
        // It would vanish by itself, but a moment after the namespace at its other end.
        run("ip", &["link", "delete", &self.name().cable(self.position(0))], "").map(drop)
    }

    /// Ends a machine and removes its files.
    fn discard(&self, index: u8) -> Result<()> {
        let scope = self.scope(index);
        if !Path::new("/run/netns").join(&scope).exists() {
            return Ok(());
        }
        self.machine(index, "").stop()?;
        run("ip", &["netns", "delete", &scope], "")?.success()?;
        match std::fs::remove_dir_all(self.directory(index)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Address of a machine on the LAN; 0 is the router.
    #[must_use]
    pub fn address(&self, index: u8) -> Ipv4Addr {
        Ipv4Addr::new(192, 168, FIRST + self.number, if index == 0 { 1 } else { 10 + index })
    }

    /// Name of the namespace and the cgroups of a machine; 0 is the router.
    pub(crate) fn scope(&self, index: u8) -> String {
        self.name().scope(self.position(index))
    }

    /// Directory of a machine's files.
    pub(crate) fn directory(&self, index: u8) -> PathBuf {
        self.layout.data().join("machines").join(format!("{}-{index}", self.number))
    }

    /// The router's end of a machine's cable.
    pub(crate) fn plug(index: u8) -> String {
        format!("plug{index}")
    }

    fn name(&self) -> &ClusterName {
        self.layout.name()
    }

    fn position(&self, index: u8) -> u8 {
        FIRST + self.number * PER_SITE + index
    }

    /// The router's cable to the bridge of the cluster.
    fn cable(&self) -> String {
        let (cable, bridge) = (self.name().cable(self.position(0)), self.name().bridge());
        let scope = self.scope(0);
        format!(
            "link add {cable} type veth peer name wan netns {scope}\nlink set {cable} master {bridge} up\n"
        )
    }

    fn router(&self) -> String {
        let plan = self.record.addresses;
        let mut batch = String::from("link set lo up\nlink add lan type bridge\n");
        let wan = Ipv4Addr::from_bits(plan.node_network().network().to_bits() + u32::from(self.position(0)));
        let _ = writeln!(batch, "address add {wan}/{} dev wan", plan.node_network().prefix_len());
        let _ = writeln!(batch, "address add {}/24 dev lan", self.address(0));
        batch.push_str("link set wan up\nlink set lan up\n");
        // Load balancers are all that a site may reach of the cluster, beside the nodes' own addresses.
        let _ = writeln!(batch, "route add {} via {}", plan.load_balancers(), plan.node(0));
        batch
    }
}

/// Out is allowed, in is not.
const RULES: &str = "
table ip site {
  chain translate { type nat hook postrouting priority srcnat; oifname wan masquerade; }
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    iifname lan accept
  }
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iifname { lo, lan } accept
  }
}
";
