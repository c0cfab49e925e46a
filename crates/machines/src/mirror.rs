//! Serves the programs of a distribution as the project's download site lays them out.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result};
use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower_http::services::ServeDir;

/// A server of `/<version>/bin/linux/<architecture>/<program>` and their checksums; ends when dropped.
#[derive(Debug)]
pub struct Mirror {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Mirror {
    /// Serves the multi-call programs below `versions` (directories named after versions) as kubeadm,
    /// kubelet and kubectl, from `directory`, on an address.
    pub async fn serve(versions: &Path, directory: &Path, address: SocketAddr) -> Result<Self> {
        for entry in fs::read_dir(versions).context("list the versions")?.flatten() {
            let place = directory.join(entry.file_name()).join("bin/linux").join(architecture());
            fs::create_dir_all(&place)?;
            for name in ["kubeadm", "kubelet", "kubectl"] {
                put(&entry.path().join("flotilla-kubernetes"), &place, name)?;
            }
        }
        let listener = TcpListener::bind(address).await.with_context(|| format!("listen on {address}"))?;
        let address = listener.local_addr()?;
        let router = Router::new().fallback_service(ServeDir::new(directory));
        let serving = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, serving })
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Architecture of this machine as Go names it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn put(source: &Path, place: &Path, name: &str) -> Result<()> {
    let link = place.join(name);
    let _ = fs::remove_file(&link);
    std::os::unix::fs::symlink(source, &link).with_context(|| format!("link {}", link.display()))?;
    let sum = crate::commands::run("sha256sum", &[source], "")?.success()?;
    let digest = sum.split_whitespace().next().unwrap_or_default();
    fs::write(place.join(format!("{name}.sha256")), digest).context("write a checksum")
}
