//! OCI archives: several images that share one layer, as one tar file (OCI image layout 1.0).

use std::io::Write;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use super::layer::{self, Entry, Measured, hex};

/// An image without its layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    /// Full reference: registry, repository and tag.
    pub(crate) reference: String,
    /// Program that a container runs unless it names another.
    pub(crate) entrypoint: Option<String>,
    /// Its arguments, or the program if there is no other, unless a container names them.
    pub(crate) command: Option<&'static str>,
    /// User and group, such as `65532:65532`; empty for root.
    pub(crate) user: &'static str,
}

/// What an archive consists of beside the layer's bytes.
#[derive(Debug)]
pub(crate) struct Plan {
    layer: Measured,
    blobs: Vec<Vec<u8>>,
    index: Value,
    /// References and the digests that containerd knows the images by.
    pub(crate) digests: Vec<(String, String)>,
}

/// Plans an archive of `images` over one layer.
pub(crate) fn plan(images: &[Image], layer: Measured) -> Plan {
    let mut blobs = Vec::new();
    let mut manifests = Vec::new();
    let mut digests = Vec::new();
    for image in images {
        let config = text(&config(image, &layer.digest));
        let manifest = text(&manifest(&config, &layer));
        let digest = digest(&manifest);
        manifests.push(json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": digest,
            "size": manifest.len(),
            // The first names the image in containerd, the second in other readers of the layout.
            "annotations": {
                "io.containerd.image.name": image.reference,
                "org.opencontainers.image.ref.name": image.reference,
            },
            "platform": platform(),
        }));
        digests.push((image.reference.clone(), digest));
        blobs.extend([config, manifest]);
    }
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": manifests,
    });
    Plan { layer, blobs, index, digests }
}

/// Writes the archive; `entries` must be those that the layer was measured with.
pub(crate) fn write(plan: &Plan, entries: &[Entry], sink: impl Write) -> std::io::Result<()> {
    let mut builder = Builder::new(sink);
    append(&mut builder, "oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    append(&mut builder, "index.json", &text(&plan.index))?;
    for blob in &plan.blobs {
        append(&mut builder, &blob_path(&digest(blob)), blob)?;
    }
    let mut header = header(plan.layer.size);
    header.set_path(blob_path(&plan.layer.digest))?;
    header.set_cksum();
    // The layer is itself a tar archive of known size, so it is streamed in rather than copied.
    let sink = builder.get_mut();
    sink.write_all(header.as_bytes())?;
    layer::write(entries, &mut *sink)?;
    let padding = plan.layer.size.next_multiple_of(512) - plan.layer.size;
    std::io::copy(&mut std::io::Read::take(std::io::repeat(0), padding), sink)?;
    builder.finish()
}

fn config(image: &Image, layer: &str) -> Value {
    json!({
        "architecture": architecture(),
        "os": "linux",
        "config": {
            "User": image.user,
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "Entrypoint": image.entrypoint.iter().collect::<Vec<_>>(),
            "Cmd": image.command.iter().collect::<Vec<_>>(),
            "WorkingDir": "/",
        },
        "rootfs": { "type": "layers", "diff_ids": [layer] },
    })
}

fn manifest(config: &[u8], layer: &Measured) -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": digest(config),
            "size": config.len(),
        },
        // Not compressed: it goes no further than a socket of this machine.
        "layers": [{
            "mediaType": "application/vnd.oci.image.layer.v1.tar",
            "digest": layer.digest,
            "size": layer.size,
        }],
    })
}

fn platform() -> Value {
    json!({ "architecture": architecture(), "os": "linux" })
}

/// The machine's architecture by its name in Go.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn text(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

fn blob_path(digest: &str) -> String {
    format!("blobs/{}", digest.replace(':', "/"))
}

fn header(size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_size(size);
    header.set_mtime(0);
    header
}

fn append<W: Write>(builder: &mut Builder<W>, path: &str, bytes: &[u8]) -> std::io::Result<()> {
    builder.append_data(&mut header(bytes.len() as u64), path, bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read;

    use sha2::{Digest, Sha256};

    use super::super::layer::{Entry, hex, measure};
    use super::{Image, plan, write};

    fn image(reference: &str) -> Image {
        Image {
            reference: reference.to_owned(),
            entrypoint: Some("/usr/local/bin/a".to_owned()),
            command: None,
            user: "",
        }
    }

    type Files = BTreeMap<String, Vec<u8>>;

    fn archive_of(images: &[Image]) -> (Vec<(String, String)>, Files) {
        let entries = [Entry::Text("etc/a", "text of odd length")];
        let plan = plan(images, measure(&entries).unwrap());
        let mut bytes = Vec::new();
        write(&plan, &entries, &mut bytes).unwrap();
        let mut files = BTreeMap::new();
        for entry in tar::Archive::new(bytes.as_slice()).entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            let path = entry.path().unwrap().display().to_string();
            entry.read_to_end(&mut content).unwrap();
            files.insert(path, content);
        }
        (plan.digests, files)
    }

    #[test]
    fn every_blob_is_named_by_its_digest() {
        let (_, files) = archive_of(&[image("registry/a:1"), image("registry/b:1")]);
        let blobs: Vec<_> =
            files.iter().filter_map(|(p, b)| Some((p.strip_prefix("blobs/sha256/")?, b))).collect();
        // Both images are alike but for their names, so they share all three blobs.
        assert_eq!(blobs.len(), 3);
        for (name, content) in blobs {
            assert_eq!(name, hex(&Sha256::digest(content)));
        }
    }

    #[test]
    fn the_index_names_each_image_and_its_manifest() {
        let (digests, files) = archive_of(&[image("registry/a:1"), image("registry/b:1")]);
        let index: serde_json::Value = serde_json::from_slice(&files["index.json"]).unwrap();
        for (position, (reference, digest)) in digests.iter().enumerate() {
            let manifest = &index["manifests"][position];
            assert_eq!(manifest["annotations"]["io.containerd.image.name"], reference.as_str());
            assert_eq!(manifest["digest"], digest.as_str());
            assert!(files.contains_key(&format!("blobs/{}", digest.replace(':', "/"))));
        }
    }

    #[test]
    fn the_layer_in_the_manifest_is_in_the_archive() {
        let (digests, files) = archive_of(&[image("registry/a:1")]);
        let manifest = &files[&format!("blobs/{}", digests[0].1.replace(':', "/"))];
        let manifest: serde_json::Value = serde_json::from_slice(manifest).unwrap();
        let layer = manifest["layers"][0]["digest"].as_str().unwrap().replace(':', "/");
        let size = manifest["layers"][0]["size"].as_u64().unwrap();
        assert_eq!(files[&format!("blobs/{layer}")].len() as u64, size);
    }
}
