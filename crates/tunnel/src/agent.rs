//! One connection of an agent: its dials, its streams and what it sends.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::buffer::{Full, Inlet, Piece, buffer};
use crate::identifiers::Identifiers;
use crate::limits::{Limits, PACKETS};
use crate::metrics::Metrics;
use crate::packets;
use crate::proto::packet::Payload;
use crate::proto::{Data, DialResponse, Packet};

/// A connected agent. Numbers of connections are its own: a packet of one agent reaches no stream of
/// another.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) id: String,
    pub(crate) identifiers: Identifiers,
    pub(crate) is_draining: AtomicBool,
    /// Ended with the connection.
    pub(crate) gone: CancellationToken,
    outbound: mpsc::Sender<Packet>,
    state: Mutex<State>,
    limits: Limits,
    tenant_bytes: Arc<Semaphore>,
    metrics: Metrics,
}

#[derive(Debug, Default)]
struct State {
    dials: HashMap<i64, oneshot::Sender<Result<Stream, String>>>,
    streams: HashMap<i64, Entrance>,
}

/// Where the data of a stream goes in.
#[derive(Debug)]
struct Entrance {
    /// Absent while a piece is being put in.
    inlet: Option<Inlet>,
    abort: CancellationToken,
}

/// A connection that an agent opened, before it is tied to its agent.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) connect_id: i64,
    pub(crate) pieces: mpsc::UnboundedReceiver<Piece>,
    /// Ended when the stream must end at once.
    pub(crate) abort: CancellationToken,
}

impl Agent {
    /// An agent, and the packets that are to be sent to it.
    pub(crate) fn new(
        id: String,
        identifiers: Identifiers,
        tenant_bytes: Arc<Semaphore>,
        limits: Limits,
        metrics: Metrics,
    ) -> (Self, mpsc::Receiver<Packet>) {
        let (outbound, packets) = mpsc::channel(PACKETS);
        let (gone, state, is_draining) = (CancellationToken::new(), Mutex::default(), AtomicBool::new(false));
        (Self { id, identifiers, is_draining, gone, outbound, state, limits, tenant_bytes, metrics }, packets)
    }

    /// Sends a packet and waits while the agent takes none; false if the agent is gone.
    pub(crate) async fn send(&self, packet: Packet) -> bool {
        tokio::select! {
            sent = self.outbound.send(packet) => sent.is_ok(),
            () = self.gone.cancelled() => false,
        }
    }

    /// Sends a packet if there is room. For answers to the agent itself, which must not be able to
    /// hold up its own packets.
    pub(crate) fn try_send(&self, packet: Packet) {
        let _ = self.outbound.try_send(packet);
    }

    /// Whether the agent takes packets at the moment.
    pub(crate) fn has_room(&self) -> bool {
        self.outbound.capacity() > 0
    }

    pub(crate) fn expect(&self, random: i64) -> oneshot::Receiver<Result<Stream, String>> {
        let (answer, receiver) = oneshot::channel();
        self.locked(|state| state.dials.insert(random, answer));
        receiver
    }

    pub(crate) fn forget_dial(&self, random: i64) -> bool {
        self.locked(|state| state.dials.remove(&random)).is_some()
    }

    pub(crate) fn forget_stream(&self, connect_id: i64) -> bool {
        self.locked(|state| state.streams.remove(&connect_id)).is_some()
    }

    /// Does what the agent says.
    pub(crate) async fn handle(&self, packet: Packet) {
        match packet.payload {
            Some(Payload::DialResponse(answer)) => self.opened(answer),
            Some(Payload::Data(data)) => self.data(data).await,
            Some(Payload::CloseResponse(close)) => {
                // Without its inlet the stream ends after what waits for it.
                self.forget_stream(close.connect_id);
            }
            Some(Payload::CloseDial(dial)) => {
                let waiting = self.locked(|state| state.dials.remove(&dial.random));
                if let Some(answer) = waiting {
                    let _ = answer.send(Err("the agent gave up".to_owned()));
                }
            }
            Some(Payload::Drain(_)) => self.is_draining.store(true, Ordering::Release),
            // An agent opens and closes nothing by itself.
            Some(Payload::DialRequest(_) | Payload::CloseRequest(_)) | None => {}
        }
    }

    fn opened(&self, response: DialResponse) {
        let DialResponse { error, connect_id, random } = response;
        let Some(answer) = self.locked(|state| state.dials.remove(&random)) else {
            // The API server did not wait any longer, or the agent made the number up.
            return self.close_unknown(connect_id);
        };
        let outcome = if error.is_empty() { self.admit(connect_id) } else { Err(error) };
        if let Err(Ok(_)) = answer.send(outcome) {
            self.forget_stream(connect_id);
            self.try_send(packets::close(connect_id));
        }
    }

    fn admit(&self, connect_id: i64) -> Result<Stream, String> {
        let (inlet, pieces) =
            buffer(self.limits.stream_bytes, Arc::clone(&self.tenant_bytes), self.limits.stall);
        let abort = self.gone.child_token();
        let entrance = Entrance { inlet: Some(inlet), abort: abort.clone() };
        self.locked(|state| {
            if connect_id == 0 || state.streams.contains_key(&connect_id) {
                return Err("the agent gave a number that no new connection can have".to_owned());
            }
            state.streams.insert(connect_id, entrance);
            Ok(Stream { connect_id, pieces, abort })
        })
    }

    /// Puts data where its stream takes it from. Packets of an agent are handled one after the other, so
    /// that nobody else looks for the inlet meanwhile.
    async fn data(&self, data: Data) {
        let id = data.connect_id;
        let inlet = self.locked(|state| state.streams.get_mut(&id).map(|entrance| entrance.inlet.take()));
        let Some(Some(mut inlet)) = inlet else { return self.close_unknown(id) };
        let outcome = tokio::select! {
            outcome = inlet.push(data.data) => outcome,
            () = self.gone.cancelled() => Err(Full::Closed),
        };
        match outcome {
            Ok(()) => self.locked(|state| {
                if let Some(entrance) = state.streams.get_mut(&id) {
                    entrance.inlet = Some(inlet);
                }
            }),
            Err(Full::Closed) => drop(self.forget_stream(id)),
            Err(Full::Stalled) => self.give_up(id),
        }
    }

    fn give_up(&self, connect_id: i64) {
        if let Some(entrance) = self.locked(|state| state.streams.remove(&connect_id)) {
            self.metrics.stalled();
            tracing::info!(agent = self.id, "a stream ended: its reader held up the agent's other streams");
            entrance.abort.cancel();
        }
    }

    fn close_unknown(&self, connect_id: i64) {
        if connect_id != 0 {
            self.try_send(packets::close(connect_id));
        }
    }

    /// Ends everything that goes through the agent.
    pub(crate) fn end(&self) {
        self.gone.cancel();
        let state = self.locked(std::mem::take);
        drop(state);
    }

    // Held for a look-up, never across a wait.
    fn locked<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
