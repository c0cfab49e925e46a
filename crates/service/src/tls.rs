//! The process-wide TLS provider.

/// Chooses AWS-LC for all TLS of the process. A second call changes nothing.
pub fn install_tls_provider() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
