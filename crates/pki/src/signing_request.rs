//! What a certificate signing request asks for.

use std::net::IpAddr;

use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::cri_attributes::ParsedCriAttribute;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::{OID_X509_COMMON_NAME, OID_X509_ORGANIZATION_NAME};
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer;

use crate::Error;
use crate::inspection::address;

/// The contents of a certificate signing request whose signature is good.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SigningRequest {
    /// Common names of the subject, in their order.
    pub common_names: Vec<String>,
    /// Organisations of the subject, in their order.
    pub organizations: Vec<String>,
    /// DNS names among the alternative names.
    pub dns_names: Vec<String>,
    /// IP addresses among the alternative names.
    pub ip_addresses: Vec<IpAddr>,
    /// What it asks for beyond that: other parts of the subject, other kinds of names, other extensions.
    pub others: Vec<String>,
}

/// Reads a PEM text that holds exactly one request.
pub fn read_signing_request(pem: &[u8]) -> Result<SigningRequest, Error> {
    let unreadable = |reason: &str| Error::ReadSigningRequest { reason: reason.to_owned() };
    let mut blocks = Pem::iter_from_buffer(pem);
    let block = blocks
        .next()
        .ok_or_else(|| unreadable("the text holds no PEM block"))?
        .map_err(|error| unreadable(&error.to_string()))?;
    if blocks.next().is_some() {
        return Err(unreadable("the text holds more than one PEM block"));
    }
    if block.label != "CERTIFICATE REQUEST" {
        return Err(unreadable("the PEM block is no CERTIFICATE REQUEST"));
    }
    let (rest, parsed) = X509CertificationRequest::from_der(&block.contents)
        .map_err(|error| unreadable(&error.to_string()))?;
    if !rest.is_empty() {
        return Err(unreadable("something follows the request"));
    }
    parsed.verify_signature().map_err(|_| unreadable("its signature is not that of its key"))?;
    Ok(contents(&parsed))
}

fn contents(parsed: &X509CertificationRequest<'_>) -> SigningRequest {
    let mut read = SigningRequest::default();
    for part in parsed.certification_request_info.subject.iter_attributes() {
        let kind = part.attr_type();
        match part.as_str() {
            Ok(text) if *kind == OID_X509_COMMON_NAME => read.common_names.push(text.to_owned()),
            Ok(text) if *kind == OID_X509_ORGANIZATION_NAME => read.organizations.push(text.to_owned()),
            _ => read.others.push(format!("{kind} in its subject")),
        }
    }
    // All of them, since the signer reads all: a second list of extensions must not be overlooked.
    for attribute in parsed.certification_request_info.iter_attributes() {
        match attribute.parsed_attribute() {
            ParsedCriAttribute::ExtensionRequest(requested) => {
                for extension in &requested.extensions {
                    match extension.parsed_extension() {
                        ParsedExtension::SubjectAlternativeName(names) => {
                            names.general_names.iter().for_each(|name| take(&mut read, name));
                        }
                        _ => read.others.push(format!("the extension {}", extension.oid)),
                    }
                }
            }
            _ => read.others.push(format!("the attribute {}", attribute.oid)),
        }
    }
    read
}

fn take(read: &mut SigningRequest, name: &GeneralName<'_>) {
    match name {
        GeneralName::DNSName(dns) => read.dns_names.push((*dns).to_owned()),
        GeneralName::IPAddress(bytes) => match address(bytes) {
            Some(address) => read.ip_addresses.push(address),
            None => read.others.push("an address that is none".to_owned()),
        },
        other => read.others.push(format!("the name {other}")),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, KeyUsagePurpose, SanType};

    use super::read_signing_request;

    fn request(shape: impl FnOnce(&mut CertificateParams)) -> String {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "system:nodes");
        params.distinguished_name.push(DnType::CommonName, "system:node:a");
        shape(&mut params);
        params.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap()
    }

    #[test]
    fn subject_and_names_are_read() {
        let text = request(|params| {
            params.subject_alt_names = vec![
                SanType::DnsName("a.example".try_into().unwrap()),
                SanType::IpAddress("10.0.0.1".parse().unwrap()),
                SanType::IpAddress("fd00::1".parse().unwrap()),
            ];
        });
        let read = read_signing_request(text.as_bytes()).unwrap();
        assert_eq!(
            (read.common_names, read.organizations),
            (vec!["system:node:a".to_owned()], vec!["system:nodes".to_owned()])
        );
        assert_eq!(read.dns_names, ["a.example"]);
        assert_eq!(read.ip_addresses.len(), 2);
        assert_eq!(read.others, [""; 0]);
    }

    #[test]
    fn what_nobody_expects_is_named() {
        let text = request(|params| {
            params.distinguished_name.push(DnType::LocalityName, "x");
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
            params.subject_alt_names = vec![SanType::URI("spiffe://a".try_into().unwrap())];
        });
        assert_eq!(read_signing_request(text.as_bytes()).unwrap().others.len(), 3);
    }

    #[test]
    fn what_is_no_single_signed_request_is_refused() {
        let text = request(|_| {});
        let refused = |text: &str| read_signing_request(text.as_bytes()).unwrap_err().to_string();
        assert!(refused("").contains("no PEM block"));
        assert!(refused(&format!("{text}{text}")).contains("more than one"));
        assert!(
            refused(&text.replace("CERTIFICATE REQUEST", "CERTIFICATE")).contains("no CERTIFICATE REQUEST")
        );
        let pem = pem::parse(&text).unwrap();
        let mut forged = pem.contents().to_vec();
        let place = forged.windows(13).position(|part| part == b"system:node:a").unwrap();
        forged[place + 12] = b'b';
        let forged = pem::encode(&pem::Pem::new("CERTIFICATE REQUEST", forged));
        assert!(refused(&forged).contains("signature"), "{}", refused(&forged));
    }
}
