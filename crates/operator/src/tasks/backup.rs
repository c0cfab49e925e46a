//! Writes a tenant's contents of one moment to an archive, and reads it back.

use ::backup::{Entry, Facts, Upload, Writer};
use base::{Clock, SystemClock};

use super::{BackupTask, Outcome, TaskError, verify};

/// Bytes that are handed to the target at once.
const PIECE: usize = 256 << 10;

pub(super) async fn run(task: &BackupTask) -> Result<Outcome, TaskError> {
    let (target, key) = (task.place.target().await?, task.place.key().await?);
    let (store, space) = task.store.connect(&task.place.secrets).await?;
    let taken_at = SystemClock.now();
    let mut reader = store.read(&space).await?;
    let facts = Facts {
        namespace: task.namespace.clone(),
        name: task.name.clone(),
        uid: task.uid.clone(),
        kubernetes_version: task.kubernetes_version.clone(),
        driver: task.store.driver.clone(),
        revision: reader.revision(),
        taken_at,
        written_by: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let writer = Writer::new(facts, &key)?;
    let mut upload = target.create(&task.place.archive).await?;
    let written = match Box::pin(write(&mut reader, writer, &mut upload)).await {
        Ok(written) => written,
        Err(error) => {
            upload.abort().await;
            return Err(error);
        }
    };
    let size = upload.finish().await?;
    let found = verify::read_whole(&task.place).await?;
    if found.objects != written {
        return Err(TaskError::Differs { written, found: found.objects });
    }
    Ok(Outcome { size, ..found })
}

async fn write(
    reader: &mut datastore::Reader,
    mut writer: Writer,
    upload: &mut Upload,
) -> Result<u64, TaskError> {
    let mut waiting = Vec::new();
    while let Some(record) = reader.next().await? {
        writer.push(&Entry { key: record.key, value: record.value, ends_in: record.ends_in })?;
        waiting.append(&mut writer.take());
        if waiting.len() >= PIECE {
            upload.write(&waiting).await?;
            waiting.clear();
        }
    }
    let (mut rest, totals) = writer.finish()?;
    waiting.append(&mut rest);
    upload.write(&waiting).await?;
    Ok(totals.entries)
}
