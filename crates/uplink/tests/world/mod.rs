//! A hub on loopback, with TLS and any number of replicas behind one address, and agents that echo.
#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::allow_attributes,
    reason = "a test that cannot go on ends"
)]

pub mod agent;
pub mod hub;
pub mod proxy;

use std::future::Future;
use std::time::Duration;

use base::{Clock, SystemClock};
use pki::{CertificateAuthority, CertificatePlan, ONE_YEAR, Pair};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Longer than anything here takes on a busy machine; only a test that fails waits for it.
pub const PATIENCE: Duration = Duration::from_mins(1);

pub fn authority(name: &str) -> CertificateAuthority {
    CertificateAuthority::generate(name, ONE_YEAR, SystemClock.now()).unwrap()
}

pub fn server_pair(authority: &CertificateAuthority) -> Pair {
    let address = "127.0.0.1".parse().unwrap();
    CertificatePlan::server("hub", vec!["localhost".to_owned()], vec![address])
        .issue(authority, SystemClock.now())
        .unwrap()
}

/// Waits for a condition.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("not within a minute: {what}"));
}

/// Waits for the end of something.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("not within a minute: {what}"))
}

/// Sends something to an agent that echoes, and tells what came back.
pub async fn echo(mut stream: impl AsyncRead + AsyncWrite + Unpin, text: &[u8]) -> std::io::Result<Vec<u8>> {
    stream.write_all(text).await?;
    stream.flush().await?;
    let mut back = vec![0; text.len()];
    stream.read_exact(&mut back).await?;
    Ok(back)
}
