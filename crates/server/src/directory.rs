//! Names and passwords that a directory knows.

use api::IdentityProvider;
use authn::{ProviderError, Vouched};
use kube::ResourceExt;
use zeroize::Zeroizing;

use crate::hub::Hub;
use crate::problem::Problem;
use crate::providers;

/// Whoever has this name and password in a directory; nobody if they are wrong.
pub(crate) async fn vouched(
    hub: &Hub,
    provider: &IdentityProvider,
    user: &str,
    password: String,
) -> Result<Option<Vouched>, Problem> {
    let password = Zeroizing::new(password);
    let signed_in = async { providers::ldap(hub, provider).await?.sign_in(user, password).await };
    match signed_in.await {
        Ok(vouched) => Ok(Some(vouched)),
        Err(ProviderError::Refused(_) | ProviderError::Gone) => Ok(None),
        Err(error) => {
            providers::note(&provider.name_any(), &error);
            Err(Problem::unavailable("the directory does not answer as it should; try again in a moment"))
        }
    }
}
