//! The certificate by which a tenant's API server is known to its stores.
//!
//! An API server shows the same certificate to every etcd. Where the stores have one authority, that signs
//! it. Where they differ, an authority of the moment signs it, whose own certificate each store's authority
//! signs and whose key is thrown away: every store finds a way to the authority that it trusts, and none
//! of them accepts anything more than this one certificate.

use pki::{CertificateAuthority, CertificatePlan, Error, Pair, TEN_YEARS, inspect, pem_blocks};

use crate::pairs::{Renewal, leaf, serves_under};

/// Name of the authorities of the moment.
const BRIDGE: &str = "flotilla-datastores";

/// The pair that exists, if every store accepts it; else a new one. `authorities` are distinct.
pub(super) fn pair(
    user: &str,
    authorities: &[CertificateAuthority],
    existing: Option<Pair>,
    renewal: Renewal,
) -> Result<Pair, Error> {
    let nobody: [&str; 0] = [];
    let plan = CertificatePlan { validity: TEN_YEARS, ..CertificatePlan::client(user, nobody) };
    match authorities {
        [only] => leaf(existing, &plan, only, renewal),
        several => match existing.filter(|pair| is_accepted(pair, &plan, several, renewal)) {
            Some(pair) => Ok(pair),
            None => bridged(&plan, several, renewal),
        },
    }
}

fn bridged(
    plan: &CertificatePlan,
    authorities: &[CertificateAuthority],
    renewal: Renewal,
) -> Result<Pair, Error> {
    let bridge = CertificateAuthority::generate(BRIDGE, TEN_YEARS, renewal.now)?;
    let mut pair = plan.issue(&bridge, renewal.now)?;
    for authority in authorities {
        pair.certificate.push_str(&authority.vouch_for(&bridge)?);
    }
    Ok(pair)
}

/// Whether a way leads from the certificate to each authority, over what stands behind it.
fn is_accepted(
    pair: &Pair,
    plan: &CertificatePlan,
    authorities: &[CertificateAuthority],
    renewal: Renewal,
) -> bool {
    let blocks = pem_blocks(&pair.certificate);
    let vouchers = blocks.get(1..).unwrap_or_default();
    authorities.iter().all(|authority| {
        vouchers.iter().any(|voucher| {
            inspect(voucher).is_ok_and(|found| {
                found.is_signed_by(&authority.pair().certificate)
                    && !found.is_due(renewal.now, renewal.deadline)
            }) && serves_under(pair, plan, voucher, renewal)
        })
    })
}
