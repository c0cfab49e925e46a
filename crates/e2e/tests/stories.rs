//! Runs the stories one after the other on one local cluster.

fn main() {}
