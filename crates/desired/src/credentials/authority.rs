//! Authorities, and how one takes over from another without anybody losing trust.
//!
//! A rotation has two phases. First the successor stands beside the authority: all trust both, and the
//! authority still signs. Once every pod has read that, the successor signs, and presents a certificate
//! for its key that its predecessor signed: who knows only the predecessor goes on. The predecessor stays
//! trusted until it ends or its owner retires it.

use api::names::Component;
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Secret;
use pki::{CertificateAuthority, Error, Pair, TEN_YEARS, inspect, pem_blocks};

use super::Keys;
use crate::metadata::text;
use crate::pairs::{Renewal, Rotation, read};

/// How long before its end an authority is rotated without being asked: nodes have to learn of it.
pub(super) const MARGIN: SignedDuration = SignedDuration::from_hours(24 * 30);

const NEXT_KEYS: Keys = ("next.crt", "next.key");
const PREVIOUS: &str = "previous.crt";
const CHAIN: &str = "cross.crt";
/// Key of the certificates of all that are trusted, while there are several.
const BUNDLE: &str = "bundle.crt";

/// An authority and those beside it.
pub(super) struct Authority {
    signing: CertificateAuthority,
    /// Signs as soon as all trust it.
    next: Option<Pair>,
    /// Certificates of those that signed before, the oldest first.
    previous: Vec<String>,
    /// Certificates that lead from the signing one to each previous one.
    chain: Vec<String>,
    /// Whether trust is about to change.
    pub(super) is_rotating: bool,
}

/// What decides over an authority.
pub(super) struct Situation<'a> {
    pub(super) existing: Option<&'a Secret>,
    /// The owner asks for a rotation.
    pub(super) rotation: &'a Rotation,
    /// The owner asks to trust no previous one any more.
    pub(super) retirement: &'a mut Rotation,
    /// All pods have read the Secret as it exists.
    pub(super) is_spread: bool,
    pub(super) renewal: Renewal,
}

impl Authority {
    /// Keeps, rotates or makes the authority.
    pub(super) fn resolve(situation: Situation<'_>, common_name: &str, keys: Keys) -> Result<Self, Error> {
        let Situation { existing, rotation, retirement, is_spread, renewal } = situation;
        let found = existing.and_then(|secret| Self::read(secret, keys));
        let Some(mut authority) = found else {
            retirement.put_off();
            let signing = CertificateAuthority::generate(common_name, TEN_YEARS, renewal.now)?;
            let is_rotating = existing.is_some();
            return Ok(Self { signing, next: None, previous: Vec::new(), chain: Vec::new(), is_rotating });
        };
        let is_ending = authority.ends_within(renewal, renewal.deadline);
        let is_next_known = authority.next.is_some() && is_spread;
        if authority.next.is_none() && (rotation.is_wanted || authority.ends_within(renewal, MARGIN)) {
            let next = CertificateAuthority::generate(common_name, TEN_YEARS, renewal.now)?;
            authority.next = Some(next.pair().clone());
        }
        authority.is_rotating = authority.next.is_some();
        if is_next_known || is_ending {
            authority.hand_over()?;
            retirement.put_off();
        } else if authority.next.is_none() && (is_spread || authority.previous.is_empty()) {
            if retirement.is_wanted {
                authority.previous.clear();
                authority.chain.clear();
            }
        } else {
            retirement.put_off();
        }
        authority.forget_ended(renewal);
        Ok(authority)
    }

    fn read(secret: &Secret, keys: Keys) -> Option<Self> {
        let usable = |(certificate, private_key): Keys| {
            read(secret, certificate, private_key).filter(Pair::is_consistent)
        };
        let list = |key| text(secret, key).map(pem_blocks).unwrap_or_default();
        let signing = usable(keys).and_then(|pair| CertificateAuthority::from_pair(pair).ok())?;
        Some(Self {
            signing,
            next: usable(NEXT_KEYS),
            previous: list(PREVIOUS),
            chain: list(CHAIN),
            is_rotating: false,
        })
    }

    /// Lets the successor sign.
    fn hand_over(&mut self) -> Result<(), Error> {
        let Some(next) = self.next.take() else { return Ok(()) };
        let next = CertificateAuthority::from_pair(next)?;
        self.chain.insert(0, self.signing.vouch_for(&next)?);
        let last = std::mem::replace(&mut self.signing, next);
        self.previous.push(terminated(&last.pair().certificate));
        Ok(())
    }

    /// What has ended is trusted by nobody.
    fn forget_ended(&mut self, renewal: Renewal) {
        let lasts = |certificate: &String| {
            inspect(certificate).is_ok_and(|found| !found.is_due(renewal.now, SignedDuration::ZERO))
        };
        self.previous.retain(lasts);
        self.chain.retain(lasts);
    }

    fn ends_within(&self, renewal: Renewal, margin: SignedDuration) -> bool {
        inspect(&self.signing.pair().certificate).is_ok_and(|found| found.is_due(renewal.now, margin))
    }

    /// The one that signs.
    pub(super) fn signing(&self) -> &CertificateAuthority {
        &self.signing
    }

    /// Certificates of all that are trusted, the oldest first.
    pub(super) fn trusted(&self) -> String {
        if !self.has_bundle() {
            return self.signing.pair().certificate.clone();
        }
        let mut all = self.previous.concat();
        all.push_str(&terminated(&self.signing.pair().certificate));
        all.extend(self.next.as_ref().map(|next| terminated(&next.certificate)));
        all
    }

    /// Whether several are trusted.
    pub(super) fn has_bundle(&self) -> bool {
        self.next.is_some() || !self.previous.is_empty()
    }

    /// A certificate with those behind it that lead to previous authorities.
    pub(super) fn presented(&self, certificate: &str) -> String {
        let own = pem_blocks(certificate);
        match own.first() {
            Some(leaf) if own.len() > 1 || !self.chain.is_empty() => leaf.clone() + &self.chain.concat(),
            _ => certificate.to_owned(),
        }
    }

    /// Data of the Secret.
    pub(super) fn entries(&self, component: Component, keys: Keys) -> Vec<(&'static str, String)> {
        let pair = self.signing.pair();
        let mut entries = pair_entries(pair, keys).to_vec();
        if component == Component::Ca {
            // The same under the names that Cluster API reads.
            entries.extend(pair_entries(pair, ("tls.crt", "tls.key")));
        }
        if self.has_bundle() {
            entries.push((BUNDLE, self.trusted()));
        }
        entries.extend(self.next.iter().flat_map(|next| pair_entries(next, NEXT_KEYS)));
        let lists = [(PREVIOUS, &self.previous), (CHAIN, &self.chain)];
        entries.extend(
            lists.into_iter().filter(|(_, list)| !list.is_empty()).map(|(key, list)| (key, list.concat())),
        );
        entries
    }
}

fn pair_entries(pair: &Pair, keys: Keys) -> [(&'static str, String); 2] {
    [(keys.0, pair.certificate.clone()), (keys.1, pair.private_key.expose_pem().to_owned())]
}

/// The text with a line end, so that another block can follow.
fn terminated(certificate: &str) -> String {
    format!("{}\n", certificate.trim_end())
}
