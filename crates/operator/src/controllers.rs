//! Wires caches, watches and reconciles together.

use std::sync::Arc;

use anyhow::Result;
use api::names::{FIELD_MANAGER, PREDECESSORS};
use api::{DataStore, Tenant, TenantControlPlane};
use base::SystemClock;
use futures::{FutureExt, Stream, StreamExt};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Node, Secret, Service};
use k8s_openapi::api::networking::v1::Ingress;
use kube::runtime::controller::{self, Controller};
use kube::runtime::events::{Recorder, Reporter};
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher;
use kube::{Api, Client};
use kubekit::{Applier, WatchBackoff, cached, trimmed};
use tokio::sync::{Notify, mpsc};
use tokio_stream::wrappers::UnboundedReceiverStream;

use crate::caches::{Caches, ours, trim_node};
use crate::context::Context;
use crate::copies::Copies;
use crate::discovery::GatewayApi;
use crate::hub::{self, Hub};
use crate::joining::{self, Approver};
use crate::metrics::Metrics;
use crate::places::Places;
use crate::routes::{self, Routes};
use crate::secret_watches::{SecretKey, SecretWatches};
use crate::start_gate::StartGate;
use crate::stores::{Connections, DataStoreLookup, referenced};
use crate::tenant::Sessions;
use crate::tunnel::Tunnel;
use crate::{Settings, backups, data_stores, generators, tenancy, tenant, transfers, tunnel};

/// Most control planes that are reconciled at the same time; each waits for the API server mostly.
const CONCURRENCY: u16 = 32;

