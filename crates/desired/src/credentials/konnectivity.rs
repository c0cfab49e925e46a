//! Certificate and kubeconfig by which the konnectivity server asks the API server who its agents are.

use api::names::{Component, labels};
use pki::{CertificatePlan, ClientIdentity, Error, Kubeconfig, KubeconfigContents, Pair, TEN_YEARS};

use super::authority::Authority;
use super::{Keys, Shelf};
use crate::metadata::text;

const USER: &str = "system:konnectivity-server";
const CERTIFICATE_KEYS: Keys = ("tls.crt", "tls.key");
const KUBECONFIG_KEY: &str = "konnectivity-server.conf";
/// Name of the cluster entry, unlike in all other kubeconfigs.
const CLUSTER: &str = "kubernetes";

/// Adds both Secrets. The certificate lasts as long as an authority: the server reads it only once, so
/// that every renewal replaces the pods.
pub(super) fn add(shelf: &mut Shelf<'_>, ca: &Authority, trust: &str) -> Result<(), Error> {
    let nobody: [&str; 0] = [];
    let plan = CertificatePlan { validity: TEN_YEARS, ..CertificatePlan::client(USER, nobody) };
    let (existing, rotation) = shelf.usable(Component::KonnectivityKubeconfig);
    if rotation.is_wanted {
        shelf.renewed.insert(Component::KonnectivityCertificate);
    }
    let pair = shelf.certificate(Component::KonnectivityCertificate, &plan, ca, CERTIFICATE_KEYS)?;
    shelf.set_type("kubernetes.io/tls");

    let server = format!("https://localhost:{}", shelf.control_plane.port());
    let kept = existing.and_then(|secret| text(secret, KUBECONFIG_KEY));
    let made = kept.filter(|text| says(text, &server, trust, &pair)).map_or_else(
        || {
            let kubeconfig = Kubeconfig { cluster: CLUSTER, server: &server, certificate_authority: trust };
            kubeconfig.render(&ClientIdentity { user: USER, pair: &pair })
        },
        str::to_owned,
    );
    let entries = [(KUBECONFIG_KEY, made.as_str())];
    let kind = Some(labels::CERTIFICATE_KUBECONFIG);
    shelf.add(Component::KonnectivityKubeconfig, &entries, kind, &[&rotation]);
    Ok(())
}

fn says(text: &str, server: &str, trust: &str, pair: &Pair) -> bool {
    KubeconfigContents::read(text).is_ok_and(|found| {
        found.server == server && found.certificate_authority.trim() == trust.trim() && found.pair == *pair
    })
}
