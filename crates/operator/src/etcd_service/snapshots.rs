//! Snapshots of the managed etcd as files: each is checked by reading it back, the oldest are removed.
//! `etcdutl snapshot restore` reads them.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use base::Clock;
use clap::Args;
use datastore::{Connection, Driver, EtcdMember, Tls};
use pki::{Pair, PrivateKey};
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};

/// Bytes of the digest at the end of a snapshot.
const DIGEST: usize = 32;
/// What a snapshot's name ends in.
const EXTENSION: &str = "db";
/// What the name of an unfinished one ends in.
const PARTIAL: &str = "partial";

/// Where a snapshot is taken from and put.
#[derive(Debug, Clone, Args)]
pub struct SnapshotSettings {
    /// Where etcd's clients reach it, `host:port`
    #[arg(long)]
    pub endpoint: String,
    /// Directory with `ca.crt`, and the administrator's `tls.crt` and `tls.key`
    #[arg(long)]
    pub certificates: PathBuf,
    /// Directory that the snapshots are put into
    #[arg(long)]
    pub directory: PathBuf,
    /// How many snapshots are kept; older ones are removed once a new one is there
    #[arg(long, default_value_t = 28, value_parser = clap::value_parser!(u32).range(1..))]
    pub keep: u32,
}

/// Takes one snapshot, checks it and removes what is too old. Returns its path.
///
/// # Errors
/// If etcd does not answer, the directory takes no more, or what was written is not what was sent.
/// Earlier snapshots are kept then.
pub async fn take(settings: &SnapshotSettings, clock: &dyn Clock) -> Result<PathBuf> {
    let member = EtcdMember::connect(&connection(settings).await?).await?;
    let time = clock.now().strftime("%Y-%m-%dT%H-%M-%SZ");
    let path = settings.directory.join(format!("etcd-{time}.{EXTENSION}"));
    let partial = path.with_extension(PARTIAL);
    let written = async {
        receive(&member, &partial).await?;
        verify(&partial).await?;
        tokio::fs::rename(&partial, &path).await.with_context(|| format!("name {}", path.display()))?;
        // The name is safe only once the directory is.
        File::open(&settings.directory).await?.sync_all().await.context("sync the directory")
    };
    if let Err(error) = written.await {
        // It counts for nothing and takes space that the next one needs.
        let _ = tokio::fs::remove_file(&partial).await;
        return Err(error);
    }
    let keep = usize::try_from(settings.keep).unwrap_or(usize::MAX);
    remove_old(&settings.directory, keep).await?;
    Ok(path)
}

/// Whether a file is a whole snapshot: its last bytes are the digest of all others.
///
/// # Errors
/// If it cannot be read, or is cut off or changed.
pub async fn verify(path: &Path) -> Result<()> {
    let file = File::open(path).await.with_context(|| format!("open {}", path.display()))?;
    let length = file.metadata().await?.len();
    let contents = length.checked_sub(DIGEST as u64).filter(|contents| *contents > 0);
    let mut left =
        contents.with_context(|| format!("{} is cut off: it has {length} bytes", path.display()))?;
    let (mut reader, mut digest) = (BufReader::with_capacity(1 << 20, file), Sha256::new());
    let mut buffer = vec![0; 1 << 20];
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let place = buffer.get_mut(..most).context("no buffer")?;
        reader.read_exact(place).await.with_context(|| format!("read {}", path.display()))?;
        digest.update(&*place);
        left -= most as u64;
    }
    let mut wanted = [0; DIGEST];
    reader.read_exact(&mut wanted).await?;
    ensure!(
        digest.finalize().as_slice() == wanted,
        "{} is damaged or cut off: its digest does not match",
        path.display()
    );
    Ok(())
}

async fn receive(member: &EtcdMember, path: &Path) -> Result<()> {
    let mut file = File::create(path).await.with_context(|| format!("create {}", path.display()))?;
    let mut snapshot = member.snapshot().await?;
    while let Some(part) = snapshot.next().await? {
        file.write_all(&part).await.with_context(|| format!("write {}", path.display()))?;
    }
    file.sync_all().await.with_context(|| format!("write {}", path.display()))
}

/// Removes all but the newest snapshots, and what an interrupted run left. Their names sort by time.
async fn remove_old(directory: &Path, keep: usize) -> Result<()> {
    let mut entries = tokio::fs::read_dir(directory).await.context("list the snapshots")?;
    let (mut snapshots, mut gone) = (Vec::new(), Vec::new());
    while let Some(entry) = entries.next_entry().await? {
        let path = entry.path();
        if !entry.file_name().to_string_lossy().starts_with("etcd-") {
            continue;
        }
        match path.extension().and_then(|extension| extension.to_str()) {
            Some(EXTENSION) => snapshots.push(path),
            Some(PARTIAL) => gone.push(path),
            _ => {}
        }
    }
    snapshots.sort_unstable();
    let surplus = snapshots.len().saturating_sub(keep);
    gone.extend(snapshots.into_iter().take(surplus));
    for path in gone {
        tokio::fs::remove_file(&path).await.with_context(|| format!("remove {}", path.display()))?;
    }
    Ok(())
}

async fn connection(settings: &SnapshotSettings) -> Result<Connection> {
    let read = async |name: &str| {
        let path = settings.certificates.join(name);
        tokio::fs::read_to_string(&path).await.with_context(|| format!("read {}", path.display()))
    };
    Ok(Connection {
        driver: Driver::Etcd,
        endpoints: vec![settings.endpoint.clone()],
        login: None,
        tls: Some(Tls {
            certificate_authority: read("ca.crt").await?,
            certificate_authority_key: None,
            client: Some(Pair {
                certificate: read("tls.crt").await?,
                private_key: PrivateKey::from_pem(read("tls.key").await?),
            }),
        }),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use sha2::{Digest, Sha256};

    fn directory() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn write(path: &Path, contents: &[u8]) {
        let mut bytes = contents.to_vec();
        bytes.extend_from_slice(Sha256::digest(contents).as_slice());
        std::fs::write(path, bytes).unwrap();
    }

    #[tokio::test]
    async fn a_snapshot_that_was_changed_or_cut_off_is_noticed() {
        let directory = directory();
        let path = directory.path().join("etcd-1.db");
        write(&path, &vec![7; 3 << 20]);
        super::verify(&path).await.unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert!(super::verify(&path).await.is_err());
        let mut changed = whole.clone();
        changed[5] ^= 1;
        std::fs::write(&path, &changed).unwrap();
        assert!(super::verify(&path).await.unwrap_err().to_string().contains("damaged"));
        std::fs::write(&path, []).unwrap();
        assert!(super::verify(&path).await.is_err());
    }

    #[tokio::test]
    async fn the_newest_are_kept_and_strangers_are_left_alone() {
        let directory = directory();
        for name in ["etcd-2026-01-01.db", "etcd-2026-01-02.db", "etcd-2026-01-03.db", "notes.db"] {
            std::fs::write(directory.path().join(name), "").unwrap();
        }
        std::fs::write(directory.path().join("etcd-2026-01-04.partial"), "").unwrap();
        super::remove_old(directory.path(), 2).await.unwrap();
        let mut left: Vec<_> = std::fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["etcd-2026-01-02.db", "etcd-2026-01-03.db", "notes.db"]);
    }
}
