//! Images from the local cluster into a machine.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::{Machine, Site};

/// Streams images from the containerd of the cluster's first node into the machine's.
pub(crate) fn copy(site: &Site, machine: &Machine, references: &[&str]) -> Result<()> {
    let socket = site.layout.containerd_socket(0);
    let mut export = Command::new("ctr")
        .args(["--namespace", "k8s.io", "--address"])
        .arg(&socket)
        .args(["images", "export", "-"])
        .args(references)
        .stdout(Stdio::piped())
        .spawn()
        .context("run ctr images export")?;
    let archive = export.stdout.take().context("no output of ctr")?;
    let target = machine.init()?.context("the machine is off")?.to_string();
    let import = Command::new("nsenter")
        .args(["-t", &target, "-m", "-u", "-i", "-n", "-p", "--"])
        .args(["ctr", "--namespace", "k8s.io", "images", "import", "-"])
        .stdin(archive)
        .output()
        .context("run ctr images import")?;
    let is_exported = export.wait()?.success();
    ensure!(
        is_exported && import.status.success(),
        "copy {references:?}: {}",
        String::from_utf8_lossy(&import.stderr)
    );
    Ok(())
}
