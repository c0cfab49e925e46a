//! The vocabulary of conditions, and how one is set.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// What a condition of a control plane speaks of. All are positive: `True` is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The control plane serves; the sum of all others.
    Ready,
    /// The spec can be brought about.
    Accepted,
    /// The API server's address is known.
    AddressAssigned,
    /// The store holds a place for the tenant.
    DataStoreReady,
    /// All keys, certificates and kubeconfigs are there and valid.
    CertificatesReady,
    /// At least one pod of the control plane is ready.
    ControlPlaneAvailable,
    /// The Ingress or the Gateway that the spec asks for leads to the control plane.
    Exposed,
    /// What workers need to join stands in the tenant's cluster.
    TenantObjectsReady,
    /// The addons that the spec asks for stand in the tenant's cluster.
    AddonsReady,
}

impl Kind {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Accepted => "Accepted",
            Self::AddressAssigned => "AddressAssigned",
            Self::DataStoreReady => "DataStoreReady",
            Self::CertificatesReady => "CertificatesReady",
            Self::ControlPlaneAvailable => "ControlPlaneAvailable",
            Self::Exposed => "Exposed",
            Self::TenantObjectsReady => "TenantObjectsReady",
            Self::AddonsReady => "AddonsReady",
        }
    }
}

/// Why a condition is as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it; they are what users read")]
pub enum Reason {
    Ready,
    Valid,
    InvalidSpec,
    Assigned,
    LoadBalancerPending,
    AddressMissing,
    AddressFamilyMismatch,
    Provisioned,
    DataStoreNotFound,
    DataStoreNotReady,
    DataStoreUnreachable,
    DataStoreMissing,
    DataStoreFull,
    Migrating,
    MigrationRefused,
    MigrationTimedOut,
    Issued,
    IssueFailed,
    Available,
    Sleeping,
    WaitingForStart,
    Starting,
    Unavailable,
    RollingOut,
    WaitingToRollOut,
    ApplyFailed,
    Applied,
    TenantUnreachable,
    Pending,
    NoAddons,
    Exposed,
    RouteNotAccepted,
    GatewayApiMissing,
    NoSharedTunnel,
}

impl Reason {
    const ALL: &'static [Self] = &[
        Self::Ready,
        Self::Valid,
        Self::InvalidSpec,
        Self::Assigned,
        Self::LoadBalancerPending,
        Self::AddressMissing,
        Self::AddressFamilyMismatch,
        Self::Provisioned,
        Self::DataStoreNotFound,
        Self::DataStoreNotReady,
        Self::DataStoreUnreachable,
        Self::DataStoreMissing,
        Self::DataStoreFull,
        Self::Migrating,
        Self::MigrationRefused,
        Self::MigrationTimedOut,
        Self::Issued,
        Self::IssueFailed,
        Self::Available,
        Self::Sleeping,
        Self::WaitingForStart,
        Self::Starting,
        Self::Unavailable,
        Self::RollingOut,
        Self::WaitingToRollOut,
        Self::ApplyFailed,
        Self::Applied,
        Self::TenantUnreachable,
        Self::Pending,
        Self::NoAddons,
        Self::Exposed,
        Self::RouteNotAccepted,
        Self::GatewayApiMissing,
        Self::NoSharedTunnel,
    ];

    /// The reason of that name on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == text)
    }

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Valid => "Valid",
            Self::InvalidSpec => "InvalidSpec",
            Self::Assigned => "Assigned",
            Self::LoadBalancerPending => "LoadBalancerPending",
            Self::AddressMissing => "AddressMissing",
            Self::AddressFamilyMismatch => "AddressFamilyMismatch",
            Self::Provisioned => "Provisioned",
            Self::DataStoreNotFound => "DataStoreNotFound",
            Self::DataStoreNotReady => "DataStoreNotReady",
            Self::DataStoreUnreachable => "DataStoreUnreachable",
            Self::DataStoreMissing => "DataStoreMissing",
            Self::DataStoreFull => "DataStoreFull",
            Self::Migrating => "Migrating",
            Self::MigrationRefused => "MigrationRefused",
            Self::MigrationTimedOut => "MigrationTimedOut",
            Self::Issued => "Issued",
            Self::IssueFailed => "IssueFailed",
            Self::Available => "Available",
            Self::Sleeping => "Sleeping",
            Self::WaitingForStart => "WaitingForStart",
            Self::Starting => "Starting",
            Self::Unavailable => "Unavailable",
            Self::RollingOut => "RollingOut",
            Self::WaitingToRollOut => "WaitingToRollOut",
            Self::ApplyFailed => "ApplyFailed",
            Self::Applied => "Applied",
            Self::TenantUnreachable => "TenantUnreachable",
            Self::Pending => "Pending",
            Self::NoAddons => "NoAddons",
            Self::Exposed => "Exposed",
            Self::RouteNotAccepted => "RouteNotAccepted",
            Self::GatewayApiMissing => "GatewayApiMissing",
            Self::NoSharedTunnel => "NoSharedTunnel",
        }
    }
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holds {
    /// It holds.
    True,
    /// It does not.
    False,
    /// It could not be found out.
    Unknown,
}

