//! What may be asked of a tenant's place, and what comes of it, whatever the driver.

/// What a tenant's user may do with the tenant's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everything.
    ReadWrite,
    /// Read only: what the store acknowledged before the change is there, what comes after is refused, also
    /// on connections that were open. SQL databases and the kine in front of them refuse reads as well: kine
    /// takes a creation that was refused for done if it then reads that nothing is there.
    ReadOnly,
}

/// What came of raising a tenant's revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Raised {
    /// The revision is as high as was asked.
    Done {
        /// By how much it was raised.
        by: i64,
    },
    /// It would take more writes than are reasonable; nothing was written.
    TooFar {
        /// How many.
        missing: i64,
    },
}
