//! Which requests for certificates are ours to decide, and how a decision is written.

use std::collections::BTreeSet;

use api::condition::whole_seconds;
use jiff::Timestamp;
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use pki::SigningRequest;
use serde_json::{Value, json};

use super::{NO_ROOM, Verdict};
use crate::inside::{JOINERS, NODES};

const CLIENT_SIGNER: &str = "kubernetes.io/kube-apiserver-client-kubelet";
const SERVING_SIGNER: &str = "kubernetes.io/kubelet-serving";
const BOOTSTRAP_USER: &str = "system:bootstrap:";
const NODE_USER: &str = "system:node:";
const MALFORMED: &str = "MalformedRequest";

/// What a request that is ours to decide asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To be a node, with a token.
    Join {
        /// The public part of the token.
        token_id: String,
    },
    /// To serve as a node.
    Serving {
        /// Name of the node.
        node: String,
    },
}

/// What a request asks for, if it is ours to decide and nobody has decided it. The API server vouches for
/// the requester's name and groups. Requests with tokens of kubeadm's group and those of nodes that renew
/// their client certificate are upstream's.
#[must_use]
pub fn asked(csr: &CertificateSigningRequest) -> Option<Asked> {
    let status = csr.status.as_ref();
    let conditions = status.and_then(|status| status.conditions.as_ref());
    if conditions.is_some_and(|found| !found.is_empty()) || status.is_some_and(|it| it.certificate.is_some())
    {
        return None;
    }
    let user = csr.spec.username.as_deref().unwrap_or_default();
    let is_in = |group: &str| csr.spec.groups.iter().flatten().any(|found| found == group);
    match csr.spec.signer_name.as_str() {
        CLIENT_SIGNER if is_in(JOINERS) => {
            Some(Asked::Join { token_id: user.strip_prefix(BOOTSTRAP_USER)?.to_owned() })
        }
        SERVING_SIGNER if is_in(NODES) => {
            Some(Asked::Serving { node: user.strip_prefix(NODE_USER)?.to_owned() })
        }
        _ => None,
    }
}

/// Whether a machine's request was refused for want of room in a quota.
#[must_use]
pub fn found_no_room(csr: &CertificateSigningRequest) -> bool {
    let conditions = csr.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|it| it.type_ == "Denied" && it.reason.as_deref() == Some(NO_ROOM))
}

/// What is to be sent to a request's `approval`; nothing for one that waits. The version guards what
/// somebody else decided meanwhile.
#[must_use]
pub fn outcome(csr: &CertificateSigningRequest, verdict: &Verdict, now: Timestamp) -> Option<Value> {
    let (kind, reason, message) = match verdict {
        Verdict::Approve { message } => ("Approved", "FlotillaApproved", message),
        Verdict::Deny { reason, message } => ("Denied", *reason, message),
        Verdict::Wait => return None,
    };
    let time = whole_seconds(now).to_string();
    let condition = json!({
        "type": kind, "status": "True", "reason": reason, "message": message,
        "lastUpdateTime": time, "lastTransitionTime": time,
    });
    Some(json!({
        "metadata": { "resourceVersion": csr.metadata.resource_version },
        "status": { "conditions": [condition] },
    }))
}

/// Reads a request of a node and checks what both kinds have in common: subject, usages, nothing beyond.
/// Answers with the node's name.
pub(super) fn read(
    csr: &CertificateSigningRequest,
    usage: &str,
) -> Result<(String, SigningRequest), Verdict> {
    let malformed = |what: String| {
        Verdict::deny(MALFORMED, format!("{what}; kubelet of Kubernetes makes requests that are taken"))
    };
    let read =
        pki::read_signing_request(&csr.spec.request.0).map_err(|error| malformed(error.to_string()))?;
    if let Some(other) = read.others.first() {
        return Err(malformed(format!("the request asks for {other}")));
    }
    if read.organizations != [NODES] {
        return Err(malformed(format!("its organisations are {:?}, not {NODES} alone", read.organizations)));
    }
    let [common_name] = read.common_names.as_slice() else {
        return Err(malformed(format!("it has {} common names, not one", read.common_names.len())));
    };
    let Some(name) = common_name.strip_prefix(NODE_USER).filter(|name| is_node_name(name)) else {
        return Err(malformed(format!(
            "its common name is `{common_name}`, not {NODE_USER} and a node's name"
        )));
    };
    let usages: BTreeSet<&str> = csr.spec.usages.iter().flatten().map(String::as_str).collect();
    let least = BTreeSet::from(["digital signature", usage]);
    let with_encipherment = BTreeSet::from(["digital signature", "key encipherment", usage]);
    if usages != least && usages != with_encipherment {
        return Err(malformed(format!("its usages are {usages:?}, not those of a kubelet: {least:?}")));
    }
    Ok((name.to_owned(), read))
}

pub(super) fn malformed(what: &str) -> Verdict {
    Verdict::deny(MALFORMED, what)
}

/// Names of nodes are DNS subdomains.
fn is_node_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(is_inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}
