//! Subjects with several organizations, which rcgen cannot write: it keeps one attribute of a kind.

use rcgen::{Error, KeyPair, SigningKey as _};
use yasna::models::ObjectIdentifier;
use yasna::{ASN1Error, DERWriter, construct_der, parse_der};

const ORGANIZATION: [u64; 4] = [2, 5, 4, 10];
const COMMON_NAME: [u64; 4] = [2, 5, 4, 3];
/// Place of the subject among the parts of a certificate's signed half: version, serial number,
/// algorithm, issuer, validity, subject.
const SUBJECT: usize = 5;

/// The certificate `der` with another subject, signed anew by the key of its issuer.
pub(crate) fn replaced(
    der: &[u8],
    common_name: &str,
    organizations: &[String],
    issuer: &KeyPair,
) -> Result<Vec<u8>, Error> {
    let [signed, algorithm, _] = <[Vec<u8>; 3]>::try_from(parts(der)?).map_err(|_| unreadable())?;
    let mut fields = parts(&signed)?;
    *fields.get_mut(SUBJECT).ok_or_else(unreadable)? = name(common_name, organizations);
    let signed = sequence(&fields);
    let signature = issuer.sign(&signed)?;
    let signature = construct_der(|writer| writer.write_bitvec_bytes(&signature, signature.len() * 8));
    Ok(sequence(&[signed, algorithm, signature]))
}

fn unreadable() -> Error {
    Error::CouldNotParseCertificate
}

/// The elements of a sequence, each as it stands.
fn parts(der: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    let mut parts = Vec::new();
    parse_der(der, |reader| {
        reader.read_sequence_of(|reader| {
            parts.push(reader.read_der()?);
            Ok(())
        })
    })
    .map_err(|_: ASN1Error| unreadable())?;
    Ok(parts)
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    construct_der(|writer| {
        writer.write_sequence(|writer| parts.iter().for_each(|part| writer.next().write_der(part)));
    })
}

fn name(common_name: &str, organizations: &[String]) -> Vec<u8> {
    construct_der(|writer| {
        writer.write_sequence(|writer| {
            for organization in organizations {
                attribute(writer.next(), &ORGANIZATION, organization);
            }
            attribute(writer.next(), &COMMON_NAME, common_name);
        });
    })
}

fn attribute(writer: DERWriter<'_>, kind: &[u64], value: &str) {
    writer.write_set(|writer| {
        writer.next().write_sequence(|writer| {
            writer.next().write_oid(&ObjectIdentifier::from_slice(kind));
            writer.next().write_utf8string(value);
        });
    });
}
