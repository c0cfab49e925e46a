//! Gives services of type `LoadBalancer` an address of the local network. kube-proxy does the rest:
//! the host routes the range to a node.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::sync::Arc;

use futures::StreamExt;
use ipnet::Ipv4Net;
use k8s_openapi::api::core::v1::Service;
use kube::api::{Patch, PatchParams};
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Api, Client, Resource, ResourceExt};
use serde_json::json;

use super::watched;

/// The class that names this implementation; services without a class are served too.
const CLASS: &str = "flotilla.dev/local";

/// The controller.
pub(crate) struct LoadBalancer {
    client: Client,
    recorder: Recorder,
    range: Ipv4Net,
}

/// What a service has and wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Claim {
    has: Option<Ipv4Addr>,
    wants: Option<Ipv4Addr>,
}

/// Why a service gets no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error("all {size} addresses of {range} are taken; delete a service of type LoadBalancer")]
    Exhausted { range: Ipv4Net, size: usize },
    #[error("{address} is not an address of {range}; choose one of it or leave spec.loadBalancerIP out")]
    OutOfRange { address: Ipv4Addr, range: Ipv4Net },
    #[error("{address} is taken by another service; choose another or leave spec.loadBalancerIP out")]
    Taken { address: Ipv4Addr },
}

/// The address of each claim, in their order. Who has an address keeps it, the first of several with
/// the same; wishes come before free choice.
fn allocate(range: Ipv4Net, claims: &[Claim]) -> Vec<Result<Ipv4Addr, Refusal>> {
    let mut taken: BTreeSet<Ipv4Addr> = BTreeSet::new();
    let mut given: Vec<Option<Result<Ipv4Addr, Refusal>>> = vec![None; claims.len()];
    let fits = |address: &Ipv4Addr| range.hosts().any(|host| host == *address);
    for (claim, slot) in claims.iter().zip(&mut given) {
        let kept = claim.has.filter(|has| fits(has) && claim.wants.is_none_or(|wants| wants == *has));
        if let Some(address) = kept.filter(|address| taken.insert(*address)) {
            *slot = Some(Ok(address));
        }
    }
    for (claim, slot) in claims.iter().zip(&mut given) {
        if let (None, Some(address)) = (&slot, claim.wants) {
            *slot = Some(match (fits(&address), taken.insert(address)) {
                (false, _) => Err(Refusal::OutOfRange { address, range }),
                (true, false) => Err(Refusal::Taken { address }),
                (true, true) => Ok(address),
            });
        }
    }
    let mut free = range.hosts().filter(|host| !taken.contains(host)).collect::<Vec<_>>().into_iter();
    let exhausted = Refusal::Exhausted { range, size: range.hosts().count() };
    given.into_iter().map(|slot| slot.unwrap_or_else(|| free.next().ok_or(exhausted))).collect()
}

impl LoadBalancer {
    pub(crate) fn new(client: Client, range: Ipv4Net) -> Self {
        let recorder = Recorder::new(client.clone(), Reporter::from("flotilla-local-load-balancer"));
        Self { client, recorder, range }
    }

    /// Serves until it is cancelled.
    pub(crate) async fn run(self) {
        let (store, changes) = watched::<Service>(Api::all(self.client.clone()));
        let mut changes = pin!(changes);
        let mut refused = BTreeSet::new();
        while changes.next().await.is_some() {
            self.serve(&store.state(), &mut refused).await;
        }
    }

    /// Gives addresses to those that lack one. `refused` holds the services that were told so.
    async fn serve(&self, services: &[Arc<Service>], refused: &mut BTreeSet<String>) {
        let mut served: Vec<&Arc<Service>> = services.iter().filter(|service| is_ours(service)).collect();
        served.sort_by_key(|service| (service.creation_timestamp().map(|time| time.0), service.uid()));
        let claims: Vec<Claim> = served.iter().map(|service| claim(service)).collect();
        let outcomes = allocate(self.range, &claims);
        for ((service, claim), outcome) in served.into_iter().zip(claims).zip(outcomes) {
            match outcome {
                Ok(address) if claim.has == Some(address) => {}
                Ok(address) => self.give(service, address).await,
                Err(refusal) => {
                    if refused.insert(format!("{:?} {refusal}", service.uid())) {
                        self.tell(service, refusal).await;
                    }
                }
            }
        }
    }

