//! Whether a node may serve under the names and addresses that it asks for.

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use k8s_openapi::api::core::v1::Node;
use pki::{Inspection, SigningRequest};

use super::Verdict;
use super::request::{malformed, read};

/// A kubelet asks as soon as it knows its addresses, which may be before its Node says them.
const ADDRESSES_WITHIN: SignedDuration = SignedDuration::from_secs(30);

/// A request to serve as a node, and what is known about it.
#[derive(Clone, Copy, Debug)]
pub struct ServingCase<'a> {
    /// The request.
    pub csr: &'a CertificateSigningRequest,
    /// Name of the node that asks.
    pub requester: &'a str,
    /// All nodes.
    pub nodes: &'a [Node],
    /// The certificate of the API server: what it serves under is no node's.
    pub api_server: &'a Inspection,
    /// The current time.
    pub now: Timestamp,
}

/// Decides about a request to serve as a node.
#[must_use]
pub fn judge_serving(case: ServingCase<'_>) -> Verdict {
    judge(case).unwrap_or_else(|refused| refused)
}

fn judge(case: ServingCase<'_>) -> Result<Verdict, Verdict> {
    let (name, asked) = read(case.csr, "server auth")?;
    if name != case.requester {
        return Err(malformed("a node asks in its own name only, this one asks for another"));
    }
    if asked.dns_names.is_empty() && asked.ip_addresses.is_empty() {
        return Err(malformed("it asks for no name and no address to serve under"));
    }
    let wanted = Addresses::of_request(&asked);
    if let Some(taken) = wanted.common_with(&Addresses::of_certificate(case.api_server)) {
        return Err(Verdict::deny(
            "AddressOfControlPlane",
            format!("`{taken}` is the API server's own; give the node another address"),
        ));
    }
    let is_own = |node: &&Node| node.metadata.name.as_deref() == Some(case.requester);
    for other in case.nodes.iter().filter(|node| !is_own(node)) {
        let (other, mut theirs) =
            (other.metadata.name.as_deref().unwrap_or_default(), Addresses::of_node(other));
        // Its name is its own also where it does not say so.
        theirs.names.insert(other.to_owned());
        if let Some(taken) = wanted.common_with(&theirs) {
            return Err(Verdict::deny(
                "AddressOfAnotherNode",
                format!("`{taken}` is an address of node `{other}` too; remove that node if it is gone"),
            ));
        }
    }
    let own = case.nodes.iter().find(is_own).map(Addresses::of_node).unwrap_or_default();
    let Some(foreign) = wanted.first_beyond(&own) else {
        return Ok(Verdict::Approve {
            message: format!("the names and addresses are those of node `{name}`"),
        });
    };
    let made = case.csr.metadata.creation_timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0);
    if case.now.duration_since(made) < ADDRESSES_WITHIN {
        return Ok(Verdict::Wait);
    }
    Err(Verdict::deny(
        "AddressNotOfNode",
        format!(
            "`{foreign}` is not among status.addresses of node `{name}`; see that its kubelet knows the address \
             (--node-ip, --hostname-override); it asks again by itself"
        ),
    ))
}

/// Names and addresses that something serves under.
#[derive(Debug, Default)]
struct Addresses {
    names: BTreeSet<String>,
    ips: BTreeSet<IpAddr>,
}

impl Addresses {
    fn of_request(asked: &SigningRequest) -> Self {
        Self {
            names: asked.dns_names.iter().map(|name| name.to_ascii_lowercase()).collect(),
            ips: asked.ip_addresses.iter().map(IpAddr::to_canonical).collect(),
        }
    }

    fn of_certificate(certificate: &Inspection) -> Self {
        Self {
            names: certificate.dns_names.iter().map(|name| name.to_ascii_lowercase()).collect(),
            ips: certificate.ip_addresses.iter().map(IpAddr::to_canonical).collect(),
        }
    }

    fn of_node(node: &Node) -> Self {
        let mut found = Self::default();
        let said = node.status.iter().flat_map(|status| status.addresses.iter().flatten());
        for address in said.into_iter().map(|address| address.address.as_str()) {
            match address.parse::<IpAddr>() {
                Ok(ip) => found.ips.insert(ip.to_canonical()),
                Err(_) => found.names.insert(address.to_ascii_lowercase()),
            };
        }
        found
    }

    fn common_with(&self, other: &Self) -> Option<String> {
        let name = self.names.intersection(&other.names).next().cloned();
        name.or_else(|| self.ips.intersection(&other.ips).next().map(ToString::to_string))
    }

    fn first_beyond(&self, other: &Self) -> Option<String> {
        let name = self.names.difference(&other.names).next().cloned();
        name.or_else(|| self.ips.difference(&other.ips).next().map(ToString::to_string))
    }
}
