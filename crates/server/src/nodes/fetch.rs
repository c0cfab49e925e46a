//! Asks a hosted cluster for its nodes, as a member of the one group that may list them.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use desired::inside::INVENTORY_GROUP;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use relay::{Credentials, Target, relay};
use serde::de::DeserializeOwned;

use super::reading::{MetricsPage, NodePage};
use crate::cluster_id::ClusterId;
use crate::entrances::NoEntrance;
use crate::hub::Hub;
use crate::inventory::Reading;

/// As whom clusters know the hub itself. No user has a colon in their name.
const NAME: &str = "hub:inventory";
/// All of a cluster's answers come within this.
const PATIENCE: Duration = Duration::from_secs(20);
/// Nodes of a page.
const PAGE: usize = 200;
/// Pages that are read; what is behind them is not counted.
const MOST_PAGES: usize = 50;
/// Largest page, bytes. Whoever rules a cluster also says what its nodes look like.
const LARGEST: usize = 16 * 1024 * 1024;

const METRICS: &str = "/apis/metrics.k8s.io/v1beta1/nodes";

/// Why nothing is known of a cluster's nodes.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadingError {
    #[error("no way leads to the cluster")]
    Entrance(#[from] NoEntrance),
    #[error("no identity could be signed")]
    Identity(#[from] authn::KeyError),
    #[error("the identity cannot be sent")]
    Credential(#[from] relay::CredentialError),
    #[error("the path cannot be sent")]
    Path(#[from] relay::Refusal),
    #[error("the cluster answered with {0}")]
    Refused(StatusCode),
    #[error("the answer broke off or is too large: {0}")]
    Broken(Box<dyn std::error::Error + Send + Sync>),
    #[error("the answer cannot be read")]
    Unreadable(#[from] serde_json::Error),
    #[error("the cluster did not answer within {} s", PATIENCE.as_secs())]
    Late,
}

/// What a cluster says of its nodes now.
pub(super) async fn reading(hub: &Hub, cluster: &str) -> Result<Reading, ReadingError> {
    tokio::time::timeout(PATIENCE, Box::pin(read(hub, cluster))).await.unwrap_or(Err(ReadingError::Late))
}

async fn read(hub: &Hub, cluster: &str) -> Result<Reading, ReadingError> {
    let mut reading = Reading { time: hub.now(), ..Reading::default() };
    let mut next = None;
    for _ in 0..MOST_PAGES {
        let after = next.map(|next: String| format!("&continue={next}")).unwrap_or_default();
        let path = format!("/api/v1/nodes?limit={PAGE}{after}");
        next = get::<NodePage>(hub, cluster, &path).await?.add_to(&mut reading);
        if next.is_none() {
            break;
        }
    }
    if reading.nodes.total > 0 {
        reading.usage = match get::<MetricsPage>(hub, cluster, METRICS).await {
            Ok(metrics) => metrics.usage(),
            // Nobody measures there.
            Err(ReadingError::Refused(_)) => None,
            Err(error) => return Err(error),
        };
    }
    Ok(reading)
}

async fn get<T: DeserializeOwned>(hub: &Hub, cluster: &str, path: &str) -> Result<T, ReadingError> {
    let missing = || NoEntrance::Missing(ClusterId::Imported(cluster.to_owned()));
    let upstream = hub.entrances.to(&ClusterId::read(cluster).ok_or_else(missing)?)?;
    let groups = BTreeSet::from([INVENTORY_GROUP.to_owned()]);
    let token = hub.identities.passing(&hub.signing.issuer(), NAME, cluster, groups, hub.now())?;
    let credentials = Credentials::bearer(&token)?;
    let target = Target::read(&Method::GET, path)?;
    let request = Request::new(Empty::<Bytes>::new());
    let response = Box::pin(relay(&target, request, &upstream, &credentials)).await;
    if response.status() != StatusCode::OK {
        return Err(ReadingError::Refused(response.status()));
    }
    let body = Limited::new(response.into_body(), LARGEST).collect().await.map_err(ReadingError::Broken)?;
    Ok(serde_json::from_slice(&body.to_bytes())?)
}
