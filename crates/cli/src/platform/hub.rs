//! The hub of the platform: whom to trust that it is, and how to sign in.

use std::path::Path;

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};

use super::{Installation, chart};
use crate::Error;

/// The hub's certificate with its authority.
const CERTIFICATE: &str = "flotilla-server-certificate";
/// The first user's password.
const PASSWORD: &str = "flotilla-first-password";

/// Writes the hub's authority to the disk.
pub(super) async fn fetch(client: &Client, path: &Path) -> Result<(), Error> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), chart::NAMESPACE);
    let secret =
        secrets.get(CERTIFICATE).await.map_err(Error::request(format!("read the secret `{CERTIFICATE}`")))?;
    let authority = secret.data.and_then(|mut data| data.remove("ca.crt")).unwrap_or_default().0;
    std::fs::write(path, authority).map_err(Error::system(format!("write {}", path.display())))
}

/// Where the hub is and how to sign in; nothing without one.
pub(super) fn greeting(installation: &Installation) -> String {
    let Some(hub) = &installation.hub else { return String::new() };
    let (kubectl, management) = (&installation.kubectl, installation.kubeconfig.display());
    format!(
        "hub                 {hub}\n\nsign in to the hub:\n  {kubectl} --kubeconfig {management} get secret --namespace \
         {} {PASSWORD} --output go-template='{{{{.data.password | base64decode}}}}'\n  flotilla login {hub} --user \
         admin --ca-file {}\n",
        chart::NAMESPACE,
        installation.hub_authority().display(),
    )
}
