//! Keys, certificates and kubeconfigs in the forms in which kubeadm's code, and so Kamaji, writes them.

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use pki::{CertificateAuthority, CertificatePlan, KeyAlgorithm, Pair, ServiceAccountPair, TEN_YEARS};

/// Length of what PKCS#8 writes before the PKCS#1 form of an RSA key of 2048 bits.
const PKCS8_HEADER: usize = 26;

/// Certificate and private key, both PEM; the key as `RSA PRIVATE KEY`.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Signed {
    fn new(pair: &Pair) -> Result<Self> {
        let key = traditional(pair.private_key.expose_pem())?;
        Ok(Self { certificate: pair.certificate.clone(), key })
    }
}

/// An authority with an RSA key.
pub(crate) fn authority(common_name: &str, now: Timestamp) -> Result<(CertificateAuthority, Signed)> {
    let ca = CertificateAuthority::generate_with(KeyAlgorithm::Rsa2048, common_name, TEN_YEARS, now)?;
    let signed = Signed::new(ca.pair())?;
    Ok((ca, signed))
}

/// A client certificate with an RSA key.
pub(crate) fn client(
    ca: &CertificateAuthority,
    common_name: &str,
    organizations: &[&str],
    validity: SignedDuration,
    now: Timestamp,
) -> Result<Signed> {
    let plan = CertificatePlan::client(common_name, organizations.iter().copied());
    issue(CertificatePlan { validity, ..plan }, ca, now)
}

/// A certificate with an RSA key.
pub(crate) fn issue(plan: CertificatePlan, ca: &CertificateAuthority, now: Timestamp) -> Result<Signed> {
    Signed::new(&CertificatePlan { algorithm: KeyAlgorithm::Rsa2048, ..plan }.issue(ca, now)?)
}

/// Public and private key for service-account tokens.
pub(crate) fn service_account() -> Result<(String, String)> {
    let pair = ServiceAccountPair::generate(KeyAlgorithm::Rsa2048)?;
    Ok((pair.public_key.clone(), traditional(pair.private_key.expose_pem())?))
}

/// A kubeconfig as client-go writes it.
pub(crate) fn kubeconfig(cluster: &str, server: &str, ca: &str, user: &str, client: &Signed) -> String {
    let encode = |text: &str| k8s_base64(text.as_bytes());
    let (ca, certificate, key) = (encode(ca), encode(&client.certificate), encode(&client.key));
    format!(
        "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: {ca}\n    server: {server}\n  \
         name: {cluster}\ncontexts:\n- context:\n    cluster: {cluster}\n    user: {user}\n  \
         name: {user}@{cluster}\ncurrent-context: {user}@{cluster}\nkind: Config\nusers:\n- name: {user}\n  \
         user:\n    client-certificate-data: {certificate}\n    client-key-data: {key}\n"
    )
}

fn k8s_base64(bytes: &[u8]) -> String {
    let value = serde_json::to_value(k8s_openapi::ByteString(bytes.to_vec())).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// The PKCS#1 form of an RSA key in PKCS#8.
fn traditional(pkcs8: &str) -> Result<String> {
    let block = pem::parse(pkcs8)?;
    let inner = block.contents().get(PKCS8_HEADER..).context("the key is too short")?;
    ensure!(inner.starts_with(&[0x30, 0x82]), "not an RSA key of 2048 bits");
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    Ok(pem::encode_config(&pem::Pem::new("RSA PRIVATE KEY", inner), config))
}
