//! What a store says about itself.

/// What a store says about itself when its administrator asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// Version of the server.
    pub version: String,
    /// Bytes that it keeps, where it tells.
    pub used: Option<u64>,
    /// Bytes that it takes at most, where it has such a limit and tells.
    pub limit: Option<u64>,
    /// Why writes are refused at present, where it tells: an alarm, read-only mode.
    pub refuses_writes: Option<String>,
}
