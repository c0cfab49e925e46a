//! An agent that reports once and echoes what comes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::task::JoinSet;
use uplink::{Credentials, Hub, Incoming, Link, Report, Reporter, Session, Status, keep};
use zeroize::Zeroizing;

/// A running agent; dropping it ends it.
pub struct EchoAgent {
    /// Live connections by replica, the last one of each.
    pub links: Arc<Mutex<HashMap<String, Session>>>,
    _task: JoinSet<()>,
}

impl EchoAgent {
    pub fn start(hub: Hub, cluster: &str) -> Self {
        let token = Zeroizing::new(format!("agent-{cluster}"));
        let credentials = Credentials::new(token, format!("run-of-{cluster}"));
        let links = Arc::new(Mutex::new(HashMap::new()));
        let (seen, mut task) = (Arc::clone(&links), JoinSet::new());
        task.spawn(async move {
            let on_link = |link: Link| {
                let reports = link.session.clone();
                seen.lock().unwrap().insert(link.replica, link.session);
                tokio::spawn(serve(reports, link.incoming));
            };
            Box::pin(keep(&hub, &credentials, on_link)).await;
        });
        Self { links, _task: task }
    }

    pub fn live(&self) -> usize {
        self.links.lock().unwrap().values().filter(|session| !session.is_ended()).count()
    }
}

pub fn status() -> Report {
    Report::Status(Box::new(Status { kubernetes_version: Some("v1.36.3".to_owned()), ..Status::default() }))
}

/// Reports, then echoes each stream to its end.
pub async fn serve(session: Session, mut incoming: Incoming) {
    let Ok(stream) = session.open().await else { return };
    let mut reporter = Reporter::new(stream);
    let _ = reporter.send(&status()).await;
    while let Some(stream) = incoming.next().await {
        tokio::spawn(async move {
            let (mut read, mut write) = tokio::io::split(stream);
            let _ = tokio::io::copy(&mut read, &mut write).await;
            let _ = tokio::io::AsyncWriteExt::shutdown(&mut write).await;
        });
    }
    drop(reporter);
}
