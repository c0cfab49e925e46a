//! A layer: the files of an image as a tar archive that is the same for the same files.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

/// Something in a layer. Paths are relative to the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A directory with its mode.
    Directory(&'static str, u32),
    /// A program, copied from the machine.
    Program { path: String, source: PathBuf },
    /// A symbolic link.
    Link { path: String, target: String },
    /// A small text.
    Text(&'static str, &'static str),
}

impl Entry {
    /// Where it lies.
    pub(crate) fn path(&self) -> &str {
        match self {
            Self::Directory(path, _) | Self::Text(path, _) => path,
            Self::Program { path, .. } | Self::Link { path, .. } => path,
        }
    }
}

/// Digest and size of what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Measured {
    /// `sha256:<hex>`.
    pub(crate) digest: String,
    /// Bytes.
    pub(crate) size: u64,
}

/// A sink that hashes what is written to it.
struct HashingSink {
    hash: Sha256,
    size: u64,
}

impl Write for HashingSink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Writes the layer.
pub(crate) fn write(entries: &[Entry], sink: impl Write) -> std::io::Result<()> {
    let mut builder = Builder::new(sink);
    for entry in entries {
        match entry {
            Entry::Directory(path, mode) => {
                append(&mut builder, header(EntryType::Directory, *mode, 0), path, std::io::empty())?;
            }
            Entry::Program { path, source } => {
                let file = std::fs::File::open(source)?;
                let size = file.metadata()?.len();
                append(&mut builder, header(EntryType::Regular, 0o755, size), path, file.take(size))?;
            }
            Entry::Link { path, target } => {
                builder.append_link(&mut header(EntryType::Symlink, 0o777, 0), path, target)?;
            }
            Entry::Text(path, text) => {
                let size = text.len() as u64;
                append(&mut builder, header(EntryType::Regular, 0o644, size), path, text.as_bytes())?;
            }
        }
    }
    builder.finish()
}

/// Digest and size of the layer, found by writing it to nowhere.
pub(crate) fn measure(entries: &[Entry]) -> std::io::Result<Measured> {
    let mut sink = HashingSink { hash: Sha256::new(), size: 0 };
    write(entries, &mut sink)?;
    Ok(Measured { digest: format!("sha256:{}", hex(&sink.hash.finalize())), size: sink.size })
}

/// Changes whenever the layer may have changed; costs no reading of programs.
pub(crate) fn fingerprint(entries: &[Entry]) -> std::io::Result<String> {
    let mut text = String::new();
    for entry in entries {
        let _ = write!(text, "{entry:?}");
        if let Entry::Program { source, .. } = entry {
            let metadata = std::fs::metadata(source)?;
            let _ = write!(text, " {} {}.{}", metadata.len(), metadata.mtime(), metadata.mtime_nsec());
        }
        text.push('\n');
    }
    Ok(hex(&Sha256::digest(text.as_bytes())))
}

/// The dynamic libraries that a program needs and its loader, at the paths where it looks for them.
pub(crate) fn libraries(ldd: &str) -> Vec<PathBuf> {
    // "  libc.so.6 => /lib/x/libc.so.6 (0x...)" or "  /lib64/ld-linux-x86-64.so.2 (0x...)".
    let path = |line: &str| {
        let place = line.split_once("=> ").map_or(line, |(_, place)| place).trim();
        place.split(' ').next().filter(|word| word.starts_with('/')).map(PathBuf::from)
    };
    ldd.lines().filter_map(path).collect()
}

/// A path of the machine as a path in a layer.
pub(crate) fn relative(path: &Path) -> String {
    path.strip_prefix("/").unwrap_or(path).display().to_string()
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    // Neither owner nor time of the machine: the same files give the same digest everywhere.
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

fn append<W: Write>(
    builder: &mut Builder<W>,
    mut header: Header,
    path: &str,
    data: impl Read,
) -> std::io::Result<()> {
    builder.append_data(&mut header, path, data)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::{Entry, fingerprint, libraries, measure, write};

    fn entries(source: &std::path::Path) -> Vec<Entry> {
        vec![
            Entry::Directory("tmp/", 0o1777),
            Entry::Program { path: "usr/local/bin/a".to_owned(), source: source.to_owned() },
            Entry::Link { path: "usr/local/bin/b".to_owned(), target: "a".to_owned() },
            Entry::Text("etc/passwd", "root:x:0:0::/:\n"),
        ]
    }

    #[test]
    fn a_layer_is_a_tar_archive_that_depends_on_nothing_but_the_files() {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("a");
        std::fs::write(&program, "first").unwrap();
        let first = measure(&entries(&program)).unwrap();
        std::fs::write(directory.path().join("copy"), "first").unwrap();
        assert_eq!(measure(&entries(&directory.path().join("copy"))).unwrap(), first);

        let mut bytes = Vec::new();
        write(&entries(&program), &mut bytes).unwrap();
        assert_eq!(bytes.len() as u64, first.size);
        let mut archive = tar::Archive::new(bytes.as_slice());
        let paths: Vec<String> =
            archive.entries().unwrap().map(|e| e.unwrap().path().unwrap().display().to_string()).collect();
        assert_eq!(paths, ["tmp/", "usr/local/bin/a", "usr/local/bin/b", "etc/passwd"]);
    }

    #[test]
    fn the_fingerprint_changes_with_the_program() {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("a");
        std::fs::write(&program, "first").unwrap();
        let first = fingerprint(&entries(&program)).unwrap();
        std::fs::write(&program, "second").unwrap();
        assert_ne!(fingerprint(&entries(&program)).unwrap(), first);
    }

    #[test]
    fn libraries_and_the_loader_are_found_but_not_the_kernels() {
        let ldd = "\tlinux-vdso.so.1 (0x1)\n\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x2)\n\
                   \t/lib64/ld-linux-x86-64.so.2 (0x3)\n";
        let found: Vec<_> = libraries(ldd).iter().map(|path| path.display().to_string()).collect();
        assert_eq!(found, ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"]);
    }
}
