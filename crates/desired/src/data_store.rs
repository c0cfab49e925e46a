//! What a control plane needs to reach its store.

use api::Driver;
use api::names::{Component, annotations, finalizers, labels};
use k8s_openapi::api::core::v1::Secret;
use pki::{CertificateAuthority, Pair, PrivateKey};

use crate::checksum::of_secret;
use crate::metadata::{annotation, secret, text};
use crate::pairs::{Renewal, Rotation, data, read};
use crate::{Validated, pairs};

mod identity;

/// A `DataStore` whose references have been followed.
#[derive(Clone, Debug)]
pub struct DataStoreMaterial {
    /// Name of the object.
    pub name: String,
    /// Kind of the store.
    pub driver: Driver,
    /// Addresses, `host:port`.
    pub endpoints: Vec<String>,
    /// Authority that signed the store's certificate, PEM; without it the connection is not encrypted.
    pub ca_certificate: Option<String>,
    /// Its private key, by which etcd's client certificates are signed.
    pub ca_private_key: Option<PrivateKey>,
    /// Client certificate of the store's administrator.
    pub client_certificate: Option<Pair>,
    /// User name and password of the store's administrator.
    pub basic_auth: Option<Login>,
}

/// User name and password. The `Debug` form hides the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// User name.
    pub username: String,
    /// Password.
    pub password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Login").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Why the certificate for the store could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// etcd knows its users by certificates that its authority signs.
    #[error(
        "DataStore `{name}` has no usable authority to sign client certificates with; \
         set spec.tlsConfig.certificateAuthority with certificate and privateKey"
    )]
    NoAuthority {
        /// Name of the `DataStore`.
        name: String,
    },
    /// Signing failed.
    #[error("failed to make the client certificate for DataStore `{name}`")]
    Issue {
        /// Name of the `DataStore`.
        name: String,
        /// The reason.
        #[source]
        source: pki::Error,
    },
}

impl DataStoreMaterial {
    /// Whether the connection is encrypted.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        self.ca_certificate.is_some()
    }
}

/// The password of the tenant's user in the Secret with the connection's settings, if its checksum shows
/// that nobody touched it. What stands there of another user, as NATS's own, is not the tenant's.
#[must_use]
pub fn kept_password<'a>(control_plane: &Validated, existing: Option<&'a Secret>) -> Option<&'a str> {
    existing
        .filter(|secret| annotation(secret, annotations::CHECKSUM) == Some(of_secret(secret).as_str()))
        .filter(|secret| text(secret, "DB_USER") == Some(control_plane.user()))
        .and_then(|secret| text(secret, "DB_PASSWORD"))
        .filter(|password| !password.is_empty())
}

/// The Secret with the connection's settings. The password in the existing one is kept, see
/// [`kept_password`]; else `new_password` takes its place.
#[must_use]
pub fn config_secret(
    control_plane: &Validated,
    store: &DataStoreMaterial,
    existing: Option<&Secret>,
    new_password: &str,
) -> Secret {
    let kept = kept_password(control_plane, existing);
    // NATS has no users per tenant.
    let login = store.basic_auth.as_ref().filter(|_| store.driver == Driver::Nats);
    let endpoint = match store.driver {
        Driver::Etcd => "",
        _ => store.endpoints.first().map_or("", String::as_str),
    };
    let entries = [
        ("DB_CONNECTION_STRING", endpoint),
        ("DB_SCHEMA", control_plane.schema()),
        ("DB_USER", login.map_or_else(|| control_plane.user(), |login| &login.username)),
        ("DB_PASSWORD", login.map_or_else(|| kept.unwrap_or(new_password), |login| &login.password)),
    ];
    let mut secret = secret(control_plane, Component::DataStoreConfig, data(entries));
    secret.metadata.finalizers = Some(vec![finalizers::DATA_STORE_SECRET.to_owned()]);
    secret
}

