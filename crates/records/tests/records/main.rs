//! Records as the hub uses them, on `SQLite` and on a real PostgreSQL.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod audit;
mod devices;
mod durability;
mod guessing;
mod idempotency;
mod keys;
mod links;
mod opening;
mod passkeys;
mod place;
mod sessions;
mod usage;
mod vouchers;
