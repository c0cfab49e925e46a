//! Labels, annotations, finalizers and names of the objects that are made for a control plane.

/// Server-side apply's field manager.
pub const FIELD_MANAGER: &str = "flotilla";

/// Field managers whose objects are taken over: Kamaji's.
pub const PREDECESSORS: [&str; 1] = ["kamaji"];

/// Keys of labels.
pub mod labels {
    /// Always [`PROJECT_VALUE`]; tells our objects from others.
    pub const PROJECT: &str = "kamaji.clastix.io/project";
    /// Value of [`PROJECT`].
    pub const PROJECT_VALUE: &str = "kamaji";
    /// Name of the control plane.
    pub const NAME: &str = "kamaji.clastix.io/name";
    /// What the object is for the control plane.
    pub const COMPONENT: &str = "kamaji.clastix.io/component";
    /// Kind of certificate in a Secret: [`CERTIFICATE_X509`] or [`CERTIFICATE_KUBECONFIG`].
    pub const CERTIFICATE: &str = "kamaji.clastix.io/certificate_lifecycle_controller";
    /// The Secret holds a certificate.
    pub const CERTIFICATE_X509: &str = "x509";
    /// The Secret holds kubeconfigs.
    pub const CERTIFICATE_KUBECONFIG: &str = "kubeconfig";
    /// On pods, always [`MANAGED_VALUE`]: this operator laid them out, not Kamaji.
    pub const MANAGED: &str = "flotilla.dev/managed";
    /// Value of [`MANAGED`].
    pub const MANAGED_VALUE: &str = "true";
    /// Prefix of the pod template's labels that carry checksums.
    pub const CHECKSUM_PREFIX: &str = "component.kamaji.clastix.io/";
    /// Generator that made a kubeconfig.
    pub const MANAGED_BY: &str = "kamaji.clastix.io/managed-by";
    /// On a token's Secret in a tenant's cluster: UID of the `JoinToken`.
    pub const JOIN_TOKEN: &str = "flotilla.dev/join-token";
    /// Always [`HUB_VALUE`]: a ConfigMap that tells the hub of a control plane, or in a tenant's cluster an object
    /// by which the hub's groups have rights.
    pub const HUB: &str = "flotilla.dev/hub";
    /// Value of [`HUB`].
    pub const HUB_VALUE: &str = "true";
    /// On a namespace: the `Tenant` whose control planes live in it.
    pub const TENANT: &str = "flotilla.dev/tenant";
    /// On a control plane: the `Template` that it was made from.
    pub const TEMPLATE: &str = "flotilla.dev/template";
    /// On a control plane: the version of [`TEMPLATE`] that it was made from.
    pub const TEMPLATE_VERSION: &str = "flotilla.dev/template-version";
    /// On a backup: the `TenantBackupSchedule` that began it.
    pub const BACKUP_SCHEDULE: &str = "flotilla.dev/schedule";
    /// Control plane that a kubeconfig was made for.
    pub const MANAGED_FOR: &str = "kamaji.clastix.io/managed-for";
}

