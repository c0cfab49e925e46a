//! Kubeconfigs that a [`KubeconfigGenerator`] asks for: which control planes it selects, what stands in
//! each Secret, and what its status says.

use api::names::{Component, labels};
use api::{KubeconfigGenerator, TenantControlPlane};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt;
use pki::{
    CertificateAuthority, CertificatePlan, ClientIdentity, Kubeconfig, KubeconfigContents, Pair, inspect,
};

use crate::metadata::{owner, text};
use crate::pairs::{Renewal, Rotation, data, read, renew_at, serves};

mod selection;
mod status;

pub use selection::{Identity, Selection, identity};
pub use status::{faulty_status, status};

/// Key of the Secret that holds the kubeconfig.
pub const KEY: &str = "value";
/// Key of the administrator's Secret that is followed when the generator names none.
const DEFAULT_ENDPOINT: &str = "admin.svc";

/// Why a kubeconfig cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A selector is malformed.
    #[error("spec.{field} cannot be used: {reason}; until it is mended no kubeconfig is made or removed")]
    Selector {
        /// Which of both selectors.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The control plane has no credentials yet.
    #[error("the administrator's kubeconfig is not there yet; see the conditions of the TenantControlPlane")]
    NotIssued,
    /// The administrator's Secret lacks the key.
    #[error(
        "spec.controlPlaneEndpointFrom is `{key}`, which the administrator's Secret does not hold; name one \
         of {}",
        known.join(", ")
    )]
    Endpoint {
        /// What the generator asks for.
        key: String,
        /// What there is.
        known: Vec<String>,
    },
    /// User or group cannot be found.
    #[error("spec.{field}: {problem}")]
    Identity {
        /// Path of the value in the generator.
        field: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The Secret is somebody else's.
    #[error("the Secret `{name}` belongs to something else; rename the KubeconfigGenerator")]
    Taken {
        /// Name of the Secret.
        name: String,
    },
    /// A key, certificate or kubeconfig cannot be read or made.
    #[error(transparent)]
    Pki(#[from] pki::Error),
}

/// What a kubeconfig is made from.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// The Secret with the administrator's kubeconfigs.
    pub admin: Option<&'a Secret>,
    /// The Secret with the control plane's authority.
    pub authority: Option<&'a Secret>,
    /// The Secret that bears the kubeconfig's name now.
    pub existing: Option<&'a Secret>,
}

/// A kubeconfig in its Secret.
#[derive(Clone, Debug)]
pub struct Generated {
    /// The Secret to apply.
    pub secret: Secret,
    /// When its certificate has to be renewed.
    pub renew_at: Timestamp,
}

/// Name of the Secret that a generator makes for a control plane.
#[must_use]
pub fn secret_name(generator: &str, tenant: &str) -> String {
    format!("{tenant}-{generator}")
}

/// Whether a generator made the Secret for a control plane.
#[must_use]
pub fn is_made_by(secret: &Secret, generator: &str, tenant: &str) -> bool {
    let label = |key| secret.labels().get(key).map(String::as_str);
    label(labels::MANAGED_BY) == Some(generator) && label(labels::MANAGED_FOR) == Some(tenant)
}

/// The Secret with the kubeconfig of `identity` for a control plane; what exists is kept while it serves.
///
/// # Errors
/// [`Fault`] says what is missing or in the way.
pub fn kubeconfig(
    generator: &KubeconfigGenerator,
    tenant: &TenantControlPlane,
    identity: &Identity,
    parts: Parts<'_>,
    renewal: Renewal,
) -> Result<Generated, Fault> {
    let (context, tenant_name) = (generator.name_any(), tenant.name_any());
    let name = secret_name(&context, &tenant_name);
    let is_own = |secret: &Secret| is_made_by(secret, &context, &tenant_name);
    if is_reserved(&context) || parts.existing.is_some_and(|secret| !is_own(secret)) {
        return Err(Fault::Taken { name });
    }
    let template = template(generator, parts.admin.ok_or(Fault::NotIssued)?)?;
    let authority = parts.authority.and_then(|secret| read(secret, "ca.crt", "ca.key"));
    let ca = CertificateAuthority::from_pair(authority.ok_or(Fault::NotIssued)?)?;
    let rotation = Rotation::of(parts.existing, renewal.now);
    let kept = parts.existing.filter(|_| !rotation.is_wanted).and_then(|secret| text(secret, KEY));
    let (value, pair) = keep_or_make(&context, kept, identity, &template, &ca, renewal)?;
    let mut secret = Secret {
        metadata: metadata(name, &context, tenant),
        data: Some(data([(KEY, value.as_str())])),
        type_: Some("Opaque".to_owned()),
        ..Secret::default()
    };
    rotation.mark(&mut secret);
    Ok(Generated { secret, renew_at: renew_at([&pair], renewal) })
}

