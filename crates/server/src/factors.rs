//! What somebody shows beside a session: the code of a second factor, or a proof that it is really they who change how
//! they sign in.

use authn::{Code as Step, RecoveryCode, RelyingParty};
use records::{AuditEntry, Decision};
use schemars::JsonSchema;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::caller::{Ask, Caller};
use crate::guessing::Guesser;
use crate::hub::Hub;
use crate::passwords::{self, Kept, RECOVERY, recovery_text};
use crate::problem::Problem;

/// Digits of an app's code; recovery codes are longer.
const DIGITS: usize = 6;

/// That it is really you: your password, or a code of your second factor.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Proof {
    /// Your password.
    #[serde(default)]
    #[schemars(length(max = 1024))]
    pub(crate) password: Option<String>,
    /// Six digits of your second factor, or a recovery code.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub(crate) code: Option<String>,
}

/// Whether a code of somebody's second factor is right. It is used up then.
pub(crate) async fn is_second(hub: &Hub, user: &str, kept: &Kept, code: &str) -> Result<bool, Problem> {
    let Some(totp) = &kept.totp else { return Ok(false) };
    if code.len() != DIGITS {
        return is_recovery(hub, user, kept, code).await;
    }
    let Some(Step(step)) = totp.accept(code, None, hub.now()) else { return Ok(false) };
    let Ok(step) = u64::try_from(step) else { return Ok(false) };
    Ok(hub.records.codes().accept_step(user, step).await?)
}

/// Whoever writes the rest of the codes first has used this one.
async fn is_recovery(hub: &Hub, user: &str, kept: &Kept, code: &str) -> Result<bool, Problem> {
    let Some(place) = RecoveryCode::find(code, &kept.recovery) else { return Ok(false) };
    let mut rest = kept.recovery.clone();
    rest.remove(place);
    passwords::change(hub, user, kept, [(RECOVERY, Some(recovery_text(&rest).as_str()))]).await?;
    Ok(true)
}

/// Lets somebody change how they sign in, if they prove who they are; a session that was stolen does not suffice. Guessing
/// is no faster here than at the door. Answers what is kept of them.
pub(crate) async fn prove(caller: &Caller, ask: &Ask<'_>, proof: Proof) -> Result<Kept, Problem> {
    caller.session().await?;
    if proof.password.is_none() && proof.code.is_none() {
        return Err(Problem::invalid("password: is missing; send it, or a `code`"));
    }
    let (hub, user) = (&caller.hub, caller.subject.user.as_str());
    let (guesser, now) = (Guesser::new(user, &caller.facts.address), hub.now());
    guesser.heed(hub, now).await?;
    let kept = passwords::kept(hub, user).await?;
    let is_proven = match proof {
        Proof { password: Some(password), .. } => {
            hub.hashing.is_right(kept.password.clone(), Zeroizing::new(password)).await?
        }
        Proof { code: Some(code), .. } => is_second(hub, user, &kept, &code).await?,
        Proof { .. } => false,
    };
    let decision = if is_proven { Decision::Allowed } else { Decision::Denied };
    let reason = "one's own way to sign in".to_owned();
    caller.facts.append(hub, AuditEntry { decision, reason, ..caller.entry(ask) }).await?;
    if !is_proven {
        guesser.failed(hub, now).await?;
        return Err(Problem::denied(
            "the password or code that shall prove who you are is wrong; send your own, as it is now",
        ));
    }
    guesser.succeeded(hub).await?;
    // A code may have been used up by it.
    passwords::kept(hub, user).await
}

/// Who authenticators sign for.
pub(crate) fn relying_party(hub: &Hub) -> Result<RelyingParty, Problem> {
    RelyingParty::new(&hub.settings.url).ok_or_else(|| {
        Problem::invalid(
            "passkeys need a hub with a name: browsers make none for an address. Whoever runs the hub gives it a domain name in `server.url`",
        )
    })
}
