//! The certificates of a control plane as files, in kubeadm's layout.

use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use pki::{
    CertificateAuthority, CertificatePlan, ClientIdentity, Kubeconfig, Pair, PrivateKey, ServiceAccountPair,
};

use crate::Error;

/// Somebody that a kubeconfig stands for.
#[derive(Debug, Clone, Copy)]
pub struct User<'a> {
    /// User name.
    pub name: &'a str,
    /// Group, if any.
    pub group: Option<&'a str>,
}

/// A directory of keys and certificates. The authorities and the service-account key are made once
/// and kept; what they sign is made anew whenever it is asked for, so that it never runs out.
#[derive(Debug)]
pub struct Credentials {
    directory: PathBuf,
    ca: CertificateAuthority,
    etcd_ca: CertificateAuthority,
    front_proxy_ca: CertificateAuthority,
    now: Timestamp,
}

impl Credentials {
    /// Reads the authorities and the service-account key, and makes the missing ones.
    pub fn open(directory: &Path, now: Timestamp) -> Result<Self, Error> {
        std::fs::create_dir_all(directory).map_err(Error::file("create", directory))?;
        let authority = |stem: &str, name: &str| authority(directory, stem, name, now);
        let credentials = Self {
            ca: authority("ca", "kubernetes")?,
            etcd_ca: authority("etcd-ca", "etcd-ca")?,
            front_proxy_ca: authority("front-proxy-ca", "front-proxy-ca")?,
            directory: directory.to_owned(),
            now,
        };
        if !directory.join("sa.key").exists() {
            let pair = ServiceAccountPair::generate(pki::KeyAlgorithm::Rsa2048)?;
            write_private(&directory.join("sa.pub"), &pair.public_key)?;
            write_private(&directory.join("sa.key"), pair.private_key.expose_pem())?;
        }
        Ok(credentials)
    }

    /// Where the files are.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Certificate of the cluster's authority, PEM.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.ca.pair().certificate
    }

    /// The authority of etcd and its clients.
    #[must_use]
    pub fn etcd_authority(&self) -> &CertificateAuthority {
        &self.etcd_ca
    }

    /// Makes the certificates of etcd and of the API server, which answer to these addresses and to
    /// the names of the `kubernetes` service.
    pub fn issue_servers(&self, addresses: &[IpAddr]) -> Result<(), Error> {
        let names = [
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
            "localhost",
        ];
        let names: Vec<String> = names.map(str::to_owned).into();
        let mut etcd = CertificatePlan::server("etcd", vec!["localhost".to_owned()], addresses.to_vec());
        etcd.client = true;
        let groups: [&str; 0] = [];
        let api_server = CertificatePlan::server("kube-apiserver", names, addresses.to_vec());
        self.issue("etcd-server", &etcd, &self.etcd_ca)?;
        self.issue("apiserver", &api_server, &self.ca)?;
        let client = |name| CertificatePlan::client(name, groups);
        self.issue("apiserver-etcd-client", &client("kube-apiserver-etcd-client"), &self.etcd_ca)?;
        self.issue("apiserver-kubelet-client", &client("kube-apiserver-kubelet-client"), &self.ca)?;
        self.issue("front-proxy-client", &client("front-proxy-client"), &self.front_proxy_ca)
    }

    /// Makes the serving certificate of a kubelet.
    pub fn issue_kubelet_server(&self, node: &str, address: IpAddr) -> Result<(), Error> {
        let mut plan =
            CertificatePlan::server(format!("system:node:{node}"), vec![node.to_owned()], vec![address]);
        plan.organizations = vec!["system:nodes".to_owned()];
        self.issue(&format!("kubelet-{node}"), &plan, &self.ca)
    }

    /// A kubeconfig for a user, with a new client certificate in it.
    pub fn kubeconfig(&self, user: User<'_>, cluster: &str, server: &str) -> Result<String, Error> {
        let pair = CertificatePlan::client(user.name, user.group).issue(&self.ca, self.now)?;
        let kubeconfig = Kubeconfig { cluster, server, certificate_authority: self.authority() };
        Ok(kubeconfig.render(&ClientIdentity { user: user.name, pair: &pair }))
    }

    fn issue(&self, stem: &str, plan: &CertificatePlan, ca: &CertificateAuthority) -> Result<(), Error> {
        write_pair(&self.directory, stem, &plan.issue(ca, self.now)?)
    }
}

