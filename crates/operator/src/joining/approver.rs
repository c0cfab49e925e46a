//! Decides the requests of nodes for certificates. A use of a token is written down before it is granted.

use std::sync::Arc;
use std::time::Duration;

use api::names::Component;
use api::{JoinToken, TenantControlPlane};
use base::Clock;
use desired::joining::{
    Asked, JoinCase, ServingCase, Verdict, counted, is_counted, judge_join, judge_serving, outcome,
    requested_node,
};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use k8s_openapi::api::core::v1::{Node, Secret};
use kube::api::ListParams;
use kube::runtime::events::Recorder;
use kube::{Api, Client, ResourceExt};
use kubekit::{Remote, StatusError, replace_status};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::MutexGuard;
use tokio::sync::mpsc::UnboundedSender;

use super::{Error, failed, leftovers};
use crate::controllers::TenantRef;
use crate::events::{Notice, publish_by};
use crate::tenancy::Workers;

/// Requests for certificates.
pub(crate) const REQUESTS: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
const NODES: &str = "/api/v1/nodes";
/// How often a use is counted anew because its token changed meanwhile.
const TRIES: usize = 5;
/// Longest time that one request may take.
pub(crate) const DECIDE_WITHIN: Duration = Duration::from_secs(30);

/// Decides the requests of all tenants' nodes.
#[derive(Clone)]
pub(crate) struct Approver {
    workers: Arc<Workers>,
    recorder: Recorder,
    clock: Arc<dyn Clock>,
    reached: UnboundedSender<TenantRef>,
}

/// Nodes of a tenant as they were listed for the requests that are decided together.
#[derive(Debug, Default)]
pub(crate) struct Round {
    nodes: Option<Vec<Node>>,
}

impl Approver {
    /// Lets in as many workers as there is room for, and tells `reached` of tenants that tokens can be brought to.
    pub(crate) fn new(
        workers: Workers,
        recorder: Recorder,
        clock: Arc<dyn Clock>,
        reached: UnboundedSender<TenantRef>,
    ) -> Self {
        Self { workers: Arc::new(workers), recorder, clock, reached }
    }

    fn management(&self) -> &Client {
        self.workers.management()
    }

    /// Counts the nodes of a tenant whose workers are limited.
    pub(crate) async fn count_nodes(&self, tenant: &TenantRef, remote: &Remote) -> Result<(), Error> {
        let key = key(tenant);
        let told = if self.workers.is_limited(&key.0) {
            let nodes: Api<Node> = Api::all(remote.client().clone());
            let listed = nodes.list_metadata(&ListParams::default()).await;
            let nodes = listed.map_err(failed("list the nodes of a tenant"))?;
            self.workers.counted(key, nodes.iter().map(ResourceExt::name_any).collect()).await
        } else {
            self.workers.forget(&key).await
        };
        told.map_err(failed("say how many workers a control plane has"))
    }

    /// A tenant can be reached, and all that joining needs stands there.
    pub(crate) async fn begin(&self, tenant: &TenantRef, remote: &Remote) {
        // A closed channel means that the controllers stop.
        let _ = self.reached.send(tenant.clone());
        if let Err(error) = leftovers::remove(self.management(), tenant, remote).await {
            tracing::debug!(
                tenant = tenant.name,
                error = &error as &dyn std::error::Error,
                "leftover tokens"
            );
        }
    }

    /// Decides a request. Tells whether that is done; else it is to be looked at again soon.
    pub(crate) async fn decide(
        &self,
        tenant: &TenantRef,
        remote: &Remote,
        csr: &CertificateSigningRequest,
        asked: &Asked,
        round: &mut Round,
    ) -> Result<bool, Error> {
        match asked {
            Asked::Join { token_id } => Box::pin(self.join(tenant, remote, csr, token_id)).await,
            Asked::Serving { node } => Box::pin(self.serving(tenant, remote, csr, node, round)).await,
        }
    }

    async fn join(
        &self,
        tenant: &TenantRef,
        remote: &Remote,
        csr: &CertificateSigningRequest,
        token_id: &str,
    ) -> Result<bool, Error> {
        let node = match requested_node(csr) {
            Ok(name) => remote.get(NODES, &name).await?.map(read::<Node>).transpose()?,
            Err(_) => None,
        };
        let mut tries = 0;
        loop {
            let token = self.token(tenant, token_id).await?;
            let case = JoinCase { csr, token: token.as_ref(), node: node.as_ref(), now: self.clock.now() };
            let (name, verdict) = judge_join(case);
            let (verdict, turn) =
                Box::pin(self.within_quota(tenant, remote, name.as_deref(), verdict)).await?;
            if let (Verdict::Approve { .. }, Some(token)) = (&verdict, &token) {
                match self.count(token, name.as_deref().unwrap_or_default(), csr).await {
                    // Somebody else wrote it: the last use may be gone.
                    Err(StatusError::Stale { .. }) if tries < TRIES => {
                        tries += 1;
                        continue;
                    }
                    other => other?,
                }
            }
            drop(turn);
            let is_done = self.answer(remote, csr, &verdict).await?;
            let name = name.unwrap_or_else(|| "without a name".to_owned());
            if let Some(token) = &token {
                self.tell(token, &name, "Join", &verdict).await;
            }
            Box::pin(self.tell_control_plane(tenant, &name, "Join", &verdict)).await;
            return Ok(is_done);
        }
    }

