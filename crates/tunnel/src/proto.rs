//! Messages and service of the agents' protocol, made from `proto/agent.proto`.
#![expect(
    missing_docs,
    unreachable_pub,
    clippy::pedantic,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated; the .proto file says what stands where"
)]

tonic::include_proto!("_");