impl Holds {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// What is to be said by a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What it speaks of.
    pub kind: Kind,
    /// Whether it holds.
    pub holds: Holds,
    /// Why.
    pub reason: Reason,
    /// Cause and next step, to the user.
    pub message: String,
}

impl Report {
    /// The condition holds.
    #[must_use]
    pub fn holds(kind: Kind, reason: Reason, message: impl Into<String>) -> Self {
        Self { kind, holds: Holds::True, reason, message: message.into() }
    }

    /// The condition does not hold.
    #[must_use]
    pub fn fails(kind: Kind, reason: Reason, message: impl Into<String>) -> Self {
        Self { kind, holds: Holds::False, reason, message: message.into() }
    }

    /// Whether the condition holds could not be found out.
    #[must_use]
    pub fn unknown(kind: Kind, reason: Reason, message: impl Into<String>) -> Self {
        Self { kind, holds: Holds::Unknown, reason, message: message.into() }
    }
}

/// Writes a condition; the time of its transition moves only when its status does.
pub fn set(conditions: &mut Vec<Condition>, report: Report, generation: Option<i64>, now: Timestamp) {
    let condition = Condition {
        type_: report.kind.as_str().to_owned(),
        status: report.holds.as_str().to_owned(),
        reason: report.reason.as_str().to_owned(),
        message: report.message,
        observed_generation: generation,
        last_transition_time: Time(whole_seconds(now)),
    };
    put(conditions, condition);
}

/// Writes a condition of any type; it keeps the time of the one before it if its status is the same.
pub fn put(conditions: &mut Vec<Condition>, mut condition: Condition) {
    let previous = conditions.iter().position(|known| known.type_ == condition.type_);
    if let Some(known) = previous.and_then(|index| conditions.get(index))
        && known.status == condition.status
    {
        condition.last_transition_time = known.last_transition_time.clone();
    }
    match previous.and_then(|index| conditions.get_mut(index)) {
        Some(place) => *place = condition,
        None => conditions.push(condition),
    }
}

/// The condition of a kind, if it was set.
#[must_use]
pub fn find(conditions: &[Condition], kind: Kind) -> Option<&Condition> {
    conditions.iter().find(|condition| condition.type_ == kind.as_str())
}

/// Whether the condition of a kind holds.
#[must_use]
pub fn is_true(conditions: &[Condition], kind: Kind) -> bool {
    find(conditions, kind).is_some_and(|condition| condition.status == Holds::True.as_str())
}

/// The API server keeps whole seconds; more would differ after every read.
#[must_use]
pub fn whole_seconds(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::{Kind, Reason, Report, find, is_true, set};

    fn at(text: &str) -> jiff::Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn transition_time_moves_only_with_the_status() {
        let mut conditions = Vec::new();
        set(
            &mut conditions,
            Report::fails(Kind::Ready, Reason::Starting, "a"),
            Some(1),
            at("2026-01-01T00:00:00.5Z"),
        );
        set(
            &mut conditions,
            Report::fails(Kind::Ready, Reason::Unavailable, "b"),
            Some(2),
            at("2026-01-02T00:00:00Z"),
        );
        let ready = find(&conditions, Kind::Ready).unwrap();
        assert_eq!(ready.last_transition_time.0, at("2026-01-01T00:00:00Z"));
        assert_eq!((ready.reason.as_str(), ready.message.as_str()), ("Unavailable", "b"));
        assert_eq!(ready.observed_generation, Some(2));

        set(
            &mut conditions,
            Report::holds(Kind::Ready, Reason::Ready, "c"),
            Some(2),
            at("2026-01-03T00:00:00Z"),
        );
        assert_eq!(
            find(&conditions, Kind::Ready).unwrap().last_transition_time.0,
            at("2026-01-03T00:00:00Z")
        );
        assert!(is_true(&conditions, Kind::Ready));
        assert_eq!(conditions.len(), 1);
    }

    #[test]
    fn conditions_that_others_wrote_stay() {
        let mut conditions = Vec::new();
        set(
            &mut conditions,
            Report::holds(Kind::Accepted, Reason::Valid, ""),
            None,
            at("2026-01-01T00:00:00Z"),
        );
        conditions[0].type_ = "example.com/Backup".to_owned();
        set(
            &mut conditions,
            Report::holds(Kind::Accepted, Reason::Valid, ""),
            None,
            at("2026-01-01T00:00:00Z"),
        );
        assert_eq!(conditions.len(), 2);
    }
}
