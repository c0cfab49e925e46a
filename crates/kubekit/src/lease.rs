//! Leader election over a Lease, as client-go does it: the holder renews, others wait until they have seen
//! no renewal for as long as the lease lasts. Only the own clock counts, since those of two machines differ.

use std::time::{Duration, Instant};

use base::Clock;
use jiff::Timestamp;
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

/// What a candidate last saw of the lease.
#[derive(Debug)]
struct Sighting {
    spec: Option<LeaseSpec>,
    /// When it was first seen so, by the own clock.
    since: Instant,
}

impl Sighting {
    fn new(at: Instant) -> Self {
        Self { spec: None, since: at }
    }

    /// Notes how the lease looks; returns for how long it has looked so.
    fn look(&mut self, spec: Option<&LeaseSpec>, at: Instant) -> Duration {
        if self.spec.as_ref() != spec {
            *self = Self { spec: spec.cloned(), since: at };
        }
        at.saturating_duration_since(self.since)
    }
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
    let mut sighting = Sighting::new(Instant::now());
    loop {
        match attempt(&api, &settings, &mut sighting, clock.now()).await {
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

/// Renews until somebody else holds the lease, or until renewing has failed for so long that somebody
/// else may take it soon.
async fn renew(api: Api<Lease>, settings: ElectionSettings, clock: impl Clock, lost: watch::Sender<bool>) {
    let deadline = settings.duration.saturating_sub(settings.renew_every);
    let mut renewed = tokio::time::Instant::now();
    let mut sighting = Sighting::new(Instant::now());
    loop {
        tokio::time::sleep(settings.renew_every).await;
        let began = tokio::time::Instant::now();
        let attempt = attempt(&api, &settings, &mut sighting, clock.now());
        match tokio::time::timeout_at(renewed + deadline, attempt).await {
            Ok(Ok(true)) => renewed = began,
            Ok(Ok(false)) | Err(_) => break,
            Ok(Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "failed to renew the lease");
            }
        }
    }
    tracing::error!(lease = settings.name, "lost the lease");
    let _ = lost.send(true);
}

/// One try to take or renew the lease; true if this candidate holds it now.
async fn attempt(
    api: &Api<Lease>,
    settings: &ElectionSettings,
    sighting: &mut Sighting,
    now: Timestamp,
) -> Result<bool, LeaseError> {
    let outcome = match api.get_opt(&settings.name).await {
        Ok(Some(mut lease)) => {
            let unchanged_for = sighting.look(lease.spec.as_ref(), Instant::now());
            match decide(lease.spec.as_ref(), &settings.identity, unchanged_for) {
                Move::Wait => return Ok(false),
                Move::Take { transition } => {
                    lease.spec = Some(settings.spec(lease.spec.as_ref(), transition, now));
                    api.replace(&settings.name, &PostParams::default(), &lease).await
                }
            }
        }
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

fn decide(spec: Option<&LeaseSpec>, identity: &str, unchanged_for: Duration) -> Move {
    let holder = spec.and_then(|spec| spec.holder_identity.as_deref()).filter(|holder| !holder.is_empty());
    match holder {
        None => Move::Take { transition: true },
        Some(holder) if holder == identity => Move::Take { transition: false },
        Some(_) if unchanged_for > lifetime(spec) => Move::Take { transition: true },
        Some(_) => Move::Wait,
    }
}

/// How long a lease lasts that is not renewed.
fn lifetime(spec: Option<&LeaseSpec>) -> Duration {
    let seconds = spec.and_then(|spec| spec.lease_duration_seconds).unwrap_or_default();
    Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{LeaseSpec, MicroTime, Move, Sighting, decide};

    fn held_by(identity: &str, renewed: &str) -> LeaseSpec {
        LeaseSpec {
            holder_identity: Some(identity.to_owned()),
            lease_duration_seconds: Some(6),
            renew_time: Some(MicroTime(renewed.parse().unwrap())),
            ..LeaseSpec::default()
        }
    }

    #[test]
    fn a_lease_that_another_one_renews_is_waited_for_and_a_silent_one_is_taken() {
        let lease = held_by("other", "2026-01-01T00:00:00Z");
        assert_eq!(decide(Some(&lease), "me", Duration::from_secs(6)), Move::Wait);
        assert_eq!(decide(Some(&lease), "me", Duration::from_millis(6001)), Move::Take { transition: true });
    }

    #[test]
    fn what_the_holders_clock_says_is_no_matter() {
        let long_ago = held_by("other", "1999-01-01T00:00:00Z");
        let began = Instant::now();
        let mut sighting = Sighting::new(began);
        let unchanged_for = sighting.look(Some(&long_ago), began);
        assert_eq!(decide(Some(&long_ago), "me", unchanged_for), Move::Wait);
        let renewed = held_by("other", "1999-01-01T00:00:05Z");
        let later = began + Duration::from_secs(5);
        assert_eq!(sighting.look(Some(&renewed), later), Duration::ZERO);
        assert_eq!(sighting.look(Some(&renewed), later + Duration::from_secs(7)), Duration::from_secs(7));
    }

    #[test]
    fn the_own_lease_is_renewed_without_a_transition() {
        let lease = held_by("me", "2026-01-01T00:00:00Z");
        assert_eq!(decide(Some(&lease), "me", Duration::ZERO), Move::Take { transition: false });
    }

    #[test]
    fn a_lease_that_was_given_back_is_free_at_once() {
        let mut lease = held_by("other", "2026-01-01T00:00:00Z");
        lease.holder_identity = None;
        assert_eq!(decide(Some(&lease), "me", Duration::ZERO), Move::Take { transition: true });
    }
}
