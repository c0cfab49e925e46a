//! Those who send next to nothing, to hold connections.

use std::time::Duration;

use server::Settings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{World, eventually, raw};

#[tokio::test(flavor = "multi_thread")]
async fn who_never_ends_the_head_of_a_request_is_cut_off() {
    let world = World::new().await;
    let mut stream = raw::connect(&world, "http/1.1").await;
    stream.write_all(b"GET /api/v1/session HTTP/1.1\r\nhost: hub\r\nx-slow: ").await.unwrap();
    stream.flush().await.unwrap();
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(Duration::from_mins(2), stream.read_to_end(&mut answer)).await;
    assert!(ended.is_ok(), "the connection is held for ever");
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_at_all_is_cut_off() {
    let world = World::new().await;
    let mut stream = raw::connect(&world, "h2").await;
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(Duration::from_mins(2), stream.read_to_end(&mut answer)).await;
    assert!(ended.is_ok(), "the connection is held for ever");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_limit_are_ended_and_those_that_are_there_are_served() {
    let world = World::tuned("127.0.0.1", |settings| Settings { connections: 2, ..settings }).await;
    let hello = "HEAD /openapi.json HTTP/1.1\r\nhost: hub\r\n\r\n";
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = raw::connect(&world, "http/1.1").await;
        assert_eq!(raw::status(&mut stream, hello.as_bytes()).await, Some(200));
        held.push(stream);
    }
    assert!(raw::try_connect(&world, "http/1.1").await.is_err());
    assert_eq!(raw::status(&mut held[0], hello.as_bytes()).await, Some(200));
    held.pop();
    eventually("there is room again", || async { raw::try_connect(&world, "http/1.1").await.is_ok() }).await;
}
