//! Certificates, kubeconfigs and configuration files of the cluster's programs. All of it but the
//! authorities is written anew at each start.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use jiff::Timestamp;
use launcher::{Credentials, User, write_private};
use serde_json::Value;

use crate::config::kubelet::Kubelet;
use crate::config::{containerd, pod_network, proxy};
use crate::host::files;
use crate::{Error, Layout, Record, requirements};

pub(crate) fn write(layout: &Layout, record: &Record, now: Timestamp) -> Result<(), Error> {
    let plan = record.addresses;
    let credentials = Credentials::open(&layout.pki(), now)?;
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    credentials.issue_servers(&[plan.node(0).into(), plan.kubernetes_service().into(), loopback])?;
    write_kubeconfigs(layout, record, &credentials)?;
    for node in 0..record.nodes {
        let name = layout.name().node(node);
        credentials.issue_kubelet_server(&name, plan.node(node).into())?;
        write_node(layout, record, node)?;
    }
    link_kubectl(layout, record)
}

fn write_kubeconfigs(layout: &Layout, record: &Record, credentials: &Credentials) -> Result<(), Error> {
    let kubeconfig =
        |user: User<'_>| credentials.kubeconfig(user, layout.name().as_str(), &record.addresses.api_server());
    let user = |name| User { name, group: None };
    files::create_directory(&layout.data().join("kubeconfigs"))?;
    for (file, name) in [
        ("controller-manager", "system:kube-controller-manager"),
        ("scheduler", "system:kube-scheduler"),
        ("proxy", "system:kube-proxy"),
    ] {
        write_private(&layout.kubeconfig(file), &kubeconfig(user(name))?)?;
    }
    for node in 0..record.nodes {
        let name = layout.name().node(node);
        let user = User { name: &format!("system:node:{name}"), group: Some("system:nodes") };
        write_private(&layout.kubeconfig(&format!("kubelet-{node}")), &kubeconfig(user)?)?;
    }
    // `system:masters` needs no binding, so it works before any object is there.
    let admin = User { name: "kubernetes-super-admin", group: Some("system:masters") };
    Ok(write_private(&layout.admin_kubeconfig(), &kubeconfig(admin)?)?)
}

fn write_node(layout: &Layout, record: &Record, node: u8) -> Result<(), Error> {
    let directory = layout.node(node);
    let name = layout.name().node(node);
    let plugins = requirements::cni_directory().unwrap_or_default();
    let pod_network = directory.join("cni");
    files::write(
        &directory.join("containerd.toml"),
        &containerd::render(&directory.join("containerd"), &plugins, &pod_network),
    )?;
    let plan = record.addresses;
    write_config(&pod_network.join("10-flotilla.conflist"), &pod_network::render(plan.pods_of(node)))?;
    // Empty: there is no name server beyond the cluster's.
    let resolver = directory.join("resolv.conf");
    files::write(&resolver, "")?;
    let kubelet = Kubelet {
        pki: &layout.pki(),
        node: &name,
        cgroup: &layout.name().scope(node),
        dns: plan.dns_service(),
        resolver: &resolver,
    };
    write_config(&directory.join("kubelet.json"), &kubelet.render())?;
    let proxy = proxy::render(&layout.kubeconfig("proxy"), &name, plan.pods());
    write_config(&directory.join("kube-proxy.json"), &proxy)?;
    files::create_directory(&layout.volumes(node))
}

fn write_config(path: &Path, config: &Value) -> Result<(), Error> {
    files::write_json(path, config)
}

fn link_kubectl(layout: &Layout, record: &Record) -> Result<(), Error> {
    let program = launcher::Distribution::find(Some(&record.distribution))?.kubernetes(&record.version()?);
    let link = layout.bin().join("kubectl");
    files::create_directory(&layout.bin())?;
    // The link of an earlier start may lead to another version.
    let _ = std::fs::remove_file(&link);
    std::os::unix::fs::symlink(program, &link).map_err(Error::file("create", &link))
}
