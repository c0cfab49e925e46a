//! Everything by which the parts of a control plane, its administrators and its workers trust each other.

use std::collections::BTreeMap;
use std::net::IpAddr;

use api::names::{Component, labels};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use pki::{CertificateAuthority, CertificatePlan, Error, KeyAlgorithm, Pair, PrivateKey, ServiceAccountPair};

use crate::endpoint::public;
use crate::metadata::{secret, text};
use crate::pairs::{Rotation, authority, data, leaf, read, renew_at};
use crate::{Endpoint, Validated};

mod kubeconfigs;

pub use crate::pairs::{Renewal, Secrets};

/// Checksum of the data of each Secret.
pub type Checksums = BTreeMap<Component, String>;

/// What the status says of the credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Checksum of the data of each Secret.
    pub checksums: Checksums,
    /// Whether the cluster's authority was there before and has been replaced now.
    pub replaces_authority: bool,
    /// When the first certificate has to be renewed.
    pub renew_at: Timestamp,
}

/// All credentials of a control plane, kept or new.
#[derive(Clone, Debug)]
pub struct Credentials {
    secrets: Vec<Secret>,
    issued: Issued,
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

    /// A kubeconfig of the administrator's Secret, such as `super-admin.svc`.
    #[must_use]
    pub fn admin_kubeconfig(&self, key: &str) -> Option<&str> {
        self.secrets
            .iter()
            .filter(|secret| {
                let labels = secret.metadata.labels.as_ref();
                let component = labels.and_then(|labels| labels.get(labels::COMPONENT));
                component.is_some_and(|component| component == Component::AdminKubeconfig.label())
            })
            .find_map(|secret| text(secret, key))
    }
}

/// Keeps what serves of the credentials that exist and makes the rest: authorities, certificates, the
/// key pair for service accounts, kubeconfigs. New keys are ECDSA P-256.
///
/// # Errors
/// [`pki::Error`] if a key or certificate cannot be made.
pub fn credentials(
    control_plane: &Validated,
    endpoint: &Endpoint,
    existing: &Secrets,
    renewal: Renewal,
) -> Result<Credentials, Error> {
    let mut shelf = Shelf { control_plane, existing, renewal, secrets: Vec::new(), pairs: Vec::new() };
    let (ca, replaces_authority) = shelf.authority(Component::Ca, "kubernetes", CA_KEYS)?;
    let (front_proxy_ca, _) =
        shelf.authority(Component::FrontProxyCa, "front-proxy-ca", FRONT_PROXY_CA_KEYS)?;
    shelf.service_account()?;

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
    for file in kubeconfigs::files(control_plane, endpoint) {
        shelf.kubeconfigs(&file, &ca)?;
    }
    Ok(shelf.finish(replaces_authority))
}

/// Keys of a Secret for certificate and private key.
type Keys = (&'static str, &'static str);

const CA_KEYS: Keys = ("ca.crt", "ca.key");
const FRONT_PROXY_CA_KEYS: Keys = ("front-proxy-ca.crt", "front-proxy-ca.key");
const API_SERVER_KEYS: Keys = ("apiserver.crt", "apiserver.key");
const KUBELET_CLIENT_KEYS: Keys = ("apiserver-kubelet-client.crt", "apiserver-kubelet-client.key");
const FRONT_PROXY_CLIENT_KEYS: Keys = ("front-proxy-client.crt", "front-proxy-client.key");
const SERVICE_ACCOUNT_KEYS: Keys = ("sa.pub", "sa.key");

