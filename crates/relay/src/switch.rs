//! Streams after a switch of protocols: bytes both ways, whatever they mean.

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

use crate::body::{End, Held};

/// Joins both sides once they have switched, until both have ended, one breaks or `end` is ready.
pub(crate) fn switch(client: OnUpgrade, upstream: OnUpgrade, held: Held, end: Option<End>) {
    tokio::spawn(async move {
        match end {
            None => join(client, upstream, held).await,
            Some(end) => tokio::select! {
                () = join(client, upstream, held) => {}
                _ = end => tracing::debug!("switched stream cut off"),
            },
        }
    });
}

/// The end of one direction is passed on while the other goes on. What came together with the handshake comes first.
async fn join(client: OnUpgrade, upstream: OnUpgrade, held: Held) {
    // The connection upstream is driven until it hands over its stream. If the client is gone before, it ends here.
    let (client, upstream) = match tokio::try_join!(client, upstream) {
        Ok(sides) => sides,
        Err(error) => return tracing::debug!(%error, "protocols not switched"),
    };
    drop(held);
    let (mut client, mut upstream) = (TokioIo::new(client), TokioIo::new(upstream));
    match tokio::io::copy_bidirectional(&mut client, &mut upstream).await {
        Ok((sent, received)) => tracing::debug!(sent, received, "switched stream ended"),
        Err(error) => tracing::debug!(%error, "switched stream broke"),
    }
}
