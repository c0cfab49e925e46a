//! Command lines of the control plane's programs. The values that both a test's control plane and
//! the local cluster's share are here; what differs are the fields.

use std::net::IpAddr;
use std::path::Path;

use ipnet::Ipv4Net;

/// etcd with one member and mutual TLS towards clients.
#[derive(Debug, Clone)]
pub struct EtcdFlags<'a> {
    /// Directory of the certificates.
    pub pki: &'a Path,
    /// Directory of the data.
    pub data: &'a Path,
    /// Address for clients.
    pub address: IpAddr,
    /// Port for clients.
    pub port: u16,
    /// Port for other members; there are none, but etcd wants one. Must stay the same over restarts.
    pub peer_port: u16,
    /// Whether a write waits for the disk. Without, a crash of the machine may lose data.
    pub sync: bool,
}

impl EtcdFlags<'_> {
    /// The arguments.
    #[must_use]
    pub fn args(&self) -> Vec<String> {
        let peer = format!("http://127.0.0.1:{}", self.peer_port);
        let clients = format!("https://{}:{}", self.address, self.port);
        let pki = self.pki.display();
        let mut args = vec![
            "--name=default".to_owned(),
            format!("--data-dir={}", self.data.display()),
            format!("--listen-client-urls={clients}"),
            format!("--advertise-client-urls={clients}"),
            format!("--listen-peer-urls={peer}"),
            format!("--initial-advertise-peer-urls={peer}"),
            format!("--initial-cluster=default={peer}"),
            "--client-cert-auth=true".to_owned(),
            format!("--trusted-ca-file={pki}/etcd-ca.crt"),
            format!("--cert-file={pki}/etcd-server.crt"),
            format!("--key-file={pki}/etcd-server.key"),
            "--quota-backend-bytes=8589934592".to_owned(),
        ];
        if !self.sync {
            args.push("--unsafe-no-fsync=true".to_owned());
        }
        args
    }
}

/// kube-apiserver with Node and RBAC authorisation and the aggregation layer.
#[derive(Debug, Clone)]
pub struct ApiServerFlags<'a> {
    /// Directory of the certificates.
    pub pki: &'a Path,
    /// `https://host:port` of etcd.
    pub etcd: &'a str,
    /// Address it listens at and tells others.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// Range of service addresses.
    pub services: Ipv4Net,
}

impl ApiServerFlags<'_> {
    /// The arguments.
    #[must_use]
    pub fn args(&self) -> Vec<String> {
        let pki = self.pki.display();
        vec![
            format!("--advertise-address={}", self.address),
            format!("--bind-address={}", self.address),
            format!("--secure-port={}", self.port),
            "--allow-privileged=true".to_owned(),
            "--authorization-mode=Node,RBAC".to_owned(),
            format!("--client-ca-file={pki}/ca.crt"),
            "--enable-admission-plugins=NodeRestriction".to_owned(),
            "--enable-bootstrap-token-auth=true".to_owned(),
            format!("--etcd-servers={}", self.etcd),
            format!("--etcd-cafile={pki}/etcd-ca.crt"),
            format!("--etcd-certfile={pki}/apiserver-etcd-client.crt"),
            format!("--etcd-keyfile={pki}/apiserver-etcd-client.key"),
            format!("--kubelet-certificate-authority={pki}/ca.crt"),
            format!("--kubelet-client-certificate={pki}/apiserver-kubelet-client.crt"),
            format!("--kubelet-client-key={pki}/apiserver-kubelet-client.key"),
            "--kubelet-preferred-address-types=InternalIP".to_owned(),
            "--profiling=false".to_owned(),
            format!("--proxy-client-cert-file={pki}/front-proxy-client.crt"),
            format!("--proxy-client-key-file={pki}/front-proxy-client.key"),
            "--requestheader-allowed-names=front-proxy-client".to_owned(),
            format!("--requestheader-client-ca-file={pki}/front-proxy-ca.crt"),
            "--requestheader-extra-headers-prefix=X-Remote-Extra-".to_owned(),
            "--requestheader-group-headers=X-Remote-Group".to_owned(),
            "--requestheader-username-headers=X-Remote-User".to_owned(),
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
            format!("--service-account-key-file={pki}/sa.pub"),
            format!("--service-account-signing-key-file={pki}/sa.key"),
            format!("--service-cluster-ip-range={}", self.services),
            format!("--tls-cert-file={pki}/apiserver.crt"),
            format!("--tls-private-key-file={pki}/apiserver.key"),
        ]
    }
}

