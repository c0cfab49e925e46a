//! Container images made from the distribution and put into containerd without a registry.

mod archive;
mod catalog;
mod layer;
mod load;
mod system;

pub(crate) use catalog::COREDNS_IMAGE;
pub(crate) use load::load_missing;
pub use load::{image_digest, load_archive};
