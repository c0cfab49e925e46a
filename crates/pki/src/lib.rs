//! Keys, certificates and kubeconfigs as values. Knows no disk, no network and no wall clock:
//! what is read comes in as PEM text, what is made goes out as PEM text, time is an argument.
//!
//! ```
//! let now: jiff::Timestamp = "2026-01-01T00:00:00Z".parse()?;
//! let ca = pki::CertificateAuthority::generate("kubernetes", pki::TEN_YEARS, now)?;
//! let admin = pki::CertificatePlan::client("kubernetes-admin", ["system:masters"]).issue(&ca, now)?;
//! assert!(pki::inspect(&admin.certificate)?.is_signed_by(&ca.pair().certificate));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod authority;
mod inspection;
mod key;
mod kubeconfig;
mod plan;
mod signing_request;
mod subject;

pub use authority::CertificateAuthority;
pub use inspection::{Inspection, inspect, pem_blocks, public_key_pin};
pub use key::{KeyAlgorithm, PrivateKey, ServiceAccountPair};
pub use kubeconfig::{ClientIdentity, Kubeconfig, KubeconfigContents};
pub use plan::{CertificatePlan, Pair};
pub use signing_request::{SigningRequest, read_signing_request};

use jiff::SignedDuration;

/// Validity of certificate authorities, as kubeadm gives them.
pub const TEN_YEARS: SignedDuration = SignedDuration::from_hours(24 * 3650);
/// Validity of leaf certificates, as kubeadm gives them.
pub const ONE_YEAR: SignedDuration = SignedDuration::from_hours(24 * 365);

/// Why a key or certificate could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The library refused to make a key or to sign.
    #[error("failed to make `{subject}`")]
    Make {
        /// Common name or kind of the object.
        subject: String,
        /// The library's reason.
        #[source]
        source: rcgen::Error,
    },
    /// A key that was handed in is not a private key in PEM form.
    #[error(
        "failed to read the private key of `{subject}`: it is no PEM private key (PKCS#8, PKCS#1 or SEC1)"
    )]
    ReadKey {
        /// Common name or kind of the object.
        subject: String,
        /// The library's reason.
        #[source]
        source: rcgen::Error,
    },
    /// A certificate that was handed in is not a certificate in PEM form.
    #[error("failed to read a certificate: {reason}")]
    ReadCertificate {
        /// The parser's words.
        reason: String,
    },
    /// A certificate signing request that was handed in is none.
    #[error("failed to read a certificate signing request: {reason}")]
    ReadSigningRequest {
        /// What is wrong with it.
        reason: String,
    },
    /// A kubeconfig that was handed in is none, or embeds no client certificate.
    #[error("failed to read a kubeconfig: {reason}")]
    ReadKubeconfig {
        /// What is wrong with it.
        reason: String,
    },
}