/// kube-controller-manager, alone, so without leader election.
#[derive(Debug, Clone)]
pub struct ControllerManagerFlags<'a> {
    /// Directory of the certificates.
    pub pki: &'a Path,
    /// Its kubeconfig.
    pub kubeconfig: &'a Path,
    /// Port of its own HTTPS server, on loopback.
    pub port: u16,
    /// Range of service addresses.
    pub services: Ipv4Net,
    /// Range of pod addresses.
    pub pods: Ipv4Net,
}

impl ControllerManagerFlags<'_> {
    /// The arguments.
    #[must_use]
    pub fn args(&self) -> Vec<String> {
        let pki = self.pki.display();
        let mut args = vec![
            format!("--client-ca-file={pki}/ca.crt"),
            format!("--cluster-cidr={}", self.pods),
            format!("--cluster-signing-cert-file={pki}/ca.crt"),
            format!("--cluster-signing-key-file={pki}/ca.key"),
            "--controllers=*,bootstrapsigner,tokencleaner".to_owned(),
            format!("--requestheader-client-ca-file={pki}/front-proxy-ca.crt"),
            format!("--root-ca-file={pki}/ca.crt"),
            format!("--service-account-private-key-file={pki}/sa.key"),
            format!("--service-cluster-ip-range={}", self.services),
            "--use-service-account-credentials=true".to_owned(),
        ];
        args.extend(client_of_the_api_server(self.kubeconfig, self.port));
        args
    }
}

/// kube-scheduler, alone, so without leader election.
#[derive(Debug, Clone)]
pub struct SchedulerFlags<'a> {
    /// Its kubeconfig.
    pub kubeconfig: &'a Path,
    /// Port of its own HTTPS server, on loopback.
    pub port: u16,
}

impl SchedulerFlags<'_> {
    /// The arguments.
    #[must_use]
    pub fn args(&self) -> Vec<String> {
        client_of_the_api_server(self.kubeconfig, self.port)
    }
}

/// The default limits of requests (20 and 50 a second) would make a herd of pods wait on the client.
fn client_of_the_api_server(kubeconfig: &Path, port: u16) -> Vec<String> {
    let kubeconfig = kubeconfig.display();
    vec![
        format!("--authentication-kubeconfig={kubeconfig}"),
        format!("--authorization-kubeconfig={kubeconfig}"),
        "--bind-address=127.0.0.1".to_owned(),
        "--kube-api-burst=600".to_owned(),
        "--kube-api-qps=300".to_owned(),
        format!("--kubeconfig={kubeconfig}"),
        "--leader-elect=false".to_owned(),
        "--profiling=false".to_owned(),
        format!("--secure-port={port}"),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::{ApiServerFlags, ControllerManagerFlags};

    #[test]
    fn no_flag_is_given_twice() {
        let pki = Path::new("/pki");
        let services = "10.0.0.0/24".parse().unwrap();
        let address = [127, 0, 0, 1].into();
        let api_server =
            ApiServerFlags { pki, etcd: "https://127.0.0.1:2379", address, port: 6443, services }.args();
        let manager =
            ControllerManagerFlags { pki, kubeconfig: pki, port: 10257, services, pods: services }.args();
        for args in [api_server, manager] {
            let names: BTreeSet<_> =
                args.iter().filter_map(|arg| arg.split_once('=')).map(|(name, _)| name).collect();
            assert_eq!(names.len(), args.len(), "{args:?}");
        }
    }
}
