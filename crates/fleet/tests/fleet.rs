//! A fleet at a hub that is killed, of which some agents die and some freeze.

use std::path::Path;

use base::{Clock as _, SystemClock};
use fleet::{Clusters, Hub, Site};
use jiff::Timestamp;

const AGENTS: usize = 50;
const LOST: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn all_come_back_to_a_hub_that_was_killed_and_those_that_do_not_are_missed() {
    service::install_tls_provider();
    let mut hub = Box::pin(Hub::start(&[])).await.unwrap();
    let (clusters, directory) = (Clusters::start().await.unwrap(), tempfile::tempdir().unwrap());
    let site = Site::new(directory.path(), &hub, &clusters);
    site.import(&hub, clusters.authority(), AGENTS).await.unwrap();
    let many = AGENTS - 2 * LOST;
    let program = Path::new(env!("CARGO_BIN_EXE_flotilla-fleet"));
    let start = |first, count| site.start(program, first, count).unwrap();
    let (_all, dying, freezing) = (start(0, many), start(many, LOST), start(many + LOST, LOST));
    hub.has_heard(AGENTS, Timestamp::UNIX_EPOCH).await.unwrap();

    hub.kill().await;
    let since = SystemClock.now();
    hub.spawn(&[]).unwrap();
    hub.has_heard(AGENTS, since).await.unwrap();

    dying.kill();
    hub.has_missed(LOST).await.unwrap();
    freezing.freeze();
    hub.has_missed(2 * LOST).await.unwrap();
}
