//! The hub: one API over tenants, people, permissions and every cluster. It keeps no credential of a cluster: it signs
//! short-lived identities, and clusters decide by the groups in them.
//!
//! ```text
//!  request ──► facts ──► caller (session, key) ──► policy (index of the caches) ──► audit ──► endpoint
//!                                                                                    └─────► relay ──► cluster
//! ```

mod agents;
mod caches;
mod caller;
mod certificate;
mod cluster_id;
mod connections;
mod console;
mod description;
mod directory;
mod discovery;
mod endpoints;
mod entrances;
mod extract;
mod factors;
mod fairness;
mod fields;
mod first_user;
mod from_template;
mod guessing;
mod hub;
mod idempotency;
mod identities;
mod index;
mod inventory;
mod linking;
mod metering;
mod nodes;
mod opening;
mod passwords;
mod problem;
mod program;
mod providers;
mod proxy;
mod request;
mod return_path;
mod routes;
mod sealing_key;
mod settings;
mod signing_keys;
mod streamed;
mod streams;
mod vouching;

pub use program::{ServerError, run};
pub use routes::description;
pub use settings::Settings;

/// Server-side apply's field manager of what the server writes.
const FIELD_MANAGER: &str = "flotilla-server";
