//! Leader election over a Lease, as client-go does it: the holder renews, others wait until it is stale.

use std::time::Duration;

use base::Clock;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Who elects, and how patiently.
#[derive(Debug, Clone)]
pub struct ElectionSettings {
    /// Namespace of the Lease.
    pub namespace: String,
    /// Name of the Lease.
    pub name: String,
    /// Name of this candidate; unique, such as the pod's name.
    pub identity: String,
    /// How long a silent holder keeps the lease.
    pub duration: Duration,
    /// How often the holder renews and the others look.
    pub renew_every: Duration,
}

/// Why the lease could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("failed to use the lease `{namespace}/{name}`")]
pub struct LeaseError {
    namespace: String,
    name: String,
    #[source]
    source: Box<kube::Error>,
}

/// Held leadership. Renewed in the background until [`Leadership::release`] or loss.
#[derive(Debug)]
pub struct Leadership {
    settings: ElectionSettings,
    api: Api<Lease>,
    lost: watch::Receiver<bool>,
    renewal: JoinHandle<()>,
}

/// What a candidate shall do about a lease as it found it.
#[derive(Debug, PartialEq, Eq)]
enum Move {
    /// Write it with our name; `transition` if the holder changes by it.
    Take { transition: bool },
    /// Another one holds it.
    Wait,
}

/// Waits until this candidate holds the lease, then keeps it.
///
/// Errors of single attempts are logged and retried; the API server may be away for a while.
pub async fn acquire(client: Client, settings: ElectionSettings, clock: impl Clock + 'static) -> Leadership {
    let api: Api<Lease> = Api::namespaced(client, &settings.namespace);
    loop {
        match attempt(&api, &settings, clock.now()).await {
            Ok(true) => break,
            Ok(false) => {}
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "waiting for the lease"),
        }
        tokio::time::sleep(settings.renew_every).await;
    }
    tracing::info!(lease = settings.name, identity = settings.identity, "leading");
    let (sender, lost) = watch::channel(false);
    let renewal = tokio::spawn(renew(api.clone(), settings.clone(), clock, sender));
    Leadership { settings, api, lost, renewal }
}

impl Leadership {
    /// Resolves when the lease was lost; the program must stop at once, as another one leads.
    pub async fn lost(&mut self) {
        let _ = self.lost.wait_for(|lost| *lost).await;
    }

    /// Gives the lease back, so that the next candidate need not wait until it is stale.
    pub async fn release(self) -> Result<(), LeaseError> {
        self.renewal.abort();
        let failed = |source| self.settings.error(source);
        let mut lease = self.api.get(&self.settings.name).await.map_err(failed)?;
        let spec = lease.spec.get_or_insert_default();
        if spec.holder_identity.as_deref() == Some(&self.settings.identity) {
            spec.holder_identity = None;
            spec.lease_duration_seconds = Some(1);
            self.api.replace(&self.settings.name, &PostParams::default(), &lease).await.map_err(failed)?;
        }
        Ok(())
    }
}

impl ElectionSettings {
    fn error(&self, source: kube::Error) -> LeaseError {
        LeaseError { namespace: self.namespace.clone(), name: self.name.clone(), source: Box::new(source) }
    }

    fn spec(&self, previous: Option<&LeaseSpec>, transition: bool, now: Timestamp) -> LeaseSpec {
        let transitions = previous.and_then(|spec| spec.lease_transitions).unwrap_or(0);
        let acquired = previous.and_then(|spec| spec.acquire_time.clone());
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(self.duration.as_secs()).ok(),
            acquire_time: if transition { Some(MicroTime(now)) } else { acquired },
            renew_time: Some(MicroTime(now)),
            lease_transitions: Some(transitions + i32::from(transition)),
            ..LeaseSpec::default()
        }
    }
}

async fn renew(api: Api<Lease>, settings: ElectionSettings, clock: impl Clock, lost: watch::Sender<bool>) {
    let mut renewed = clock.now();
    loop {
        tokio::time::sleep(settings.renew_every).await;
        match attempt(&api, &settings, clock.now()).await {
            Ok(true) => renewed = clock.now(),
            Ok(false) => break,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "failed to renew the lease");
                if clock.now().duration_since(renewed).unsigned_abs() >= settings.duration {
                    break;
                }
            }
        }
    }
    tracing::error!(lease = settings.name, "lost the lease");
    let _ = lost.send(true);
}

/// One try to take or renew the lease; true if this candidate holds it now.
async fn attempt(api: &Api<Lease>, settings: &ElectionSettings, now: Timestamp) -> Result<bool, LeaseError> {
    let outcome = match api.get_opt(&settings.name).await {
        Ok(Some(mut lease)) => match decide(lease.spec.as_ref(), &settings.identity, now) {
            Move::Wait => return Ok(false),
            Move::Take { transition } => {
                lease.spec = Some(settings.spec(lease.spec.as_ref(), transition, now));
                api.replace(&settings.name, &PostParams::default(), &lease).await
            }
        },
        Ok(None) => {
            let metadata = ObjectMeta { name: Some(settings.name.clone()), ..ObjectMeta::default() };
            let lease = Lease { metadata, spec: Some(settings.spec(None, true, now)) };
            api.create(&PostParams::default(), &lease).await
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.is_conflict() || status.is_already_exists() => Ok(false),
        Err(source) => Err(settings.error(source)),
    }
}

fn decide(spec: Option<&LeaseSpec>, identity: &str, now: Timestamp) -> Move {
    let holder = spec.and_then(|spec| spec.holder_identity.as_deref()).filter(|holder| !holder.is_empty());
    match holder {
        None => Move::Take { transition: true },
        Some(holder) if holder == identity => Move::Take { transition: false },
        Some(_) if is_stale(spec, now) => Move::Take { transition: true },
        Some(_) => Move::Wait,
    }
}

fn is_stale(spec: Option<&LeaseSpec>, now: Timestamp) -> bool {
    let Some((renewed, seconds)) =
        spec.and_then(|spec| Some((spec.renew_time.as_ref()?.0, spec.lease_duration_seconds?)))
    else {
        return true;
    };
    now.duration_since(renewed) > SignedDuration::from_secs(i64::from(seconds))
}

#[cfg(test)]
mod tests {
    use super::{LeaseSpec, MicroTime, Move, decide};

    fn held_by(identity: &str, renewed: &str) -> LeaseSpec {
        LeaseSpec {
            holder_identity: Some(identity.to_owned()),
            lease_duration_seconds: Some(6),
            renew_time: Some(MicroTime(renewed.parse().unwrap())),
            ..LeaseSpec::default()
        }
    }

    #[test]
    fn a_fresh_lease_of_another_is_waited_for_and_a_stale_one_is_taken() {
        let lease = held_by("other", "2026-01-01T00:00:00Z");
        let at = |time: &str| decide(Some(&lease), "me", time.parse().unwrap());
        assert_eq!(at("2026-01-01T00:00:06Z"), Move::Wait);
        assert_eq!(at("2026-01-01T00:00:07Z"), Move::Take { transition: true });
    }

    #[test]
    fn the_own_lease_is_renewed_without_a_transition() {
        let lease = held_by("me", "2026-01-01T00:00:00Z");
        let now = "2026-01-01T00:00:03Z".parse().unwrap();
        assert_eq!(decide(Some(&lease), "me", now), Move::Take { transition: false });
    }

    #[test]
    fn a_lease_that_was_given_back_is_free_at_once() {
        let mut lease = held_by("other", "2026-01-01T00:00:00Z");
        lease.holder_identity = None;
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(decide(Some(&lease), "me", now), Move::Take { transition: true });
    }
}
