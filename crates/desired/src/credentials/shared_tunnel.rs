//! Certificates for the shared tunnel: by one the API server shows who it is, by the other the tunnel shows
//! the tenant's agents that it speaks for their tenant.

use api::names::{Component, labels};
use k8s_openapi::api::core::v1::Secret;
use pki::{CertificateAuthority, CertificatePlan, Error, Pair, TEN_YEARS};

use super::Shelf;
use super::authority::Authority;
use crate::Endpoint;
use crate::inside::agent_host;
use crate::pairs::{leaf, read};
use crate::shared_tunnel::{self as tunnel, ORGANIZATION, SharedTunnel};

/// Adds the Secret of the API server and returns what the tunnel is told, if the tenant uses it.
pub(super) fn add(
    shelf: &mut Shelf<'_>,
    ca: &Authority,
    endpoint: &Endpoint,
) -> Result<Option<Secret>, Error> {
    let control_plane = shelf.control_plane;
    let Some(shared) = tunnel::of(control_plane) else { return Ok(None) };
    add_client(shelf, shared)?;
    let plan = tunnel::server_plan(control_plane, &agent_host(control_plane, endpoint));
    let known = shelf.existing.get(&tunnel::secret_name(&control_plane.owner().uid));
    let known = known.and_then(|secret| read(secret, "tls.crt", "tls.key"));
    let pair = leaf(known, &plan, ca.signing(), shelf.renewal)?;
    let presented = Pair { certificate: ca.presented(&pair.certificate), ..pair.clone() };
    shelf.pairs.push(pair);
    let keys = shelf.secrets.iter().find(|(component, _)| *component == Component::ServiceAccount);
    let keys = keys.map(|(_, secret)| tunnel::token_keys(secret)).unwrap_or_default();
    Ok(Some(tunnel::secret(control_plane, shared, &presented, keys)))
}

/// The API server reads its certificate only once, so that it lasts as long as an authority.
fn add_client(shelf: &mut Shelf<'_>, shared: &SharedTunnel) -> Result<(), Error> {
    let component = Component::TunnelClient;
    let ca = CertificateAuthority::from_pair(shared.authority.clone())?;
    let uid = shelf.control_plane.owner().uid.clone();
    let plan = CertificatePlan { validity: TEN_YEARS, ..CertificatePlan::client(uid, [ORGANIZATION]) };
    let (usable, rotation) = shelf.usable(component);
    let pair = leaf(usable.and_then(|secret| read(secret, "tls.crt", "tls.key")), &plan, &ca, shelf.renewal)?;
    let entries = [
        ("ca.crt", shared.authority.certificate.as_str()),
        ("tls.crt", pair.certificate.as_str()),
        ("tls.key", pair.private_key.expose_pem()),
    ];
    shelf.add(component, &entries, Some(labels::CERTIFICATE_X509), &[&rotation]);
    shelf.set_type("kubernetes.io/tls");
    shelf.pairs.push(pair);
    Ok(())
}
