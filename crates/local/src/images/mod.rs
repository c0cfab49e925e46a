//! Container images made from the distribution and put into containerd without a registry.

mod archive;
mod catalog;
mod layer;
mod load;

pub(crate) use catalog::COREDNS_IMAGE;
pub use load::load_archive;
pub(crate) use load::load_missing;
