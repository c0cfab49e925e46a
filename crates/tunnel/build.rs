//! Makes the messages and the service of the agents' protocol.

fn main() -> std::io::Result<()> {
    println!("cargo:rerun-if-changed=proto/agent.proto");
    // Its constructor of clients would bear the name of the one call.
    tonic_prost_build::configure().build_transport(false).compile_protos(&["proto/agent.proto"], &["proto"])
}
