//! Reads an archive from its beginning to its authenticated end.

use std::collections::VecDeque;

use ::backup::{Download, Entry, Header, Reader};

use super::place::Place;
use super::{Outcome, TaskError};

pub(super) async fn run(place: &Place) -> Result<Outcome, TaskError> {
    read_whole(place).await
}

/// Reads all of an archive; fails unless it is whole and unchanged.
pub(super) async fn read_whole(place: &Place) -> Result<Outcome, TaskError> {
    let mut archive = Archive::open(place).await?;
    while archive.next().await?.is_some() {}
    let facts = archive.header()?.facts.clone();
    Ok(Outcome {
        error: None,
        verified: true,
        objects: archive.reader.totals()?.entries,
        size: archive.size,
        revision: facts.revision,
        key: archive.header()?.key.clone(),
        taken_at: Some(facts.taken_at),
        kubernetes_version: facts.kubernetes_version,
        milliseconds: 0,
    })
}

/// An archive that is read entry by entry. Whether it is whole shows with the last one.
pub(super) struct Archive {
    reader: Reader,
    download: Download,
    entries: VecDeque<Entry>,
    is_read: bool,
    size: u64,
}

impl Archive {
    pub(super) async fn open(place: &Place) -> Result<Self, TaskError> {
        let download = place.target().await?.open(&place.archive).await?;
        let reader = Reader::new(place.key().await?)?;
        Ok(Self { reader, download, entries: VecDeque::new(), is_read: false, size: 0 })
    }

    /// What stands at its beginning, once the first entry or the end was read.
    pub(super) fn header(&self) -> Result<&Header, TaskError> {
        Ok(self.reader.header().ok_or(::backup::Error::Truncated { bytes: self.size })?)
    }

    pub(super) async fn next(&mut self) -> Result<Option<Entry>, TaskError> {
        while self.entries.is_empty() && !self.is_read {
            if let Some(bytes) = self.download.next().await? {
                self.size += bytes.len() as u64;
                self.reader.push(&bytes)?;
            } else {
                self.reader.finish()?;
                self.is_read = true;
            }
            while let Some(entry) = self.reader.next_entry()? {
                self.entries.push_back(entry);
            }
        }
        let next = self.entries.pop_front();
        if next.is_none() {
            self.reader.totals()?;
        }
        Ok(next)
    }
}
