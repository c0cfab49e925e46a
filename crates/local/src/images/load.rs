//! Puts images into the nodes' containerd.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use launcher::Distribution;
use serde::{Deserialize, Serialize};

use super::catalog::{self, Bundle};
use super::{archive, layer};
use crate::host::{files, run};
use crate::requirements::SYSTEM_PATH;
use crate::{Error, Layout, Record, State};

/// What is known of the layers that were made before, by the fingerprint of their files.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
struct Index(BTreeMap<String, Known>);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Known {
    digest: String,
    size: u64,
}

/// Loads the distribution's images into the containerd of `node`, as far as it does not hold them.
/// Returns the references of those that were loaded. `essentials_loaded` is called as soon as the
/// images are there that a node needs for its first pods.
pub(crate) fn load_missing(
    layout: &Layout,
    distribution: &Distribution,
    node: u8,
    essentials_loaded: impl Fn(),
) -> Result<Vec<String>, Error> {
    let mut index = Index::read(layout)?;
    let socket = layout.containerd_socket(node);
    let present = present(&socket)?;
    let mut loaded = Vec::new();
    for (position, bundle) in catalog::bundles(distribution).iter().enumerate() {
        if position == catalog::ESSENTIALS {
            essentials_loaded();
        }
        let plan = archive::plan(&bundle.images, index.measured(bundle)?);
        if plan.digests.iter().all(|(reference, digest)| present.get(reference) == Some(digest)) {
            continue;
        }
        import(&socket, &mut |sink| archive::write(&plan, &bundle.entries, sink))?;
        loaded.extend(plan.digests.into_iter().map(|(reference, _)| reference));
    }
    essentials_loaded();
    index.write(layout)?;
    Ok(loaded)
}

/// The digest of the image that the distribution has under `reference`.
pub fn image_digest(
    layout: &Layout,
    distribution: &Distribution,
    reference: &str,
) -> Result<Option<String>, Error> {
    let mut index = Index::read(layout)?;
    for bundle in catalog::bundles(distribution) {
        if bundle.images.iter().any(|image| image.reference == reference) {
            let plan = archive::plan(&bundle.images, index.measured(&bundle)?);
            return Ok(plan
                .digests
                .into_iter()
                .find(|(known, _)| known == reference)
                .map(|(_, digest)| digest));
        }
    }
    Ok(None)
}

/// Loads an archive (OCI or Docker format, not compressed) into all nodes of a running cluster.
pub fn load_archive(layout: &Layout, file: &Path) -> Result<(), Error> {
    let record =
        Record::read(layout)?.filter(|_| State::read(layout).is_ok_and(|state| state.is_supervised()));
    let record = record.ok_or_else(|| Error::NotRunning { name: layout.name().to_string() })?;
    for node in 0..record.nodes {
        let mut archive = File::open(file).map_err(Error::file("read", file))?;
        import(&layout.containerd_socket(node), &mut |sink| copy(&mut archive, sink))?;
    }
    Ok(())
}

fn copy(source: &mut impl Read, sink: &mut dyn Write) -> std::io::Result<()> {
    std::io::copy(source, sink).map(drop)
}

impl Index {
    fn read(layout: &Layout) -> Result<Self, Error> {
        let text = files::read_if_exists(&layout.image_index())?;
        // It only saves work, so an unreadable one is as good as none.
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    fn write(&self, layout: &Layout) -> Result<(), Error> {
        files::write_json(&layout.image_index(), self)
    }

    /// Digest and size of a bundle's layer. Reading 160 MB takes a good part of a second, so the
    /// result is kept.
    fn measured(&mut self, bundle: &Bundle) -> Result<layer::Measured, Error> {
        let read =
            |source| Error::File { action: "read the programs for", path: reference(bundle).into(), source };
        let fingerprint = layer::fingerprint(&bundle.entries).map_err(read)?;
        if let Some(Known { digest, size }) = self.0.get(&fingerprint).cloned() {
            return Ok(layer::Measured { digest, size });
        }
        let measured = layer::measure(&bundle.entries).map_err(read)?;
        self.0.insert(fingerprint, Known { digest: measured.digest.clone(), size: measured.size });
        Ok(measured)
    }
}

fn reference(bundle: &Bundle) -> &str {
    bundle.images.first().map_or("an image", |image| &image.reference)
}

fn ctr(socket: &Path) -> [String; 4] {
    ["--namespace".into(), "k8s.io".into(), "--address".into(), socket.display().to_string()]
}

/// References and digests of the images that a containerd holds.
fn present(socket: &Path) -> Result<BTreeMap<String, String>, Error> {
    let mut args = ctr(socket).to_vec();
    args.extend(["images".to_owned(), "list".to_owned()]);
    Ok(parse_list(&run("ctr", &args)?))
}

/// Lines `REF TYPE DIGEST …` under a heading.
fn parse_list(text: &str) -> BTreeMap<String, String> {
    let pair = |line: &str| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.nth(1)?.to_owned()))
    };
    text.lines().skip(1).filter_map(pair).collect()
}

/// Streams an archive into `ctr images import`, so that it needs no room on the disk.
fn import(socket: &Path, write: &mut dyn FnMut(&mut dyn Write) -> std::io::Result<()>) -> Result<(), Error> {
    let failed = |output: String| Error::Command { command: "ctr images import".to_owned(), output };
    let mut child = Command::new("ctr")
        .args(ctr(socket))
        .args(["images", "import", "-"])
        .env("PATH", SYSTEM_PATH)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let written = match child.stdin.take() {
        Some(stdin) => {
            let mut sink = BufWriter::with_capacity(1 << 20, stdin);
            write(&mut sink).and_then(|()| sink.flush())
        }
        None => Ok(()),
    };
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    written.map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::parse_list;

    #[test]
    fn references_and_digests_are_read_from_the_list() {
        let text = "REF TYPE DIGEST SIZE PLATFORMS LABELS\n\
                    registry.k8s.io/pause:3.10 application/vnd.oci.image.manifest.v1+json sha256:ab 1.4 MiB linux/amd64 -\n";
        let images = parse_list(text);
        assert_eq!(images.len(), 1);
        assert_eq!(images["registry.k8s.io/pause:3.10"], "sha256:ab");
    }
}
