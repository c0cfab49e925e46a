//! Many agents before clusters that are played. The agents are the agent's own code, and the hub sees no difference; what
//! they ask of their API server is answered from memory by one server, which tells the clusters apart by tokens.
//!
//! ```text
//!  hub ◄── agent 0 ──┐
//!      ◄── agent 1 ──┼──► Clusters (one server, objects in memory)
//!      ◄── agent … ──┘
//! ```

mod agents;
mod clusters;
mod hub;
mod imports;
mod objects;

pub use agents::{Import, Site, run};
pub use clusters::Clusters;
pub use hub::Hub;
