//! The agent's service account token, which Kubernetes writes anew before it ends.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;
use zeroize::Zeroizing;

/// A token that was read is used this long; Kubernetes writes a new one minutes before the old one ends.
const FRESH: Duration = Duration::from_secs(10);

/// A file with a token.
pub(crate) struct TokenFile {
    path: PathBuf,
    last: Mutex<Option<(Arc<Zeroizing<String>>, Instant)>>,
}

impl TokenFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, last: Mutex::new(None) }
    }

    /// The token as it stands in the file, or stood there some seconds ago.
    pub(crate) async fn read(&self) -> io::Result<Arc<Zeroizing<String>>> {
        let mut last = self.last.lock().await;
        if let Some((token, read)) = &*last
            && read.elapsed() < FRESH
        {
            return Ok(Arc::clone(token));
        }
        let text = Zeroizing::new(tokio::fs::read_to_string(&self.path).await?);
        let token = Arc::new(Zeroizing::new(text.trim().to_owned()));
        *last = Some((Arc::clone(&token), Instant::now()));
        Ok(token)
    }
}