/// What exists, and what has been put together so far.
struct Shelf<'a> {
    control_plane: &'a Validated,
    existing: &'a Secrets,
    renewal: Renewal,
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
        (existing.filter(|_| !rotation.is_wanted), rotation)
    }

    /// Adds an authority; tells whether it takes the place of another one.
    fn authority(
        &mut self,
        component: Component,
        common_name: &str,
        keys: Keys,
    ) -> Result<(CertificateAuthority, bool), Error> {
        let (usable, rotation) = self.usable(component);
        let previous = usable.and_then(|secret| read(secret, keys.0, keys.1));
        let ca = authority(previous.clone(), common_name, self.renewal)?;
        let is_new = previous.as_ref() != Some(ca.pair());
        let pair = ca.pair();
        let mut entries = vec![(keys.0, pair.certificate.as_str()), (keys.1, pair.private_key.expose_pem())];
        if component == Component::Ca {
            // The same under the names that Cluster API reads.
            entries
                .extend([("tls.crt", pair.certificate.as_str()), ("tls.key", pair.private_key.expose_pem())]);
        }
        self.add(component, &entries, None, &rotation);
        self.pairs.push(pair.clone());
        Ok((ca, is_new && self.existing(component).is_some()))
    }

    fn service_account(&mut self) -> Result<(), Error> {
        let component = Component::ServiceAccount;
        let (usable, rotation) = self.usable(component);
        let previous = usable
            .and_then(|secret| read(secret, SERVICE_ACCOUNT_KEYS.0, SERVICE_ACCOUNT_KEYS.1))
            .map(|pair| ServiceAccountPair { public_key: pair.certificate, private_key: pair.private_key })
            .filter(ServiceAccountPair::is_consistent);
        let pair = match previous {
            Some(pair) => pair,
            None => ServiceAccountPair::generate(KeyAlgorithm::default())?,
        };
        let entries = [
            (SERVICE_ACCOUNT_KEYS.0, pair.public_key.as_str()),
            (SERVICE_ACCOUNT_KEYS.1, PrivateKey::expose_pem(&pair.private_key)),
        ];
        self.add(component, &entries, None, &rotation);
        Ok(())
    }

    fn certificate(
        &mut self,
        component: Component,
        plan: &CertificatePlan,
        ca: &CertificateAuthority,
        keys: Keys,
    ) -> Result<(), Error> {
        let (usable, rotation) = self.usable(component);
        let pair = leaf(usable.and_then(|secret| read(secret, keys.0, keys.1)), plan, ca, self.renewal)?;
        let entries = [(keys.0, pair.certificate.as_str()), (keys.1, pair.private_key.expose_pem())];
        self.add(component, &entries, Some(labels::CERTIFICATE_X509), &rotation);
        self.pairs.push(pair);
        Ok(())
    }

    fn kubeconfigs(&mut self, file: &kubeconfigs::File, ca: &CertificateAuthority) -> Result<(), Error> {
        let (usable, rotation) = self.usable(file.component);
        let made = kubeconfigs::make(file, self.control_plane.name(), usable, ca, self.renewal)?;
        let entries: Vec<(&str, &str)> = made.iter().map(|entry| (entry.key, entry.text.as_str())).collect();
        self.add(file.component, &entries, Some(labels::CERTIFICATE_KUBECONFIG), &rotation);
        self.pairs.extend(made.into_iter().map(|entry| entry.pair));
        Ok(())
    }

    fn add(
        &mut self,
        component: Component,
        entries: &[(&str, &str)],
        kind: Option<&str>,
        rotation: &Rotation,
    ) {
        let mut secret = secret(self.control_plane, component, data(entries.iter().copied()));
        if let Some(kind) = kind {
            let labels = secret.metadata.labels.get_or_insert_default();
            labels.insert(labels::CERTIFICATE.to_owned(), kind.to_owned());
        }
        rotation.mark(&mut secret);
        self.secrets.push((component, secret));
    }

    fn finish(self, replaces_authority: bool) -> Credentials {
        let checksums = self
            .secrets
            .iter()
            .map(|(component, secret)| (*component, crate::checksum::of_secret(secret)))
            .collect();
        let renew_at = renew_at(&self.pairs, self.renewal);
        Credentials {
            secrets: self.secrets.into_iter().map(|(_, secret)| secret).collect(),
            issued: Issued { checksums, replaces_authority, renew_at },
        }
    }
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
    let mut addresses: Vec<IpAddr> = network.service_cidrs.iter().filter_map(first_address).collect();
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
