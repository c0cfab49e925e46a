//! Messages and service of the agents' protocol, made from `proto/agent.proto`.
#![expect(
    missing_docs,
    unreachable_pub,
    clippy::pedantic,
    reason = "generated; the .proto file says what stands where"
)]

tonic::include_proto!("_");
