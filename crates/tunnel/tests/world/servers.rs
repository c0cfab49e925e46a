//! What stands beside a worker: servers that the tunnel leads to.

use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A server on loopback; dropping it ends it and its connections.
pub struct Server {
    pub address: SocketAddr,
    _task: JoinSet<()>,
}

pub async fn serve<F>(handle: fn(TcpStream) -> F) -> Server
where
    F: Future<Output = ()> + Send + 'static,
{
    serve_at(IpAddr::from([127, 0, 0, 1]), handle).await
}

/// An address of this machine that is not loopback: API servers lead nobody to loopback.
pub fn own_address() -> IpAddr {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    // Nothing is sent; the route alone tells.
    socket.connect("192.0.2.1:9").expect("this machine has an address beside loopback");
    socket.local_addr().unwrap().ip()
}

pub async fn serve_at<F>(address: IpAddr, handle: fn(TcpStream) -> F) -> Server
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind((address, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut task = JoinSet::new();
    task.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            connections.spawn(handle(stream));
        }
    });
    Server { address, _task: task }
}

/// Sends back what comes.
pub async fn echo(stream: TcpStream) {
    let (mut reader, mut writer) = stream.into_split();
    let _ = tokio::io::copy(&mut reader, &mut writer).await;
}

/// Sends without end.
pub async fn flood(mut stream: TcpStream) {
    let block = vec![7; 65536];
    while stream.write_all(&block).await.is_ok() {}
}

/// Reads all that comes and answers with its length.
pub async fn count(mut stream: TcpStream) {
    let mut total = 0_u64;
    let mut block = vec![0; 65536];
    // There is no half-closed connection behind an agent: the end is marked.
    while let Ok(read) = stream.read(&mut block).await {
        total += read as u64;
        if read == 0 || block[read - 1] == b'.' {
            break;
        }
    }
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let _ = stream.write_all(format!("{total}").as_bytes()).await;
}

/// Answers one HTTP request.
pub async fn http(mut stream: TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let path = String::from_utf8_lossy(&head).split(' ').nth(1).unwrap_or_default().to_owned();
    let body = format!("reached {path}");
    let answer =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    let _ = stream.write_all(answer.as_bytes()).await;
}