    async fn give(&self, service: &Service, address: Ipv4Addr) {
        let name = service.name_any();
        let api: Api<Service> =
            Api::namespaced(self.client.clone(), &service.namespace().unwrap_or_default());
        let status =
            json!({ "status": { "loadBalancer": { "ingress": [{ "ip": address, "ipMode": "VIP" }] } } });
        match api.patch_status(&name, &PatchParams::default(), &Patch::Merge(status)).await {
            Ok(_) => tracing::info!(service = name, %address, "gave an address"),
            // A deleted service needs none; any other failure is repeated with the next change.
            Err(error) => tracing::warn!(service = name, %address, %error, "failed to give an address"),
        }
    }

    async fn tell(&self, service: &Service, refusal: Refusal) {
        let event = Event {
            type_: EventType::Warning,
            reason: "NoAddress".to_owned(),
            note: Some(refusal.to_string()),
            action: "Allocate".to_owned(),
            secondary: None,
        };
        if let Err(error) = self.recorder.publish(&event, &service.object_ref(&())).await {
            tracing::warn!(service = service.name_any(), %refusal, %error, "failed to publish an event");
        }
    }
}

fn is_ours(service: &Service) -> bool {
    let Some(spec) = &service.spec else { return false };
    spec.type_.as_deref() == Some("LoadBalancer")
        && spec.load_balancer_class.as_deref().is_none_or(|class| class == CLASS)
        && service.meta().deletion_timestamp.is_none()
}

fn claim(service: &Service) -> Claim {
    let wants = service.spec.as_ref().and_then(|spec| spec.load_balancer_ip.as_deref()?.parse().ok());
    let has = || {
        service
            .status
            .as_ref()?
            .load_balancer
            .as_ref()?
            .ingress
            .as_ref()?
            .first()?
            .ip
            .as_deref()?
            .parse()
            .ok()
    };
    Claim { has: has(), wants }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use ipnet::Ipv4Net;

    use super::{Claim, Refusal, allocate};

    fn range(prefix: u8) -> Ipv4Net {
        Ipv4Net::new_assert(Ipv4Addr::new(10, 200, 1, 0), prefix)
    }

    fn at(last: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 200, 1, last)
    }

    fn has(last: u8) -> Claim {
        Claim { has: Some(at(last)), wants: None }
    }

    fn wants(last: u8) -> Claim {
        Claim { has: None, wants: Some(at(last)) }
    }

    #[test]
    fn addresses_are_kept_and_the_rest_gets_the_first_free_ones() {
        let claims = [Claim::default(), has(1), Claim::default()];
        assert_eq!(allocate(range(24), &claims), [Ok(at(2)), Ok(at(1)), Ok(at(3))]);
    }

    #[test]
    fn of_two_with_the_same_address_the_older_keeps_it() {
        assert_eq!(allocate(range(24), &[has(5), has(5)]), [Ok(at(5)), Ok(at(1))]);
    }

    #[test]
    fn a_wish_is_honoured_or_refused_with_its_reason() {
        assert_eq!(allocate(range(24), &[Claim::default(), wants(1)]), [Ok(at(2)), Ok(at(1))]);
        assert_eq!(allocate(range(24), &[has(9), wants(9)])[1], Err(Refusal::Taken { address: at(9) }));
        let far = Claim { has: None, wants: Some(Ipv4Addr::new(10, 96, 0, 1)) };
        assert!(matches!(allocate(range(24), &[far])[0], Err(Refusal::OutOfRange { .. })));
        let moves = Claim { has: Some(at(3)), wants: Some(at(4)) };
        assert_eq!(allocate(range(24), &[moves]), [Ok(at(4))]);
    }

    #[test]
    fn an_exhausted_range_is_said_so() {
        let outcome = allocate(range(30), &[Claim::default(); 3]);
        assert_eq!(outcome[..2], [Ok(at(1)), Ok(at(2))]);
        assert!(outcome[2].unwrap_err().to_string().contains("all 2 addresses of 10.200.1.0/30 are taken"));
    }
}
