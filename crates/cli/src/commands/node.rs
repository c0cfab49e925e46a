//! `flotilla node`.

use std::time::Duration;

use base::{Clock, SystemClock};
use jiff::Timestamp;
use kube::Client;
use serde_json::json;
use workers::nodes::{self, Allowed, DrainOptions, RemoveOptions, Summary};
use workers::tenants;

use super::{management, runtime};
use crate::args::{Drain, NodeCommand, NodeRemove, Nodes, Output, Tenant};
use crate::{Error, output, table};

pub(super) fn run(command: &NodeCommand) -> Result<(), Error> {
    runtime()?.block_on(async {
        match command {
            NodeCommand::List(args) => show(&nodes::list(&client(&args.tenant).await?).await?, args.output),
            NodeCommand::Cordon(args) => set_schedulable(args, false).await,
            NodeCommand::Uncordon(args) => set_schedulable(args, true).await,
            NodeCommand::Drain(args) => {
                let client = client(&args.nodes.tenant).await?;
                for node in &args.nodes.nodes {
                    Box::pin(nodes::drain(&client, node, options(&args.drain), &tell)).await?;
                }
                Ok(())
            }
            NodeCommand::Label(args) => {
                nodes::label(&client(&args.tenant).await?, &args.node, &args.labels).await?;
                tell(&format!("node {} labelled", args.node));
                Ok(())
            }
            NodeCommand::Remove(args) => Box::pin(remove(args)).await,
        }
    })
}

async fn client(args: &Tenant) -> Result<Client, Error> {
    let management = management(&args.management).await?;
    let tenant = tenants::find(&management, &args.tenant).await?;
    Ok(tenants::client(&management, &tenant).await?)
}

async fn set_schedulable(args: &Nodes, is_schedulable: bool) -> Result<(), Error> {
    let client = client(&args.tenant).await?;
    for node in &args.nodes {
        nodes::set_schedulable(&client, node, is_schedulable).await?;
        tell(&format!("node {node} {}", if is_schedulable { "uncordoned" } else { "cordoned" }));
    }
    Ok(())
}

async fn remove(args: &NodeRemove) -> Result<(), Error> {
    let client = client(&args.nodes.tenant).await?;
    let drain = (!args.no_drain).then(|| options(&args.drain));
    for node in &args.nodes.nodes {
        Box::pin(nodes::remove(&client, node, RemoveOptions { drain }, &tell)).await?;
        tell(&format!(
            "now run `kubeadm reset` on {node}: until then its kubelet has a certificate and comes back as a node"
        ));
    }
    Ok(())
}

fn options(args: &Drain) -> DrainOptions {
    DrainOptions {
        allowed: Allowed { uncontrolled: args.force, with_local_data: args.delete_emptydir_data },
        grace_seconds: args.grace_period,
        limit: Duration::from_secs(args.timeout),
    }
}

fn tell(line: &str) {
    eprintln!("{line}");
}

fn show(found: &[Summary], form: Output) -> Result<(), Error> {
    if form == Output::Json {
        return output::print(&format!("{:#}", json!(found)));
    }
    output::print(&render(found, SystemClock.now()))?;
    for node in found {
        if let Some(warning) = &node.warning {
            tell(&format!("warning: node {}: {warning}", node.name));
        }
    }
    Ok(())
}

fn render(found: &[Summary], now: Timestamp) -> String {
    let rows: Vec<Vec<String>> = found.iter().map(|node| row(node, now)).collect();
    let heading =
        ["NODE", "STATUS", "HEARD", "PODS", "ROLES", "VERSION", "RUNTIME", "ARCH", "ADDRESSES", "AGE"];
    table::render(&heading, &rows)
}

fn row(node: &Summary, now: Timestamp) -> Vec<String> {
    let dash = || "-".to_owned();
    let since = |time: Option<Timestamp>| {
        time.map_or_else(dash, |time| table::duration(now.duration_since(time).as_secs()))
    };
    let text = |text: String| if text.is_empty() { dash() } else { text };
    let heard =
        if node.last_heartbeat.is_some() { format!("{} ago", since(node.last_heartbeat)) } else { dash() };
    let addresses: Vec<&str> = node.addresses.values().flatten().map(String::as_str).collect();
    vec![
        node.name.clone(),
        node.status.to_owned(),
        heard,
        if node.schedulable { "yes" } else { "no" }.to_owned(),
        text(node.roles.join(",")),
        text(node.version.clone()),
        text(node.runtime.clone()),
        text(node.architecture.clone()),
        text(addresses.join(",")),
        since(node.created),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;
    use workers::nodes::Summary;

    #[test]
    fn a_node_shows_when_it_was_heard_of_and_dashes_for_what_it_does_not_say() {
        let node = Summary {
            name: "a".to_owned(),
            status: "Unknown",
            last_heartbeat: Some(Timestamp::UNIX_EPOCH),
            schedulable: false,
            roles: Vec::new(),
            version: "v1.36.3".to_owned(),
            warning: None,
            runtime: String::new(),
            architecture: "amd64".to_owned(),
            addresses: BTreeMap::from([(
                "InternalIP".to_owned(),
                vec!["10.0.0.1".to_owned(), "fd00::1".to_owned()],
            )]),
            created: None,
        };
        let shown = super::row(&node, Timestamp::from_second(61).unwrap());
        assert_eq!(
            shown,
            ["a", "Unknown", "1m1s ago", "no", "-", "v1.36.3", "-", "amd64", "10.0.0.1,fd00::1", "-"]
        );
    }
}
