//! Who somebody at a provider is here.

use api::{IdentityProvider, User, UserSpec};
use authn::Vouched;
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use kube::api::PostParams;
use kube::{Api, ResourceExt};

use crate::hub::Hub;
use crate::problem::Problem;
use crate::providers::may_vouch;

/// On a User that was made for somebody at a provider: a digest of who that is.
const IDENTITY: &str = "flotilla.dev/identity";
/// Letters of somebody's own name in that of their User.
const LONGEST_NAME: usize = 16;
/// Digits of the digest in a name, which keep people of one name apart.
const DIGITS: usize = 12;

/// The user that somebody is; why nobody, for the log, if they are nobody here.
pub(crate) async fn user_of(
    hub: &Hub,
    provider: &IdentityProvider,
    vouched: &Vouched,
    now: Timestamp,
) -> Result<Result<String, &'static str>, Problem> {
    let (name, links) = (provider.name_any(), hub.records.links());
    let linked = links.signed_in(&name, &vouched.subject, now).await?;
    let user = match linked {
        Some(user) if hub.index.now().users.contains_key(&user) => user,
        _ if !provider.spec.create_users => return Ok(Err("nobody is linked to the identity")),
        linked => {
            let user = linked.unwrap_or_else(|| user_name(&name, vouched));
            if !make(hub, provider, vouched, &user).await? {
                return Ok(Err("another user has the name that the new one would have"));
            }
            if !links.link(&name, &vouched.subject, &user, now).await? {
                return Ok(Err("the identity was linked to somebody else meanwhile"));
            }
            user
        }
    };
    let snapshot = hub.index.now();
    if !may_vouch(&provider.spec, &user, &snapshot) {
        return Ok(Err("the provider may not vouch for a user outside of its tenant"));
    }
    Ok(if snapshot.is_active(&user) { Ok(user) } else { Err("the user is disabled") })
}

/// Makes a user for somebody. False if there is one of this name who was not made for them.
async fn make(
    hub: &Hub,
    provider: &IdentityProvider,
    vouched: &Vouched,
    name: &str,
) -> Result<bool, Problem> {
    let identity = identity(&provider.name_any(), &vouched.subject);
    let display_name =
        Some(vouched.user_name.chars().take(253).collect()).filter(|name: &String| !name.is_empty());
    let spec = UserSpec { display_name, tenant: provider.spec.tenant.clone(), ..UserSpec::default() };
    let mut user = User::new(name, spec);
    user.annotations_mut().insert(IDENTITY.to_owned(), identity.clone());
    let users: Api<User> = Api::all(hub.client.clone());
    let user = match users.create(&PostParams::default(), &user).await {
        Err(kube::Error::Api(status)) if status.code == 409 => users.get(name).await?,
        made => made?,
    };
    hub.settled(&hub.caches.users, name, user.resource_version().as_deref()).await;
    Ok(user.annotations().get(IDENTITY) == Some(&identity))
}

fn identity(provider: &str, subject: &str) -> String {
    HEXLOWER.encode(digest(&SHA256, format!("{provider}\0{subject}").as_bytes()).as_ref())
}

/// The same for one identity as long as its name is, and never that of another.
fn user_name(provider: &str, vouched: &Vouched) -> String {
    let letters = vouched.user_name.split('@').next().unwrap_or_default().to_lowercase();
    let letters = letters.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' });
    let letters: String = letters.take(LONGEST_NAME).collect();
    let digits: String = identity(provider, &vouched.subject).chars().take(DIGITS).collect();
    match letters.trim_matches('-') {
        "" => format!("{provider}-{digits}"),
        letters => format!("{provider}-{letters}-{digits}"),
    }
}

#[cfg(test)]
mod tests {
    use authn::Vouched;

    use super::user_name;
    use crate::cluster_id::is_label;

    fn of(provider: &str, subject: &str, name: &str) -> String {
        let vouched = Vouched { subject: subject.to_owned(), user_name: name.to_owned(), groups: Vec::new() };
        user_name(provider, &vouched)
    }

    #[test]
    fn every_identity_has_a_name_of_its_own() {
        assert_eq!(of("corp", "s1", "Olga"), of("corp", "s1", "olga@example.com"));
        assert_ne!(of("corp", "s1", "olga"), of("corp", "s2", "olga"));
        assert_ne!(of("corp", "s1", "olga"), of("other", "s1", "olga"));
        assert!(of("corp", "s1", "olga").starts_with("corp-olga-"));
        for name in ["", "@", "\u{e4}\u{f6}", "admin/../x", &"long".repeat(40)] {
            let name = of(&"p".repeat(32), "s1", name);
            assert!(is_label(&name), "{name}");
        }
    }
}
