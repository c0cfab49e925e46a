//! A hub that is told to stop while people watch through it.

use anyhow::{Context as _, Result, ensure};
use fleet::{Clusters, Hub, Site};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use kube::client::Body;
use launcher::ExitReport;

/// What is streamed of a path.
async fn streamed(hub: &Hub, path: &str) -> Result<Body> {
    let request = http::Request::get(path).body(Body::empty())?;
    let response = hub.client("", None)?.send(request).await?;
    ensure!(response.status().is_success(), "{path}: {}", response.status());
    Ok(response.into_body())
}

/// Reads to the end of a stream.
async fn end(mut body: Body) -> Result<()> {
    while let Some(frame) = body.frame().await {
        frame.context("the stream breaks off")?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_stops_lets_go_whoever_watches_in_good_order() {
    service::install_tls_provider();
    let mut hub = Box::pin(Hub::start(&[])).await.unwrap();
    let (clusters, directory) = (Clusters::start().await.unwrap(), tempfile::tempdir().unwrap());
    let site = Site::new(directory.path(), &hub, &clusters);
    site.import(&hub, clusters.authority(), 1).await.unwrap();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_flotilla-fleet"));
    let _agent = site.start(program, 0, 1).unwrap();
    hub.has_heard(1, Timestamp::UNIX_EPOCH).await.unwrap();

    let inventory = streamed(&hub, "/api/v1/clusters/watch").await.unwrap();
    let pods = streamed(&hub, "/k8s/clusters/edge-0/api/v1/pods?watch=true").await.unwrap();
    let (report, inventory, pods) = tokio::join!(hub.stop(), end(inventory), end(pods));
    inventory.and(pods).unwrap();
    assert!(matches!(report, ExitReport::Code(0)), "{report:?}");
}