fn authority(
    directory: &Path,
    stem: &str,
    name: &str,
    now: Timestamp,
) -> Result<CertificateAuthority, Error> {
    let (certificate, key) = (directory.join(format!("{stem}.crt")), directory.join(format!("{stem}.key")));
    // The key is written first: a certificate without a key is what a crash in between cannot leave.
    if certificate.exists() {
        let read = |path: &Path| std::fs::read_to_string(path).map_err(Error::file("read", path));
        let pair = Pair { certificate: read(&certificate)?, private_key: PrivateKey::from_pem(read(&key)?) };
        return Ok(CertificateAuthority::from_pair(pair)?);
    }
    let made = CertificateAuthority::generate(name, pki::TEN_YEARS, now)?;
    write_pair(directory, stem, made.pair())?;
    Ok(made)
}

fn write_pair(directory: &Path, stem: &str, pair: &Pair) -> Result<(), Error> {
    write_private(&directory.join(format!("{stem}.key")), pair.private_key.expose_pem())?;
    write_private(&directory.join(format!("{stem}.crt")), &pair.certificate)
}

/// Writes a file that only its owner may read, in one step: a reader sees the old text or the new.
pub fn write_private(path: &Path, text: &str) -> Result<(), Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let write = || -> std::io::Result<()> {
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(text.as_bytes())?;
        std::fs::rename(&new, path)
    };
    write().map_err(Error::file("write", path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::{Credentials, User};

    const NOW: jiff::Timestamp = jiff::Timestamp::UNIX_EPOCH;

    #[test]
    fn authorities_and_the_token_key_are_made_once() {
        let directory = tempfile::tempdir().unwrap();
        let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
        let first = Credentials::open(directory.path(), NOW).unwrap();
        let (ca, token_key) = (first.authority().to_owned(), read("sa.key"));
        let second = Credentials::open(directory.path(), NOW).unwrap();
        assert_eq!(second.authority(), ca);
        assert_eq!(read("sa.key"), token_key);
    }

    #[test]
    fn what_the_servers_show_is_signed_for_their_addresses() {
        let directory = tempfile::tempdir().unwrap();
        let credentials = Credentials::open(directory.path(), NOW).unwrap();
        credentials.issue_servers(&["10.200.0.10".parse().unwrap()]).unwrap();
        let certificate = std::fs::read_to_string(directory.path().join("apiserver.crt")).unwrap();
        let read = pki::inspect(&certificate).unwrap();
        assert!(read.is_signed_by(credentials.authority()));
        assert!(read.ip_addresses.contains(&"10.200.0.10".parse().unwrap()));
        assert!(read.dns_names.contains("kubernetes.default.svc"));
    }

    #[test]
    fn keys_are_readable_by_their_owner_only() {
        let directory = tempfile::tempdir().unwrap();
        Credentials::open(directory.path(), NOW).unwrap();
        let mode = std::fs::metadata(directory.path().join("ca.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_kubeconfig_names_its_user_and_server() {
        let directory = tempfile::tempdir().unwrap();
        let credentials = Credentials::open(directory.path(), NOW).unwrap();
        let user = User { name: "admin", group: Some("system:masters") };
        let text = credentials.kubeconfig(user, "local", "https://10.200.0.10:6443").unwrap();
        assert!(text.contains("admin@local") && text.contains("https://10.200.0.10:6443"), "{text}");
    }
}
