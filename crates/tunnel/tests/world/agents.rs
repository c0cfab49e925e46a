//! Agents: the real one as a process, and a light one that may say what it likes.

use std::net::SocketAddr;
use std::path::PathBuf;

use hyper_util::rt::TokioIo;
use launcher::{CommandSpec, Distribution, Process, free_ports};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::metadata::{AsciiMetadataKey, MetadataValue};
use tonic::transport::Endpoint;
use tonic::{Request, Status, Streaming};
use tunnel::protocol::{
    AgentServiceClient, CloseResponse, Data, DialResponse, Drain, Packet, PacketType, Payload,
};

use super::{TenantWorld, client};

/// A process of the agent that is released upstream.
pub struct RealAgent {
    pub process: Process,
    pub directory: tempfile::TempDir,
}

impl RealAgent {
    /// Starts one of a tenant, with this token and ALPN.
    pub fn start(address: SocketAddr, tenant: &TenantWorld, token: &str, alpn: &str, more: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let (token, ca) = (file("token", token), file("ca.crt", &tenant.authority.pair().certificate));
        let [admin, health] = free_ports().unwrap();
        let program = Distribution::find(None).unwrap().tool("konnectivity-agent").unwrap();
        let args = [
            format!("--ca-cert={}", ca.display()),
            format!("--service-account-token-path={}", token.display()),
            format!("--proxy-server-host={}", address.ip()),
            format!("--proxy-server-port={}", address.port()),
            format!("--alpn-proto={alpn}"),
            format!("--admin-server-port={admin}"),
            format!("--health-server-port={health}"),
            "--logtostderr=true".to_owned(),
            "--sync-interval=200ms".to_owned(),
            "--sync-interval-cap=500ms".to_owned(),
        ];
        let args = args.into_iter().chain(more.iter().map(|arg| (*arg).to_owned()));
        let spec = CommandSpec::new("konnectivity-agent", program, directory.path().join("log")).args(args);
        Self { process: Process::spawn(&spec).unwrap(), directory }
    }

    /// One of a tenant as it should be.
    pub fn of(address: SocketAddr, tenant: &TenantWorld) -> Self {
        Self::start(address, tenant, &tenant.token(), &tenant.alpn(), &[])
    }

    pub fn log(&self) -> String {
        let path: PathBuf = self.directory.path().join("log");
        std::fs::read_to_string(path).unwrap_or_default()
    }
}

impl Drop for RealAgent {
    fn drop(&mut self) {
        self.process.kill();
    }
}

/// A connection of the light agent.
pub struct LightAgent {
    pub outbound: mpsc::UnboundedSender<Packet>,
    pub inbound: Streaming<Packet>,
    pub server_id: String,
    pub server_count: String,
}

impl LightAgent {
    pub async fn of(address: SocketAddr, tenant: &TenantWorld) -> Self {
        Self::connect(address, tenant, &tenant.alpn(), Some(&tenant.token()), "light").await.unwrap()
    }

    /// Connects with this ALPN and token; the authority of `tenant` is trusted.
    pub async fn connect(
        address: SocketAddr,
        tenant: &TenantWorld,
        alpn: &str,
        token: Option<&str>,
        id: &str,
    ) -> Result<Self, Status> {
        let token = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = token.iter().map(|token| ("authorization", token.as_str())).collect();
        Self::connect_with(address, tenant, alpn, &headers, id).await
    }

    pub async fn connect_with(
        address: SocketAddr,
        tenant: &TenantWorld,
        alpn: &str,
        headers: &[(&'static str, &str)],
        id: &str,
    ) -> Result<Self, Status> {
        let config = client::client_config(&tenant.authority.pair().certificate, None, &[alpn, "h2"]);
        let connector = tower::service_fn(move |_| {
            let config = config.clone();
            async move { client::tls(address, config).await.map(TokioIo::new) }
        });
        let channel = Endpoint::from_static("http://tunnel").connect_with_connector(connector).await;
        let channel = channel.map_err(|error| Status::unavailable(format!("{error:?}")))?;
        let (outbound, packets) = mpsc::unbounded_channel();
        let mut request = Request::new(UnboundedReceiverStream::new(packets));
        let metadata = request.metadata_mut();
        for (key, value) in headers.iter().chain(&[("agentid", id)]) {
            metadata.append(AsciiMetadataKey::from_static(key), MetadataValue::try_from(*value).unwrap());
        }
        let response = AgentServiceClient::new(channel).connect(request).await?;
        let header = |key| response.metadata().get(key).unwrap().to_str().unwrap().to_owned();
        let (server_id, server_count) = (header("serverid"), header("servercount"));
        Ok(Self { outbound, inbound: response.into_inner(), server_id, server_count })
    }

    pub async fn next(&mut self) -> Option<Payload> {
        self.inbound.message().await.ok()??.payload
    }

    /// Waits for a dial and returns its address and number.
    pub async fn dialled(&mut self) -> (String, i64) {
        loop {
            if let Payload::DialRequest(dial) = self.next().await.expect("the tunnel ended the agent") {
                return (dial.address, dial.random);
            }
        }
    }

    pub fn accept(&self, random: i64, connect_id: i64) {
        let response = DialResponse { error: String::new(), connect_id, random };
        self.send(PacketType::DialRsp, Payload::DialResponse(response));
    }

    pub fn refuse(&self, random: i64, error: &str) {
        let response = DialResponse { error: error.to_owned(), connect_id: 0, random };
        self.send(PacketType::DialRsp, Payload::DialResponse(response));
    }

    pub fn data(&self, connect_id: i64, data: &[u8]) {
        let data = Data { connect_id, error: String::new(), data: data.to_vec() };
        self.send(PacketType::Data, Payload::Data(data));
    }

    pub fn close(&self, connect_id: i64) {
        let close = CloseResponse { error: String::new(), connect_id };
        self.send(PacketType::CloseRsp, Payload::CloseResponse(close));
    }

    pub fn drain(&self) {
        self.send(PacketType::Drain, Payload::Drain(Drain {}));
    }

    pub fn send(&self, kind: PacketType, payload: Payload) {
        let _ = self.outbound.send(Packet { r#type: kind.into(), payload: Some(payload) });
    }
}