/// Runs all controllers; ends only when a watch ends, which does not happen in good order.
#[expect(
    clippy::too_many_lines,
    reason = "joins every watch to its reader; the types of the streams have no names"
)]
pub(crate) async fn run(settings: &Settings, client: &Client, metrics: Metrics) -> Result<()> {
    let all = watcher::Config::default;
    let (tenants, tenants_filled, tenant_changes) =
        cached::<TenantControlPlane>(Api::all(client.clone()), all(), trimmed);
    let (owners, owners_filled, owner_changes) = cached::<Tenant>(Api::all(client.clone()), all(), trimmed);
    let (secrets, secrets_filled, secret_changes) =
        cached::<Secret>(Api::all(client.clone()), ours(), trimmed);
    let (services, services_filled, service_changes) =
        cached::<Service>(Api::all(client.clone()), ours(), trimmed);
    let (deployments, deployments_filled, deployment_changes) =
        cached::<Deployment>(Api::all(client.clone()), ours(), trimmed);
    let (config_maps, config_maps_filled, config_map_changes) =
        cached::<ConfigMap>(Api::all(client.clone()), ours(), trimmed);
    let (ingresses, ingresses_filled, ingress_changes) =
        cached::<Ingress>(Api::all(client.clone()), ours(), trimmed);
    let (stored, stored_filled, data_store_changes) =
        cached::<DataStore>(Api::all(client.clone()), all(), trimmed);
    let (nodes, nodes_filled, node_changes) = cached::<Node>(Api::all(client.clone()), all(), trim_node);

    let (gateway_api, looking) = GatewayApi::discover(client).await?;
    let (routes, route_changes) = Routes::begin(gateway_api.clone(), client);

    let (shared_tunnel, tunnel_changes) = Tunnel::begin(settings, client);
    let (hub, hub_changes) = Hub::begin(settings, client);

    let (wake, woken) = mpsc::unbounded_channel();
    let gateway_users = (wake.clone(), tenants.clone());
    let gateway_api_found = gateway_api.served().map(move |()| {
        for user in routes::all_users(&gateway_users.1) {
            // A closed channel means that the controllers stop.
            let _ = gateway_users.0.send(user);
        }
    });
    let caches = Caches {
        tenants: tenants.clone(),
        secrets,
        services,
        deployments,
        config_maps,
        ingresses,
        data_stores: DataStoreLookup::new(stored),
        nodes,
        filled: [
            tenants_filled,
            owners_filled,
            secrets_filled,
            services_filled,
            deployments_filled,
            config_maps_filled,
            ingresses_filled,
            stored_filled,
            nodes_filled,
        ]
        .into(),
    };
    let (tell_of_secrets, changed_secrets) = mpsc::unbounded_channel();
    let (tell_of_tenants, concerned) = mpsc::unbounded_channel();
    let recorder = Recorder::new(client.clone(), reporter(settings));
    let view = tenancy::View::new(owners, tenants.clone());
    let workers = tenancy::Workers::new(client.clone(), view.clone());
    let approver = Approver::new(workers, recorder.clone(), Arc::new(SystemClock), tell_of_tenants.clone());
    metrics.lead();
    metrics.state.show(caches.tenants.clone(), caches.data_stores.clone());
    let context = Arc::new(Context {
        client: client.clone(),
        applier: Applier::new(client.clone(), FIELD_MANAGER).succeeding(&PREDECESSORS),
        gate: StartGate::new(settings.start_slots, wake.clone()),
        caches,
        connections: Connections::default(),
        copies: Copies::default(),
        places: Places::default(),
        secret_watches: SecretWatches::new(client.clone(), tell_of_secrets),
        settings: settings.clone(),
        recorder,
        metrics,
        clock: Box::new(SystemClock),
        sessions: Sessions::new(wake.clone(), approver),
        routes,
        tunnel: shared_tunnel,
        hub,
    });

    // Stores that their last user leaves may go at once; nothing else of a tenant concerns it so soon.
    let (leave, left) = mpsc::unbounded_channel();
    let tunnel_running = tunnel::run(context.clone(), wake.clone());
    let hub_running = hub::run(context.clone(), wake.clone());
    let told_wake = wake.clone();
    let passing_on = pass_on(changed_secrets, leave.clone(), wake, context.clone());
    let default_store = settings.default_store().to_owned();
    // Kubeconfigs of generators hang on every control plane and its Secrets.
    let generators_changed = Arc::new(Notify::new());
    let (tenant_told, secret_told) = (generators_changed.clone(), generators_changed.clone());
    let tenancy_changed = Arc::new(Notify::new());
    let tenancy_told = tenancy_changed.clone();
    let secret_changes = secret_changes.inspect(move |change| {
        if change.as_ref().is_ok_and(generators::concerns) {
            secret_told.notify_one();
        }
        // Of another namespace than its control plane, so that no owner leads back.
        if let Ok(secret) = change
            && let Some((_, namespace, name)) = desired::shared_tunnel::told_of(secret)
        {
            let _ = told_wake.send(ObjectRef::new(name).within(namespace));
        }
    });
    let tenant_changes = tenant_changes.inspect(move |change| {
        tenant_told.notify_one();
        tenancy_told.notify_one();
        if let Ok(tenant) = change {
            // A closed channel means that the controllers stop.
            let _ = tell_of_tenants.send(ObjectRef::from_obj(tenant));
        }
        if let Ok(tenant) = change
            && tenant.metadata.deletion_timestamp.is_some()
        {
            for store in data_stores::used_by(tenant, &default_store) {
                // A closed channel means that the controllers stop.
                let _ = leave.send(ObjectRef::new(store));
            }
        }
    });

    let (users, gateway_tenants) = (context.clone(), tenants.clone());
    let tenant_controller = Controller::for_stream(tenant_changes, tenants)
        .with_config(controller::Config::default().concurrency(CONCURRENCY))
        .owns_stream(secret_changes)
        .owns_stream(service_changes)
        .owns_stream(deployment_changes)
        .owns_stream(config_map_changes)
        .owns_stream(ingress_changes)
        .owns_stream(route_changes.routes)
        .watches_stream(route_changes.gateways, move |gateway| routes::users_of(&gateway_tenants, &gateway))
        .watches_stream(data_store_changes, move |store| {
            tenant::users_of(&users.caches, &store, users.settings.default_store())
        })
        .reconcile_on(UnboundedReceiverStream::new(woken))
        .run(tenant::reconcile, tenant::retry, context.clone());
    let store_controller = Controller::new(Api::<DataStore>::all(client.clone()), all())
        .trigger_backoff(WatchBackoff::default())
        .reconcile_on(UnboundedReceiverStream::new(left))
        .run(data_stores::reconcile, data_stores::retry, context.clone());

    tokio::select! {
        () = drain(tenant_controller) => anyhow::bail!("the watch of TenantControlPlanes ended"),
        () = drain(store_controller) => anyhow::bail!("the watch of DataStores ended"),
        () = backups::run(context.clone()) => anyhow::bail!("the watch of TenantBackups ended"),
        () = transfers::run(context.clone()) => anyhow::bail!("the watch of ClusterTransfers ended"),
        () = joining::run(context.clone(), concerned) => anyhow::bail!("the watch of JoinTokens ended"),
        () = generators::run(context.clone(), generators_changed) => {
            anyhow::bail!("the watch of KubeconfigGenerators ended")
        }
        () = Box::pin(tenancy::run(context.clone(), view, owner_changes, tenancy_changed)) => anyhow::bail!("the watch of Tenants ended"),
        ((), ()) = futures::future::join(looking, gateway_api_found) => anyhow::bail!("the look-out for Gateway API ended"),
        () = tunnel_changes => anyhow::bail!("the watch of the shared tunnel's pods ended"),
        () = hub_changes => anyhow::bail!("the watches of Roles and Projects ended"),
        () = hub_running => anyhow::bail!("the look-out for the hub ended"),
        () = tunnel_running => anyhow::bail!("the look-out for the shared tunnel ended"),
        () = passing_on => anyhow::bail!("the watches of DataStores' Secrets ended"),
        () = drain(node_changes) => anyhow::bail!("the watch of Nodes ended"),
    }
}

/// Has the DataStores that refer to a changed Secret, and the control planes that use them, looked at.
async fn pass_on(
    mut changed: mpsc::UnboundedReceiver<SecretKey>,
    stores: mpsc::UnboundedSender<ObjectRef<DataStore>>,
    tenants: mpsc::UnboundedSender<TenantRef>,
    context: Arc<Context>,
) {
    while let Some(key) = changed.recv().await {
        let all = context.caches.data_stores.all();
        for store in all.iter().filter(|store| referenced(store).contains(&key)) {
            // A closed channel means that the controllers stop.
            let _ = stores.send(ObjectRef::from_obj(store.as_ref()));
            for user in tenant::users_of(&context.caches, store, context.settings.default_store()) {
                let _ = tenants.send(user);
            }
        }
    }
}

/// Polls a stream for its effects; failures were logged where they arose.
async fn drain<T, E: std::fmt::Display>(stream: impl Stream<Item = Result<T, E>>) {
    stream
        .for_each(|item| {
            if let Err(error) = item {
                tracing::debug!(%error, "watch");
            }
            std::future::ready(())
        })
        .await;
}

/// Who the events are from.
pub(crate) fn reporter(settings: &Settings) -> Reporter {
    Reporter { controller: "flotilla-operator".to_owned(), instance: Some(settings.identity.clone()) }
}

/// A reference by which a control plane is reconciled again.
pub(crate) type TenantRef = ObjectRef<TenantControlPlane>;