/// Keys of annotations.
pub mod annotations {
    /// Checksum of an object's data.
    pub const CHECKSUM: &str = "kamaji.clastix.io/checksum";
    /// On a certificate Secret, without value: make it anew. Afterwards the value is the time of it.
    pub const ROTATE: &str = "certs.kamaji.clastix.io/rotate";
    /// On the Secret of an authority or of the token keys, without value: trust no earlier one any more.
    /// Afterwards the value is the time of it.
    pub const RETIRE_PREVIOUS: &str = "flotilla.dev/retire-previous";
    /// Present: leave the object alone.
    pub const PAUSED: &str = "kamaji.clastix.io/paused";
    /// Key of the administrator's Secret by which the operator reaches the tenant.
    pub const KUBECONFIG_SECRET_KEY: &str = "kamaji.clastix.io/kubeconfig-secret-key";
    /// On a control plane: its pods are kept from running, by the `TenantRestore` of this name.
    pub const HOLD: &str = "flotilla.dev/hold";
    /// On a control plane that is given to another tenant: its pods are kept from running, by the `ClusterTransfer`
    /// of this name.
    pub const GIVEN_AWAY_BY: &str = "flotilla.dev/given-away-by";
    /// On a control plane that comes from another tenant: nothing is made for it yet, and the `ClusterTransfer` of this
    /// name brings what it is made of.
    pub const AWAITED_BY: &str = "flotilla.dev/awaited-by";
    /// On a control plane behind a load balancer: the address that is asked for, which it had before it was given to
    /// this tenant. A load balancer need not heed it.
    pub const LOAD_BALANCER_ADDRESS: &str = "flotilla.dev/load-balancer-address";
    /// Time limit of a move between stores.
    pub const MIGRATION_TIMEOUT: &str = "kamaji.clastix.io/migration-timeout";
    /// Whether a move may remove older data from its target.
    pub const CLEANUP_PRIOR_MIGRATION: &str = "kamaji.clastix.io/cleanup-prior-migration";
    /// On a control plane that names no `DataStore`: labels of those that it may be given, such as
    /// `tier=gold,zone in (a,b)`.
    pub const DATA_STORE_SELECTOR: &str = "flotilla.dev/datastore-selector";
    /// On a `DataStore`: how many control planes it takes; a number.
    pub const CAPACITY: &str = "flotilla.dev/capacity";
    /// On the Deployment: checksum of the API server's extra flags.
    pub const API_SERVER_ARGS: &str = "kube-apiserver.kamaji.clastix.io/args";
    /// On the pod template: checksum of the store's settings.
    pub const STORAGE_CONFIG: &str = "storage.kamaji.clastix.io/config";
    /// On the pod template: checksum of the store's certificate.
    pub const STORAGE_CERTIFICATE: &str = "storage.kamaji.clastix.io/certificate";
    /// On the Deployment: when the start gate let the pods start (RFC 3339).
    pub const STARTED_AT: &str = "flotilla.dev/started-at";
    /// On the Deployment: when the start gate let a roll-out of running pods begin (RFC 3339).
    pub const ROLLED_AT: &str = "flotilla.dev/rolled-at";
    /// On the Deployment: fingerprint of the pod template that was asked for.
    pub const TEMPLATE: &str = "flotilla.dev/template";
    /// On the pod template: checksum of what the API server reads of the store's certificate only once.
    pub const STORAGE_AUTHORITY: &str = "flotilla.dev/storage-authority";
    /// On a tenant's Secret for the shared tunnel: the control plane, as `namespace/name`.
    pub const CONTROL_PLANE: &str = "flotilla.dev/control-plane";
    /// On a `Tenant` that is to be deleted with all it has: its name, once more.
    pub const CONFIRM_DELETION: &str = "flotilla.dev/confirm-deletion";
    /// On an imported `Cluster`: tokens of its agent that were made before this time (RFC 3339) are to be replaced.
    pub const ROTATE_AGENT: &str = "flotilla.dev/rotate-agent";
    /// On a control plane that sleeps since its tenant is suspended: its replicas before.
    pub const REPLICAS_BEFORE: &str = "flotilla.dev/replicas-before-suspension";
    /// On a control plane that was put to sleep, by hand or by its schedule: its replicas before.
    pub const REPLICAS_BEFORE_SLEEP: &str = "flotilla.dev/replicas-before-sleep";
    /// On a control plane: what was done last by its schedule of sleep, and for which time of it, such as
    /// `Sleep 2026-11-30T19:00:00Z`. Written together with the replicas, so that no time counts twice.
    pub const SLEEP_SCHEDULE_FOLLOWED: &str = "flotilla.dev/sleep-schedule-followed";
    /// On the pod template: checksum of the names that the API server's certificate serves.
    pub const SERVED_NAMES: &str = "flotilla.dev/served-names";
}