    /// The verdict, unless a quota leaves no room; the guard is held until the use is written down.
    async fn within_quota(
        &self,
        tenant: &TenantRef,
        remote: &Remote,
        node: Option<&str>,
        verdict: Verdict,
    ) -> Result<(Verdict, Option<MutexGuard<'_, ()>>), Error> {
        let key = key(tenant);
        let (Verdict::Approve { .. }, Some(node), true) = (&verdict, node, self.workers.is_limited(&key.0))
        else {
            return Ok((verdict, None));
        };
        // Before the turn: no tenant waits for another's API server.
        self.count_nodes(tenant, remote).await?;
        let turn = self.workers.turn().await;
        let refusal = self.workers.refusal(&key, node, self.clock.now()).await;
        match refusal.map_err(failed("look whether there is room for a worker"))? {
            Some(message) => Ok((Verdict::no_room(message), None)),
            None => Ok((verdict, Some(turn))),
        }
    }

    async fn serving(
        &self,
        tenant: &TenantRef,
        remote: &Remote,
        csr: &CertificateSigningRequest,
        requester: &str,
        round: &mut Round,
    ) -> Result<bool, Error> {
        let nodes = match round.nodes.take() {
            Some(nodes) => nodes,
            None => remote.list(NODES, "").await?.into_iter().map(read).collect::<Result<_, _>>()?,
        };
        let nodes = round.nodes.insert(nodes);
        let api_server = self.api_server(tenant).await?;
        let now = self.clock.now();
        let verdict = judge_serving(ServingCase { csr, requester, nodes, api_server: &api_server, now });
        let is_done = self.answer(remote, csr, &verdict).await?;
        Box::pin(self.tell_control_plane(tenant, requester, "Serve", &verdict)).await;
        Ok(is_done)
    }

    /// The `JoinToken` of the control plane with this public part; the API server is asked, since the use of
    /// a token must be counted from its newest state.
    async fn token(&self, tenant: &TenantRef, token_id: &str) -> Result<Option<JoinToken>, Error> {
        let namespace = tenant.namespace.clone().unwrap_or_default();
        let tokens: Api<JoinToken> = Api::namespaced(self.management().clone(), &namespace);
        let found = tokens.list(&ListParams::default()).await.map_err(failed("list JoinTokens"))?;
        let is_it = |token: &JoinToken| {
            let known = token.status.as_ref().and_then(|status| status.token_id.as_deref());
            token.spec.tenant_control_plane == tenant.name && known == Some(token_id)
        };
        Ok(found.items.into_iter().find(is_it))
    }

    /// Writes a use down, unless it was.
    async fn count(
        &self,
        token: &JoinToken,
        node: &str,
        csr: &CertificateSigningRequest,
    ) -> Result<(), StatusError> {
        let uid = csr.uid().unwrap_or_default();
        if is_counted(token.status.as_ref(), &uid) {
            return Ok(());
        }
        let status = token.status.clone().unwrap_or_default();
        let status = counted(&status, node, &csr.name_any(), &uid, self.clock.now());
        let changed = JoinToken { status: Some(status), ..token.clone() };
        replace_status(self.management(), &changed).await.map(|_| ())
    }

    /// Names and addresses of the tenant's API server.
    async fn api_server(&self, tenant: &TenantRef) -> Result<pki::Inspection, Error> {
        let namespace = tenant.namespace.clone().unwrap_or_default();
        let secrets: Api<Secret> = Api::namespaced(self.management().clone(), &namespace);
        let name = Component::ApiServer.object_name(&tenant.name);
        let secret = secrets.get_opt(&name).await.map_err(failed("read the API server's certificate"))?;
        let text = secret.and_then(|secret| secret.data?.remove("apiserver.crt"));
        let text = text.and_then(|text| String::from_utf8(text.0).ok()).ok_or(Error::Certificate)?;
        pki::inspect(&text).map_err(|_| Error::Certificate)
    }

    async fn answer(
        &self,
        remote: &Remote,
        csr: &CertificateSigningRequest,
        verdict: &Verdict,
    ) -> Result<bool, Error> {
        let Some(body) = outcome(csr, verdict, self.clock.now()) else { return Ok(false) };
        match remote.merge(REQUESTS, &csr.name_any(), Some("approval"), &body).await {
            // Decided or deleted by somebody else; a change of it comes by the watch.
            Err(error) if error.is_conflict() || error.is_not_found() => Ok(true),
            other => other.map(|_| true).map_err(Into::into),
        }
    }

    async fn tell_control_plane(&self, tenant: &TenantRef, node: &str, action: &str, verdict: &Verdict) {
        if matches!(verdict, Verdict::Wait) {
            return;
        }
        let namespace = tenant.namespace.clone().unwrap_or_default();
        let tenants: Api<TenantControlPlane> = Api::namespaced(self.management().clone(), &namespace);
        match tenants.get(&tenant.name).await {
            Ok(found) => self.tell(&found, node, action, verdict).await,
            Err(error) => tracing::debug!(%error, "an event was not published"),
        }
    }

    async fn tell<K>(&self, about: &K, node: &str, action: &str, verdict: &Verdict)
    where
        K: kube::Resource<DynamicType = ()>,
    {
        let (is_trouble, reason, text) = match verdict {
            Verdict::Approve { message } => (false, "NodeApproved", message.clone()),
            Verdict::Deny { reason, message } => {
                (true, *reason, format!("node `{node}` was refused: {message}"))
            }
            Verdict::Wait => return,
        };
        publish_by(&self.recorder, about, Notice { is_trouble, reason, action, note: text }).await;
    }
}

fn key(tenant: &TenantRef) -> (String, String) {
    (tenant.namespace.clone().unwrap_or_default(), tenant.name.clone())
}

fn read<T: DeserializeOwned>(object: Value) -> Result<T, Error> {
    serde_json::from_value(object).map_err(Error::Read)
}
