//! An HTTP proxy that takes CONNECT.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub struct TestProxy {
    pub address: SocketAddr,
    /// Tunnels that were made.
    pub tunnels: Arc<AtomicUsize>,
    _task: JoinSet<()>,
}

impl TestProxy {
    /// With the value of `Proxy-Authorization` that is demanded.
    pub async fn start(authorization: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tunnels, mut task) = (Arc::new(AtomicUsize::new(0)), JoinSet::new());
        let counted = Arc::clone(&tunnels);
        task.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, authorization, Arc::clone(&counted)));
            }
        });
        Self { address, tunnels, _task: task }
    }
}

async fn serve(mut stream: TcpStream, authorization: Option<&str>, tunnels: Arc<AtomicUsize>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let shown = head.lines().find_map(|line| line.strip_prefix("Proxy-Authorization: "));
    let answer = match authorization {
        Some(demanded) if shown != Some(demanded) => "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
        _ => "HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n",
    };
    stream.write_all(answer.as_bytes()).await.unwrap();
    if answer.contains(" 200 ") {
        tunnels.fetch_add(1, Ordering::SeqCst);
        let address = head.strip_prefix("CONNECT ").unwrap().split(' ').next().unwrap();
        let mut hub = TcpStream::connect(address).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut stream, &mut hub).await;
    }
}
