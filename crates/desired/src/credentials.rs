//! Everything by which the parts of a control plane, its administrators and its workers trust each other.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use api::names::{Component, labels};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use pki::{CertificateAuthority, CertificatePlan, Error, Pair, inspect};

use crate::certificate_end::certificate_end;
use crate::checksum::{of_secret, of_text};
use crate::endpoint::{public, service_ranges};
use crate::konnectivity::Server;
use crate::metadata::{secret, text};
use crate::pairs::{Rotation, data, leaf, read, renew_at};
use crate::{Endpoint, Validated};
use authority::{Authority, Situation};

mod authority;
mod konnectivity;
mod kubeconfigs;
mod service_account;
mod shared_tunnel;

pub use crate::pairs::{Renewal, Secrets};

/// Checksum of the data of each Secret.
pub type Checksums = BTreeMap<Component, String>;

/// What the status says of the credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Checksum of the data of each Secret.
    pub checksums: Checksums,
    /// Whether trust in the cluster's authority is about to change hands.
    pub rotates_authority: bool,
    /// Whether authorities are trusted that no longer sign.
    pub trusts_previous: bool,
    /// When the first certificate has to be renewed.
    pub renew_at: Timestamp,
    /// When the certificate of each Secret ends.
    pub ends: BTreeMap<Component, Timestamp>,
}

/// All credentials of a control plane, kept or new.
#[derive(Clone, Debug)]
pub struct Credentials {
    secrets: Vec<Secret>,
    issued: Issued,
    bundles: BTreeSet<Component>,
    tunnel: Option<Secret>,
}

impl Credentials {
    /// The Secrets to apply.
    #[must_use]
    pub fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// What the status says of them.
    #[must_use]
    pub fn issued(&self) -> &Issued {
        &self.issued
    }

    /// What the shared tunnel is told of the tenant, if the tenant uses it.
    #[must_use]
    pub fn tunnel(&self) -> Option<&Secret> {
        self.tunnel.as_ref()
    }

    /// Authorities beside which others are trusted: their Secret has all certificates under `bundle.crt`.
    #[must_use]
    pub fn bundles(&self) -> &BTreeSet<Component> {
        &self.bundles
    }

    /// A kubeconfig of the administrator's Secret, such as `super-admin.svc`.
    #[must_use]
    pub fn admin_kubeconfig(&self, key: &str) -> Option<&str> {
        self.text_of(Component::AdminKubeconfig, key)
    }

    /// Certificates by which clients verify the API server: the cluster's authority, with earlier ones while they
    /// are trusted.
    #[must_use]
    pub fn authority(&self) -> &str {
        let bundle = self.text_of(Component::Ca, "bundle.crt");
        bundle.or_else(|| self.text_of(Component::Ca, "ca.crt")).unwrap_or_default()
    }

    /// Checksum of the names and addresses that the API server's certificate serves.
    #[must_use]
    pub fn served_names(&self) -> String {
        let certificate = self.text_of(Component::ApiServer, API_SERVER_KEYS.0).unwrap_or_default();
        let Ok(contents) = inspect(certificate) else { return String::new() };
        let addresses = contents.ip_addresses.iter().map(ToString::to_string);
        let names: Vec<String> = contents.dns_names.into_iter().chain(addresses).collect();
        of_text(&names.join(","))
    }

    fn text_of(&self, component: Component, key: &str) -> Option<&str> {
        let is_its = |secret: &&Secret| {
            let labels = secret.metadata.labels.as_ref();
            labels
                .and_then(|labels| labels.get(labels::COMPONENT))
                .is_some_and(|own| own == component.label())
        };
        self.secrets.iter().filter(is_its).find_map(|secret| text(secret, key))
    }
}

/// The Secrets that [`credentials`] makes for a control plane.
#[must_use]
pub fn credential_components(control_plane: &Validated) -> Vec<Component> {
    let mut all = vec![
        Component::Ca,
        Component::FrontProxyCa,
        Component::ServiceAccount,
        Component::ApiServer,
        Component::ApiServerKubeletClient,
        Component::FrontProxyClient,
        Component::AdminKubeconfig,
        Component::ControllerManagerKubeconfig,
        Component::SchedulerKubeconfig,
    ];
    all.extend(CHANGING.into_iter().filter(|part| is_wished(control_plane, *part)));
    all
}