/// Finalizers.
pub mod finalizers {
    /// On a control plane: its data and user in the store are still there.
    pub const DATA_STORE_SETUP: &str = "finalizer.kamaji.clastix.io";
    /// On a control plane: something still acts inside the tenant's cluster.
    pub const TENANT_CONTROLLERS: &str = "finalizer.kamaji.clastix.io/soot";
    /// On the Secret with the store's settings: deletion of the control plane still needs it.
    pub const DATA_STORE_SECRET: &str = "finalizer.kamaji.clastix.io/datastore-secret";
    /// On a `TenantBackup`: its archive may have to be removed.
    pub const ARCHIVE: &str = "flotilla.dev/archive";
    /// On a `TenantRestore`: it may hold a control plane.
    pub const RESTORE: &str = "flotilla.dev/restore";
    /// On a `ClusterTransfer`: it may hold a control plane.
    pub const TRANSFER: &str = "flotilla.dev/transfer";
    /// On a `JoinToken`: its token may stand in the tenant's cluster.
    pub const JOIN_TOKEN: &str = "flotilla.dev/join-token";
    /// On a `Tenant`: its control planes may still be there.
    pub const TENANT: &str = "flotilla.dev/tenant";
    /// On a `DataStore`: control planes may use it.
    pub const DATA_STORE: &str = "kamaji.clastix.io/TenantControlPlane";
}

/// What an object is for its control plane: value of [`labels::COMPONENT`], and mostly the suffix of
/// its name too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "`label` and `object_name` say what each stands for")]
pub enum Component {
    Service,
    Deployment,
    KubeadmConfig,
    Ca,
    FrontProxyCa,
    ServiceAccount,
    ApiServer,
    ApiServerKubeletClient,
    FrontProxyClient,
    AdminKubeconfig,
    ControllerManagerKubeconfig,
    SchedulerKubeconfig,
    DataStoreConfig,
    DataStoreCertificate,
    KonnectivityEgress,
    KonnectivityCertificate,
    KonnectivityKubeconfig,
    TunnelClient,
    TunnelEndpoints,
    Hub,
    Ingress,
    Gateway,
    KonnectivityGateway,
}

impl Component {
    /// Value of the label [`labels::COMPONENT`].
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Deployment => "deployment",
            Self::KubeadmConfig => "kubeadmconfig",
            Self::Ca => "ca",
            Self::FrontProxyCa => "front-proxy-ca-certificate",
            Self::ServiceAccount => "sa-certificate",
            Self::ApiServer => "api-server-certificate",
            Self::ApiServerKubeletClient => "api-server-kubelet-client-certificate",
            Self::FrontProxyClient => "front-proxy-client-certificate",
            Self::AdminKubeconfig => "admin-kubeconfig",
            Self::ControllerManagerKubeconfig => "controller-manager-kubeconfig",
            Self::SchedulerKubeconfig => "scheduler-kubeconfig",
            Self::DataStoreConfig => "datastore-config",
            Self::DataStoreCertificate => "datastore-certificate",
            Self::KonnectivityEgress => "konnectivity-egress-selector-configuration",
            Self::KonnectivityCertificate => "konnectivity-certificate",
            Self::KonnectivityKubeconfig => "konnectivity-kubeconfig",
            Self::TunnelClient => "tunnel-client",
            Self::TunnelEndpoints => "shared-tunnel",
            Self::Hub => "hub",
            Self::Ingress => "ingress",
            Self::Gateway => "gateway_routes",
            Self::KonnectivityGateway => "konnectivity_gateway_routes",
        }
    }

    /// Name of the object that belongs to the control plane `name`.
    #[must_use]
    pub fn object_name(self, name: &str) -> String {
        match self {
            Self::Service | Self::Deployment | Self::Ingress | Self::Gateway => name.to_owned(),
            Self::KonnectivityGateway => format!("{name}-konnectivity"),
            _ => format!("{name}-{}", self.label()),
        }
    }
}
