//! Memory for large bodies and answers while they are received and sent. It is bounded and shared
//! out, so that no organization gets all of it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpMessage, HttpRequest};
use timelog_adapters::{Share, Shares};
use timelog_domain::OrganizationId;

use super::code::Code;
use super::problem::Problem;
use crate::connections::{Connection, Stage};

/// Who holds memory: an organization, or all requests without a key together.
pub(crate) type Holder = Option<OrganizationId>;

/// Held memory. Dropping this returns it.
pub(crate) type Held = Share<Holder>;

/// The organization that a request is for, once its key is known.
pub(crate) struct Asking(pub(crate) OrganizationId);

/// All memory for bodies and answers.
pub(crate) struct InFlight(Shares<Holder>);

impl InFlight {
    pub(crate) fn new(bytes: u64) -> Self {
        Self(Shares::new(bytes))
    }

    /// Holds memory for a request.
    pub(crate) fn hold(&self, request: &HttpRequest, bytes: u64) -> Result<Held, Problem> {
        let holder = request.extensions().get::<Asking>().map(|asking| asking.0);
        self.0.take(&holder, bytes).ok_or_else(|| {
            metrics::counter!("timelog_in_flight_refusals_total").increment(1);
            let detail = "Too much is being sent and fetched at the same time. Try again shortly.";
            Problem::new(Code::Unavailable, detail).with_header(header::RETRY_AFTER, "1")
        })
    }
}

/// [Holds](InFlight::hold) memory of the server that handles the request.
pub(crate) fn hold(request: &HttpRequest, bytes: u64) -> Result<Option<Held>, Problem> {
    let in_flight = request.app_data::<Data<InFlight>>();
    in_flight.map(|in_flight| in_flight.hold(request, bytes)).transpose()
}

/// The most bytes that actix gets at a time, because it copies them.
const PIECE: usize = 32 * 1024;

/// The body of an answer while it is sent, in pieces. When it is dropped, the connection waits for
/// the next request.
pub(crate) struct Answering {
    body: BoxBody,
    rest: Bytes,
    /// The memory for it, if it is large.
    _held: Option<Held>,
    connection: Option<Arc<Connection>>,
}

impl Answering {
    /// Only tests have no connection.
    pub(crate) fn new(
        body: BoxBody,
        held: Option<Held>,
        connection: Option<Arc<Connection>>,
    ) -> Self {
        Self { body, rest: Bytes::new(), _held: held, connection }
    }

    /// How much memory a body takes until it is sent, if that is counted.
    pub(crate) fn memory(body: &BoxBody) -> Option<u64> {
        match body.size() {
            BodySize::Sized(length) if length > PIECE as u64 => Some(length),
            _ => None,
        }
    }
}

impl MessageBody for Answering {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.get_mut();
        while this.rest.is_empty() {
            match ready!(Pin::new(&mut this.body).poll_next(cx)) {
                Some(Ok(bytes)) => this.rest = bytes,
                end => return Poll::Ready(end),
            }
        }
        let piece = this.rest.split_to(this.rest.len().min(PIECE));
        Poll::Ready(Some(Ok(piece)))
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        if let Some(connection) = &self.connection {
            connection.enter(Stage::Idle);
        }
    }
}