/// Secrets that exist and that the spec no longer asks for.
#[must_use]
pub fn stale_credentials<'a>(control_plane: &Validated, existing: &'a Secrets) -> Vec<&'a Secret> {
    let is_ours = |secret: &&Secret| {
        let owners = secret.metadata.owner_references.iter().flatten();
        owners
            .into_iter()
            .any(|owner| owner.controller == Some(true) && owner.uid == control_plane.owner().uid)
    };
    let names = CHANGING.into_iter().filter(|part| !is_wished(control_plane, *part));
    names
        .filter_map(|part| existing.get(&part.object_name(control_plane.name())).map(AsRef::as_ref))
        .filter(is_ours)
        .collect()
}

/// Secrets that come and go with the spec.
const CHANGING: [Component; 3] =
    [Component::KonnectivityCertificate, Component::KonnectivityKubeconfig, Component::TunnelClient];

fn is_wished(control_plane: &Validated, part: Component) -> bool {
    match part {
        Component::TunnelClient => crate::shared_tunnel::of(control_plane).is_some(),
        _ => has_konnectivity(control_plane),
    }
}

/// Whether a tunnel is wished that is the tenant's own.
fn has_konnectivity(control_plane: &Validated) -> bool {
    Server::of(control_plane).is_some()
}

/// Keeps what serves of the credentials that exist and makes the rest: authorities, certificates, the
/// key pair for service accounts, kubeconfigs. New keys are ECDSA P-256. `spread` are the checksums of
/// the Secrets that every pod has read: a rotation goes on when they are those of what exists.
///
/// # Errors
/// [`pki::Error`] if a key or certificate cannot be made.
pub fn credentials(
    control_plane: &Validated,
    endpoint: &Endpoint,
    existing: &Secrets,
    renewal: Renewal,
    spread: &Checksums,
) -> Result<Credentials, Error> {
    let mut shelf = Shelf {
        control_plane,
        existing,
        renewal,
        spread,
        renewed: BTreeSet::new(),
        secrets: Vec::new(),
        pairs: Vec::new(),
    };
    let ca = shelf.authority(Component::Ca, "kubernetes", CA_KEYS)?;
    let front_proxy_ca = shelf.authority(Component::FrontProxyCa, "front-proxy-ca", FRONT_PROXY_CA_KEYS)?;
    shelf.token_keys()?;

    let nobody: [&str; 0] = [];
    let api_server = api_server_plan(control_plane, endpoint);
    let kubelet_client = CertificatePlan::client("kube-apiserver-kubelet-client", nobody);
    let front_proxy_client = CertificatePlan::client("front-proxy-client", nobody);
    shelf.certificate(Component::ApiServer, &api_server, &ca, API_SERVER_KEYS)?;
    shelf.certificate(Component::ApiServerKubeletClient, &kubelet_client, &ca, KUBELET_CLIENT_KEYS)?;
    shelf.certificate(
        Component::FrontProxyClient,
        &front_proxy_client,
        &front_proxy_ca,
        FRONT_PROXY_CLIENT_KEYS,
    )?;
    let trust = ca.trusted();
    for file in kubeconfigs::files(control_plane, endpoint) {
        shelf.kubeconfigs(&file, ca.signing(), &trust)?;
    }
    if has_konnectivity(control_plane) {
        konnectivity::add(&mut shelf, &ca, &trust)?;
    }
    let tunnel = shared_tunnel::add(&mut shelf, &ca, endpoint)?;
    Ok(Credentials { tunnel, ..shelf.finish(&ca, &front_proxy_ca) })
}

/// Keys of a Secret for certificate and private key.
type Keys = (&'static str, &'static str);

const CA_KEYS: Keys = ("ca.crt", "ca.key");
const FRONT_PROXY_CA_KEYS: Keys = ("front-proxy-ca.crt", "front-proxy-ca.key");
const API_SERVER_KEYS: Keys = ("apiserver.crt", "apiserver.key");
const KUBELET_CLIENT_KEYS: Keys = ("apiserver-kubelet-client.crt", "apiserver-kubelet-client.key");
const FRONT_PROXY_CLIENT_KEYS: Keys = ("front-proxy-client.crt", "front-proxy-client.key");