/// The Secret with the connection's certificate; none if the connection is not encrypted. For etcd the
/// certificate is the tenant's own, good for `further` stores too, and is kept while it serves; for the
/// others it is the store's.
///
/// # Errors
/// [`Error`] if etcd's authority is missing or cannot sign.
pub fn certificate_secret(
    control_plane: &Validated,
    store: &DataStoreMaterial,
    further: &[&DataStoreMaterial],
    existing: Option<&Secret>,
    renewal: Renewal,
) -> Result<Option<Secret>, Error> {
    if store.ca_certificate.is_none() && store.driver != Driver::Etcd {
        return Ok(None);
    }
    let rotation = Rotation::of(existing, renewal.now);
    let stores = distinct(store, further);
    let pair = match store.driver {
        Driver::Etcd => {
            let usable = existing.filter(|_| !rotation.is_wanted);
            Some(etcd_pair(control_plane, &stores, usable, renewal)?)
        }
        _ => store.client_certificate.clone(),
    };
    let trust = trust(&stores);
    let mut entries = vec![("ca.crt", trust.as_str())];
    if let Some(pair) = &pair {
        entries.extend([
            ("server.crt", pair.certificate.as_str()),
            ("server.key", pair.private_key.expose_pem()),
        ]);
    }
    let mut secret = secret(control_plane, Component::DataStoreCertificate, data(entries));
    label(&mut secret);
    rotation.mark(&mut secret);
    Ok(Some(secret))
}

/// The Secret with the connection's certificate as it is: while a store does not answer, nobody knows
/// whether its authority is the right one, and the pods have something that worked.
#[must_use]
pub fn standing_certificate_secret(control_plane: &Validated, existing: &Secret) -> Option<Secret> {
    let kept = existing.data.clone().filter(|kept| kept.contains_key("ca.crt"))?;
    let mut secret = secret(control_plane, Component::DataStoreCertificate, kept);
    label(&mut secret);
    if let Some(rotation) = annotation(existing, annotations::ROTATE) {
        let annotations = secret.metadata.annotations.get_or_insert_default();
        annotations.insert(annotations::ROTATE.to_owned(), rotation.to_owned());
    }
    Some(secret)
}

fn label(secret: &mut Secret) {
    let labels = secret.metadata.labels.get_or_insert_default();
    labels.insert(labels::CERTIFICATE.to_owned(), labels::CERTIFICATE_X509.to_owned());
}

/// The store and those of the further ones that have other authorities.
fn distinct<'a>(
    store: &'a DataStoreMaterial,
    further: &[&'a DataStoreMaterial],
) -> Vec<&'a DataStoreMaterial> {
    let trimmed = |store: &'a DataStoreMaterial| store.ca_certificate.as_deref().map(str::trim);
    further.iter().fold(vec![store], |mut known, next| {
        if !known.iter().any(|known| trimmed(known) == trimmed(next)) {
            known.push(next);
        }
        known
    })
}

/// What the stores' own certificates are checked against. A single text stays as it was written.
fn trust(stores: &[&DataStoreMaterial]) -> String {
    let mut texts = stores.iter().filter_map(|store| store.ca_certificate.as_deref());
    let first = texts.next().unwrap_or_default().to_owned();
    texts.fold(first, |all, text| format!("{}\n{}\n", all.trim_end(), text.trim_end()))
}

/// When the certificate in the Secret has to be renewed.
#[must_use]
pub fn renew_at(certificate_secret: &Secret, renewal: Renewal) -> jiff::Timestamp {
    pairs::renew_at(read(certificate_secret, "server.crt", "server.key").as_ref(), renewal)
}

/// The tenant's client certificate: etcd takes its common name as the user.
fn etcd_pair(
    control_plane: &Validated,
    stores: &[&DataStoreMaterial],
    existing: Option<&Secret>,
    renewal: Renewal,
) -> Result<Pair, Error> {
    let authorities = stores.iter().map(|store| authority(store)).collect::<Result<Vec<_>, _>>()?;
    let previous = existing.and_then(|secret| read(secret, "server.crt", "server.key"));
    let name = || stores.first().map(|store| store.name.clone()).unwrap_or_default();
    identity::pair(control_plane.user(), &authorities, previous, renewal)
        .map_err(|source| Error::Issue { name: name(), source })
}

fn authority(store: &DataStoreMaterial) -> Result<CertificateAuthority, Error> {
    let no_authority = || Error::NoAuthority { name: store.name.clone() };
    let authority = Pair {
        certificate: store.ca_certificate.clone().ok_or_else(no_authority)?,
        private_key: store.ca_private_key.clone().ok_or_else(no_authority)?,
    };
    if !authority.is_consistent() {
        return Err(no_authority());
    }
    CertificateAuthority::from_pair(authority).map_err(|_| no_authority())
}
