//! Packets as the tunnel sends them.

use crate::proto::packet::Payload;
use crate::proto::{CloseDial, CloseRequest, Data, DialRequest, Packet, PacketType};

pub(crate) fn dial(address: &str, random: i64) -> Packet {
    let request = DialRequest { protocol: "tcp".to_owned(), address: address.to_owned(), random };
    packet(PacketType::DialReq, Payload::DialRequest(request))
}

pub(crate) fn give_up(random: i64) -> Packet {
    packet(PacketType::DialCls, Payload::CloseDial(CloseDial { random }))
}

pub(crate) fn data(connect_id: i64, data: Vec<u8>) -> Packet {
    packet(PacketType::Data, Payload::Data(Data { connect_id, error: String::new(), data }))
}

pub(crate) fn close(connect_id: i64) -> Packet {
    packet(PacketType::CloseReq, Payload::CloseRequest(CloseRequest { connect_id }))
}

fn packet(kind: PacketType, payload: Payload) -> Packet {
    Packet { r#type: kind.into(), payload: Some(payload) }
}