/// The administrator's kubeconfig from which cluster, address and trust are taken.
fn template(generator: &KubeconfigGenerator, admin: &Secret) -> Result<KubeconfigContents, Fault> {
    let wished = generator.spec.control_plane_endpoint_from.as_deref().filter(|key| !key.is_empty());
    let key = wished.unwrap_or(DEFAULT_ENDPOINT);
    let Some(found) = text(admin, key) else {
        let known = admin.data.iter().flatten().map(|(key, _)| key.clone()).collect();
        return Err(Fault::Endpoint { key: key.to_owned(), known });
    };
    Ok(KubeconfigContents::read(found)?)
}

/// Keeps a text that says all of it, else a certificate that serves, else makes both.
fn keep_or_make(
    context: &str,
    kept: Option<&str>,
    identity: &Identity,
    template: &KubeconfigContents,
    ca: &CertificateAuthority,
    renewal: Renewal,
) -> Result<(String, Pair), Fault> {
    let plan = CertificatePlan::client(&identity.user, &identity.groups);
    let found =
        kept.and_then(|text| Some((text, KubeconfigContents::read(text).ok()?))).filter(|(_, found)| {
            serves(&found.pair, &plan, ca, renewal)
                && inspect(&found.pair.certificate).is_ok_and(|said| said.organizations == identity.groups)
        });
    let pair = match found {
        Some((text, found)) if leads_alike(&found, template) => return Ok((text.to_owned(), found.pair)),
        Some((_, found)) => found.pair,
        None => plan.issue(ca, renewal.now)?,
    };
    let kubeconfig = Kubeconfig {
        cluster: &template.cluster,
        server: &template.server,
        certificate_authority: &template.certificate_authority,
    };
    Ok((kubeconfig.render_in(context, &ClientIdentity { user: context, pair: &pair }), pair))
}

fn leads_alike(found: &KubeconfigContents, template: &KubeconfigContents) -> bool {
    found.server == template.server
        && found.certificate_authority.trim() == template.certificate_authority.trim()
}

/// A generator of such a name would overwrite a Secret of the control plane itself.
fn is_reserved(generator: &str) -> bool {
    const SECRETS: [Component; 14] = [
        Component::Ca,
        Component::FrontProxyCa,
        Component::ServiceAccount,
        Component::ApiServer,
        Component::ApiServerKubeletClient,
        Component::FrontProxyClient,
        Component::AdminKubeconfig,
        Component::ControllerManagerKubeconfig,
        Component::SchedulerKubeconfig,
        Component::DataStoreConfig,
        Component::DataStoreCertificate,
        Component::KonnectivityCertificate,
        Component::KonnectivityKubeconfig,
        Component::TunnelClient,
    ];
    SECRETS.iter().any(|component| component.label() == generator)
}

fn metadata(name: String, generator: &str, tenant: &TenantControlPlane) -> ObjectMeta {
    let labels = [
        (labels::MANAGED_BY, generator.to_owned()),
        (labels::MANAGED_FOR, tenant.name_any()),
        (labels::CERTIFICATE, labels::CERTIFICATE_KUBECONFIG.to_owned()),
    ];
    ObjectMeta {
        name: Some(name),
        namespace: tenant.namespace(),
        labels: Some(labels.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        owner_references: Some(vec![owner(tenant)]),
        ..ObjectMeta::default()
    }
}