/// What exists, and what has been put together so far.
struct Shelf<'a> {
    control_plane: &'a Validated,
    existing: &'a Secrets,
    renewal: Renewal,
    spread: &'a Checksums,
    /// Certificates that are made anew for a reason outside their own Secret.
    renewed: BTreeSet<Component>,
    secrets: Vec<(Component, Secret)>,
    pairs: Vec<Pair>,
}

impl<'a> Shelf<'a> {
    fn existing(&self, component: Component) -> Option<&'a Secret> {
        self.existing.get(&component.object_name(self.control_plane.name())).map(AsRef::as_ref)
    }

    /// The Secret as it is, and whether its contents shall be replaced.
    fn usable(&self, component: Component) -> (Option<&'a Secret>, Rotation) {
        let existing = self.existing(component);
        let rotation = Rotation::of(existing, self.renewal.now);
        let is_kept = !rotation.is_wanted && !self.renewed.contains(&component);
        (existing.filter(|_| is_kept), rotation)
    }

    /// Whether all pods have read the Secret as it exists.
    fn is_spread(&self, component: Component) -> bool {
        self.existing(component).is_some_and(|secret| self.spread.get(&component) == Some(&of_secret(secret)))
    }

    fn authority(&mut self, component: Component, common_name: &str, keys: Keys) -> Result<Authority, Error> {
        let existing = self.existing(component);
        let rotation = Rotation::of(existing, self.renewal.now);
        let mut retirement = Rotation::retirement(existing, self.renewal.now);
        let situation = Situation {
            existing,
            rotation: &rotation,
            retirement: &mut retirement,
            is_spread: self.is_spread(component),
            renewal: self.renewal,
        };
        let authority = Authority::resolve(situation, common_name, keys)?;
        let entries = authority.entries(component, keys);
        self.add(component, &borrowed(&entries), None, &[&rotation, &retirement]);
        Ok(authority)
    }

    fn token_keys(&mut self) -> Result<(), Error> {
        let component = Component::ServiceAccount;
        let existing = self.existing(component);
        let rotation = Rotation::of(existing, self.renewal.now);
        let mut retirement = Rotation::retirement(existing, self.renewal.now);
        let is_spread = self.is_spread(component);
        let keys = service_account::TokenKeys::resolve(existing, &rotation, &mut retirement, is_spread)?;
        self.add(component, &borrowed(&keys.entries()), None, &[&rotation, &retirement]);
        Ok(())
    }

    /// Adds a certificate; returns it without those that lead to previous authorities.
    fn certificate(
        &mut self,
        component: Component,
        plan: &CertificatePlan,
        ca: &Authority,
        keys: Keys,
    ) -> Result<Pair, Error> {
        let (usable, rotation) = self.usable(component);
        let existing = usable.and_then(|secret| read(secret, keys.0, keys.1));
        let pair = leaf(existing, plan, ca.signing(), self.renewal)?;
        let presented = ca.presented(&pair.certificate);
        let entries = [(keys.0, presented.as_str()), (keys.1, pair.private_key.expose_pem())];
        self.add(component, &entries, Some(labels::CERTIFICATE_X509), &[&rotation]);
        self.pairs.push(pair.clone());
        Ok(pair)
    }

    fn kubeconfigs(
        &mut self,
        file: &kubeconfigs::File,
        ca: &CertificateAuthority,
        trust: &str,
    ) -> Result<(), Error> {
        let (usable, rotation) = self.usable(file.component);
        let made = kubeconfigs::make(file, self.control_plane.name(), usable, ca, trust, self.renewal)?;
        let entries: Vec<(&str, &str)> = made.iter().map(|entry| (entry.key, entry.text.as_str())).collect();
        self.add(file.component, &entries, Some(labels::CERTIFICATE_KUBECONFIG), &[&rotation]);
        self.pairs.extend(made.into_iter().map(|entry| entry.pair));
        Ok(())
    }

    fn add(
        &mut self,
        component: Component,
        entries: &[(&str, &str)],
        kind: Option<&str>,
        requests: &[&Rotation],
    ) {
        let mut secret = secret(self.control_plane, component, data(entries.iter().copied()));
        if let Some(kind) = kind {
            let labels = secret.metadata.labels.get_or_insert_default();
            labels.insert(labels::CERTIFICATE.to_owned(), kind.to_owned());
        }
        for request in requests {
            request.mark(&mut secret);
        }
        self.secrets.push((component, secret));
    }

    /// Changes the type of a Secret that was added last.
    fn set_type(&mut self, kind: &str) {
        if let Some((_, secret)) = self.secrets.last_mut() {
            secret.type_ = Some(kind.to_owned());
        }
    }

    fn finish(self, ca: &Authority, front_proxy_ca: &Authority) -> Credentials {
        let checksums =
            self.secrets.iter().map(|(component, secret)| (*component, of_secret(secret))).collect();
        let ends = self.secrets.iter().filter_map(|(component, secret)| {
            let (_, end) = certificate_end(secret)?;
            Some((*component, end?))
        });
        let ends = ends.collect();
        let signing = [ca, front_proxy_ca].map(|authority| inspect(&authority.signing().pair().certificate));
        let rotations = signing
            .into_iter()
            .flatten()
            .filter_map(|found| found.not_after.checked_sub(authority::MARGIN).ok());
        let renew_at = rotations.chain([renew_at(&self.pairs, self.renewal)]).min();
        let bundles = [(Component::Ca, ca), (Component::FrontProxyCa, front_proxy_ca)];
        Credentials {
            secrets: self.secrets.into_iter().map(|(_, secret)| secret).collect(),
            issued: Issued {
                checksums,
                rotates_authority: ca.is_rotating,
                trusts_previous: ca.has_bundle() && !ca.is_rotating,
                renew_at: renew_at.unwrap_or(Timestamp::MAX),
                ends,
            },
            bundles: bundles
                .into_iter()
                .filter(|(_, authority)| authority.has_bundle())
                .map(|(component, _)| component)
                .collect(),
            tunnel: None,
        }
    }
}

