//! The one task of a replica that appends: what waits when it is free is committed together.

use sqlx::Transaction;
use sqlx::any::Any;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::APPEND;
use super::entry::{AuditEntry, COLUMNS, bind};
use crate::RecordsError;
use crate::statement::Statement;
use crate::store::Store;

/// Entries of the largest commit.
const LARGEST: usize = 512;
/// Entries of one statement; with 20 values each well below what `SQLite` (32766) and PostgreSQL (65535) take.
const IN_A_STATEMENT: usize = 64;

/// An entry, and who waits for it.
pub(super) struct Job {
    pub(super) id: Uuid,
    pub(super) entry: AuditEntry,
    pub(super) answer: oneshot::Sender<Result<(), RecordsError>>,
}

/// Appends until nobody can send any more. What fails is told to those who wait, and the next is tried.
pub(super) async fn run(store: Store, mut jobs: mpsc::Receiver<Job>) {
    let mut batch = Vec::with_capacity(LARGEST);
    while jobs.recv_many(&mut batch, LARGEST).await > 0 {
        let outcome = store.run(APPEND, append(&store, &batch)).await;
        if let Err(error) = &outcome {
            tracing::error!(%error, entries = batch.len(), "the audit log was not written");
        }
        for job in batch.drain(..) {
            // Who no longer waits has no use for the answer.
            let _ = job.answer.send(outcome.clone());
        }
    }
}

async fn append(store: &Store, batch: &[Job]) -> sqlx::Result<()> {
    let mut transaction = store.begin().await?;
    for jobs in batch.chunks(IN_A_STATEMENT) {
        insert(&mut transaction, jobs).await?;
    }
    transaction.commit().await
}

async fn insert(transaction: &mut Transaction<'static, Any>, jobs: &[Job]) -> sqlx::Result<()> {
    let mut statement = Statement::new("INSERT INTO audit (");
    statement.push(COLUMNS).push(") VALUES ");
    for (place, job) in jobs.iter().enumerate() {
        statement.push(if place == 0 { "" } else { ", " });
        bind(&mut statement, job.id, &job.entry)?;
    }
    // The two sizes that come again and again.
    let kept = [1, IN_A_STATEMENT].contains(&jobs.len());
    statement.execute(&mut **transaction, kept).await.map(drop)
}
