//! What the API answers, a file for each noun.

pub(crate) mod access;
pub(crate) mod agents;
pub(crate) mod audit;
pub(crate) mod clusters;
pub(crate) mod data_stores;
pub(crate) mod devices;
pub(crate) mod factors;
pub(crate) mod issuer;
pub(crate) mod keys;
pub(crate) mod links;
pub(crate) mod members;
pub(crate) mod metering;
pub(crate) mod nouns;
pub(crate) mod passkeys;
pub(crate) mod providers;
pub(crate) mod session;
pub(crate) mod sessions;
