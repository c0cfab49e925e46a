//! Whether a machine becomes a node: what is made of a request that came with a token.

use api::JoinToken;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use k8s_openapi::api::core::v1::Node;

use super::request::{malformed, read};
use super::standing::{Phase, is_counted, phase};
use super::{Verdict, expires_at};

/// A token may be used a moment before its object says its public part.
const UNKNOWN_FOR: SignedDuration = SignedDuration::from_secs(10);

/// A request to be a node, and what is known about it.
#[derive(Clone, Copy, Debug)]
pub struct JoinCase<'a> {
    /// The request.
    pub csr: &'a CertificateSigningRequest,
    /// The `JoinToken` that it came with; none if there is none of this control plane.
    pub token: Option<&'a JoinToken>,
    /// The node of the name that it asks for, if there is one.
    pub node: Option<&'a Node>,
    /// The current time.
    pub now: Timestamp,
}

/// Name of the node that a request asks to be.
///
/// # Errors
/// The verdict about a request that is malformed.
pub fn requested_node(csr: &CertificateSigningRequest) -> Result<String, Verdict> {
    let (name, read) = read(csr, "client auth")?;
    if !read.dns_names.is_empty() || !read.ip_addresses.is_empty() {
        return Err(malformed("a client certificate of a node has no alternative names, this request has"));
    }
    Ok(name)
}

/// Decides about a request to be a node. Whatever is granted has to be counted first, unless it was.
#[must_use]
pub fn judge_join(case: JoinCase<'_>) -> (Option<String>, Verdict) {
    match requested_node(case.csr) {
        Err(verdict) => (None, verdict),
        Ok(name) => {
            let verdict = judge(&name, case);
            (Some(name), verdict)
        }
    }
}

fn judge(name: &str, case: JoinCase<'_>) -> Verdict {
    let Some(token) = case.token.filter(|token| token.metadata.deletion_timestamp.is_none()) else {
        return unknown(case);
    };
    let token_name = token.metadata.name.as_deref().unwrap_or_default();
    let granted =
        || Verdict::Approve { message: format!("node `{name}` joins with the JoinToken `{token_name}`") };
    let uid = case.csr.metadata.uid.as_deref().unwrap_or_default();
    // Counted, and not yet approved: the operator was interrupted in between.
    if is_counted(token.status.as_ref(), uid) {
        return granted();
    }
    match phase(token, case.now) {
        Phase::Expired => Verdict::deny(
            "JoinTokenExpired",
            format!("the JoinToken `{token_name}` expired at {}; join with a new one", expires_at(token)),
        ),
        Phase::UsedUp { .. } => Verdict::deny(
            "JoinTokenUsedUp",
            format!(
                "the JoinToken `{token_name}` is for {} nodes, which have joined; join with a new one",
                token.spec.max_uses.unwrap_or_default()
            ),
        ),
        Phase::Active { .. } if case.node.is_some_and(is_ready) => Verdict::deny(
            "NodeNameTaken",
            format!(
                "a node `{name}` is there and ready; give the machine another name, or remove that node \
                 first and join again"
            ),
        ),
        Phase::Active { .. } => granted(),
    }
}

fn unknown(case: JoinCase<'_>) -> Verdict {
    let made = case.csr.metadata.creation_timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0);
    if case.token.is_none() && case.now.duration_since(made) < UNKNOWN_FOR {
        return Verdict::Wait;
    }
    Verdict::deny("JoinTokenUnknown", "the token was revoked: its JoinToken is gone; join with a new one")
}

fn is_ready(node: &Node) -> bool {
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}
