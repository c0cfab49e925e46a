//! Answers that are sent while they are read.

use futures::{Stream, StreamExt, TryStreamExt, stream};
use records::RecordsError;

use crate::problem::Problem;

/// The same items, of which the first is read before the answer begins: what cannot be read at all is told.
pub(crate) async fn begun<T>(
    items: impl Stream<Item = Result<T, RecordsError>> + Send + 'static,
) -> Result<impl Stream<Item = Result<T, RecordsError>> + Send + 'static, Problem>
where
    T: Send + 'static,
{
    let mut items = Box::pin(items);
    let first = items.try_next().await?;
    Ok(stream::iter(first.map(Ok)).chain(items))
}
