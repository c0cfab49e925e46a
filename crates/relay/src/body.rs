//! Bodies: what goes upstream, and what comes back and holds its connection.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use tokio_util::task::AbortOnDropHandle;

use crate::headers::without_control;
use crate::pool::Slot;

/// Any error of a client's body.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// A body on its way upstream. Connections are shared, so all have one type.
pub(crate) struct RequestBody(UnsyncBoxBody<Bytes, BoxError>);

impl RequestBody {
    /// Takes a client's body.
    pub(crate) fn new<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self(body.map_err(Into::into).boxed_unsync())
    }

    /// A body without content.
    pub(crate) fn empty() -> Self {
        Self(Empty::new().map_err(|never| match never {}).boxed_unsync())
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.0).poll_frame(context);
        polled.map(|frame| frame.map(|frame| frame.map(without_control_frames)))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// What must live as long as the answer is read: a place on a shared connection, or a connection that is ours alone.
/// Dropped early, it resets the stream upstream.
#[derive(Default)]
pub(crate) struct Held {
    _slot: Option<Slot>,
    _connection: Option<AbortOnDropHandle<()>>,
}

impl From<Slot> for Held {
    fn from(slot: Slot) -> Self {
        Self { _slot: Some(slot), ..Self::default() }
    }
}

impl From<AbortOnDropHandle<()>> for Held {
    fn from(connection: AbortOnDropHandle<()>) -> Self {
        Self { _connection: Some(connection), ..Self::default() }
    }
}

/// How whoever relays ends a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It breaks, so that what is missing does not look as if it had been all.
    CutOff,
    /// As the other side would end it: whoever watches goes on elsewhere from where they were.
    InOrder,
}

/// What ends a stream when it is ready.
pub(crate) type End = Pin<Box<dyn Future<Output = Ending> + Send>>;

/// Why the body of an answer breaks off.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The connection upstream broke, or the other side ended the stream.
    #[error(transparent)]
    Broken(#[from] hyper::Error),
    /// Whoever relays has ended it.
    #[error("the stream was cut off; ask again to see why")]
    CutOff,
}

/// The body of an answer.
pub struct ResponseBody {
    kind: Kind,
}

enum Kind {
    // The stream is dropped before what it runs on.
    Streaming { incoming: Incoming, held: Option<Held>, end: Option<End> },
    Whole(Full<Bytes>),
}

impl ResponseBody {
    /// A body that is there already.
    #[must_use]
    pub fn whole(bytes: Bytes) -> Self {
        Self { kind: Kind::Whole(Full::new(bytes)) }
    }

    pub(crate) fn streaming(incoming: Incoming, held: Held, end: Option<End>) -> Self {
        Self { kind: Kind::Streaming { incoming, held: Some(held), end } }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Kind::Streaming { end: Some(end), .. } = &mut self.kind
            && let Poll::Ready(ending) = end.as_mut().poll(context)
        {
            // Dropped, it resets the stream upstream.
            self.kind = Kind::Whole(Full::default());
            return Poll::Ready((ending == Ending::CutOff).then_some(Err(BodyError::CutOff)));
        }
        match &mut self.kind {
            Kind::Streaming { incoming, held, end } => {
                let polled = Pin::new(incoming).poll_frame(context);
                if matches!(polled, Poll::Ready(None)) {
                    *held = None;
                    *end = None;
                }
                polled.map(|frame| frame.map(|frame| Ok(without_control_frames(frame?))))
            }
            Kind::Whole(whole) => Pin::new(whole).poll_frame(context).map_err(|never| match never {}),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Streaming { incoming, .. } => incoming.is_end_stream(),
            Kind::Whole(whole) => whole.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Streaming { incoming, .. } => incoming.size_hint(),
            Kind::Whole(whole) => whole.size_hint(),
        }
    }
}

fn without_control_frames(frame: Frame<Bytes>) -> Frame<Bytes> {
    match frame.into_trailers() {
        Ok(trailers) => Frame::trailers(without_control(&trailers)),
        Err(data) => data,
    }
}
