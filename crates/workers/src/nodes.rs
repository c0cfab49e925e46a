//! Nodes of a tenant's cluster.

mod drain;
mod plan;
mod removal;
mod summary;

use k8s_openapi::api::core::v1::Node;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::Error;
pub use drain::{DrainOptions, drain};
pub use plan::{Allowed, Plan, plan};
pub use removal::{RemoveOptions, remove};
pub use summary::{Summary, list, skew_warning, summary};

/// Keeps new pods from a node, or lets them come again.
pub async fn set_schedulable(client: &Client, node: &str, is_schedulable: bool) -> Result<(), Error> {
    let spec =
        if is_schedulable { json!({ "unschedulable": null }) } else { json!({ "unschedulable": true }) };
    change(client, node, json!({ "spec": spec }), "change whether pods come to").await
}

/// Sets labels (`KEY=VALUE`) and takes some away (`KEY-`).
pub async fn label(client: &Client, node: &str, labels: &[String]) -> Result<(), Error> {
    let labels = labels.iter().map(|text| read_label(text)).collect::<Result<serde_json::Map<_, _>, _>>()?;
    change(client, node, json!({ "metadata": { "labels": labels } }), "label").await
}

fn read_label(text: &str) -> Result<(String, Value), Error> {
    let read = match text.split_once('=') {
        Some((key, value)) => (key, json!(value)),
        None => (text.strip_suffix('-').unwrap_or_default(), Value::Null),
    };
    if read.0.is_empty() {
        return Err(Error::Label { text: text.to_owned() });
    }
    Ok((read.0.to_owned(), read.1))
}

async fn change(client: &Client, node: &str, patch: Value, action: &str) -> Result<(), Error> {
    let nodes: Api<Node> = Api::all(client.clone());
    match nodes.patch(node, &PatchParams::default(), &Patch::Merge(patch)).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => {
            Err(Error::NoNode { name: node.to_owned() })
        }
        Err(error) => Err(Error::request(format!("{action} node `{node}`"))(error)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::read_label;

    #[test]
    fn labels_are_set_and_taken_away_as_kubectl_does() {
        let read = |text| read_label(text).unwrap();
        assert_eq!(read("pool=a"), ("pool".to_owned(), json!("a")));
        assert_eq!(read("pool="), ("pool".to_owned(), json!("")));
        assert_eq!(read("pool-"), ("pool".to_owned(), Value::Null));
        for wrong in ["", "-", "=a", "pool"] {
            assert!(read_label(wrong).is_err(), "{wrong}");
        }
    }
}