fn borrowed<'a>(entries: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    entries.iter().map(|(key, text)| (*key, text.as_str())).collect()
}

/// What the API server's certificate must hold: every name and address by which anybody reaches it.
fn api_server_plan(control_plane: &Validated, endpoint: &Endpoint) -> CertificatePlan {
    let network = control_plane.network();
    let mut names: Vec<String> =
        ["node", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost"]
            .map(str::to_owned)
            .into();
    names.push(format!("kubernetes.default.svc.{}", network.cluster_domain));
    names.push(control_plane.name().to_owned());
    names.push(control_plane.service_host());
    names.push(format!("{}.cluster.local", control_plane.service_host()));
    // The tenant's `kubernetes` Service has one address, of the first family.
    let service_address = service_ranges(control_plane, endpoint).first().and_then(first_address);
    let mut addresses: Vec<IpAddr> = service_address.into_iter().collect();
    addresses.push(IpAddr::from([127, 0, 0, 1]));
    addresses.extend(network.advertise_address);

    let hosts = [endpoint.address.clone(), public(control_plane, endpoint).0];
    for host in hosts.into_iter().chain(network.profile.cert_sans.iter().cloned()) {
        match host.parse() {
            Ok(address) => addresses.push(address),
            Err(_) => names.push(host),
        }
    }
    CertificatePlan::server("kube-apiserver", distinct(names), distinct(addresses))
}

/// Address of the tenant's `kubernetes` Service: the first of the range.
fn first_address(range: &ipnet::IpNet) -> Option<IpAddr> {
    match range.network() {
        IpAddr::V4(base) => {
            base.to_bits().checked_add(1).map(|bits| std::net::Ipv4Addr::from_bits(bits).into())
        }
        IpAddr::V6(base) => {
            base.to_bits().checked_add(1).map(|bits| std::net::Ipv6Addr::from_bits(bits).into())
        }
    }
}

fn distinct<T: PartialEq>(items: Vec<T>) -> Vec<T> {
    items.into_iter().fold(Vec::new(), |mut kept, item| {
        if !kept.contains(&item) {
            kept.push(item);
        }
        kept
    })
}
