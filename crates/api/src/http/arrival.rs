//! Receiving the body of a request. All of it has to arrive before a deadline. What the handler
//! does not read is read here and discarded, so that the client gets the answer and the connection
//! can be used again or ends.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::HttpMessage;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{self, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::{ConnectionType, StatusCode, header};
use actix_web::web::Bytes;
use futures_util::Stream;
use tokio::time::{Instant, Sleep, sleep};

use super::code::Code;
use super::problem::Problem;
use super::request_id::RequestId;
use crate::connections::{Connection, Stage as Waits};

/// The most bytes of a body that are read and discarded.
const MOST_DISCARDED: usize = 16 * 1024 * 1024;

/// How long a client that has its answer may send nothing before the connection is closed.
const PAUSE: Duration = Duration::from_secs(1);

/// The body of a request. Handlers read it as [`Payload`](actix_web::web::Payload); the rest is
/// read here.
#[derive(Clone)]
pub(crate) struct Arrival(Rc<RefCell<State>>);

struct State {
    payload: dev::Payload,
    timeout: Duration,
    deadline: Pin<Box<Sleep>>,
    stage: Stage,
    connection: Option<Arc<Connection>>,
    /// What the connection waits for once the body is complete.
    after_body: Waits,
}

/// How much of a body has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Arriving,
    /// All of it has arrived, or the connection broke.
    Complete,
    /// The deadline has passed.
    Late,
}

impl Arrival {
    /// Watches the body of a request, if it has one.
    pub(crate) fn watch(request: &mut ServiceRequest, timeout: Duration) -> Option<Self> {
        let payload = request.take_payload();
        let after_body = if request.method().is_safe() { Waits::Reading } else { Waits::Changing };
        let connection = request.conn_data::<Arc<Connection>>().cloned();
        let waits = |stage| connection.iter().for_each(|connection| connection.enter(stage));
        if matches!(payload, dev::Payload::None) {
            waits(after_body);
            return None;
        }
        waits(Waits::Body);
        let deadline = Box::pin(sleep(timeout));
        let state =
            State { payload, timeout, deadline, stage: Stage::Arriving, connection, after_body };
        let arrival = Self(Rc::new(RefCell::new(state)));
        let watched: Pin<Box<dyn Stream<Item = _>>> = Box::pin(arrival.clone());
        request.set_payload(watched.into());
        Some(arrival)
    }

    /// Reads the body to its end, or makes this the last answer of the connection. It reads before
    /// the answer, so that a late body can be answered as a problem; it reads after the answer
    /// where the body is too large. A change that was made is never answered as a problem.
    pub(crate) async fn finish(
        self,
        answer: ServiceResponse<BoxBody>,
        id: &RequestId,
    ) -> ServiceResponse<BoxBody> {
        self.0.borrow_mut().enter_answered();
        if !is_too_large(&answer) {
            self.discard().await;
        }
        let answer = match self.stage() {
            Stage::Complete => return answer,
            Stage::Late if answer.request().method().is_safe() || !answer.status().is_success() => {
                let problem = self.late().response(id);
                answer.into_response(problem)
            }
            Stage::Late | Stage::Arriving => answer,
        };
        let mut answer =
            answer.map_body(|_, body| BoxBody::new(LastBody { body, rest: self, allowance: None }));
        answer.response_mut().head_mut().set_connection_type(ConnectionType::Close);
        answer
    }

    /// Reads the rest and discards it.
    async fn discard(&self) {
        let mut discarded = 0;
        while let Some(Ok(chunk)) = std::future::poll_fn(|cx| self.poll(cx)).await {
            discarded += chunk.len();
            if discarded > MOST_DISCARDED {
                return;
            }
        }
    }

    fn stage(&self) -> Stage {
        self.0.borrow().stage
    }

    fn late(&self) -> Problem {
        let timeout = humantime::format_duration(self.0.borrow().timeout);
        Problem::new(
            Code::RequestTimeout,
            format!("The body did not arrive whole within {timeout}."),
        )
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        self.0.borrow_mut().poll(cx)
    }
}

impl Stream for Arrival {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll(cx)
    }
}

impl State {
    /// From here on the connection waits for the rest of the body, and then for the client to take
    /// the answer.
    fn enter_answered(&mut self) {
        self.after_body = Waits::Answering;
        self.enter(if self.stage == Stage::Complete { self.after_body } else { Waits::Body });
    }

    fn enter(&self, stage: Waits) {
        self.connection.iter().for_each(|connection| connection.enter(stage));
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        if self.stage == Stage::Complete {
            return Poll::Ready(None);
        }
        if self.stage == Stage::Arriving {
            match Pin::new(&mut self.payload).poll_next(cx) {
                Poll::Ready(Some(Ok(chunk))) => return Poll::Ready(Some(Ok(chunk))),
                Poll::Ready(end) => {
                    self.stage = Stage::Complete;
                    self.enter(self.after_body);
                    return Poll::Ready(end);
                }
                Poll::Pending => ready!(self.deadline.as_mut().poll(cx)),
            }
            self.stage = Stage::Late;
        }
        Poll::Ready(Some(Err(PayloadError::Io(std::io::ErrorKind::TimedOut.into()))))
    }
}

/// Whether the headers say that the body is too large to read before the answer.
fn is_too_large(answer: &ServiceResponse<BoxBody>) -> bool {
    let length = declared_length(answer.request().headers());
    length.is_some_and(|length| {
        answer.status() == StatusCode::PAYLOAD_TOO_LARGE || length > MOST_DISCARDED as u64
    })
}

/// The `Content-Length` of a request, if it has one.
pub(crate) fn declared_length(headers: &header::HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The body of the last answer on a connection. After it the rest of the request is read and
/// discarded. If unread bytes were left, the system would reset the connection, and the client
/// might see that instead of the answer.
struct LastBody {
    body: BoxBody,
    /// While this is not dropped, actix does not reuse the connection.
    rest: Arrival,
    allowance: Option<Allowance>,
}

/// What the client may still send.
struct Allowance {
    bytes: usize,
    pause: Pin<Box<Sleep>>,
}

impl MessageBody for LastBody {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let Self { body, rest, allowance } = self.get_mut();
        if allowance.is_none()
            && let Some(chunk) = ready!(Pin::new(body).poll_next(cx))
        {
            return Poll::Ready(Some(chunk));
        }
        let allowance = allowance.get_or_insert_with(|| Allowance {
            bytes: MOST_DISCARDED,
            pause: Box::pin(sleep(PAUSE)),
        });
        loop {
            match rest.poll(cx) {
                Poll::Ready(Some(Ok(chunk))) if chunk.len() <= allowance.bytes => {
                    allowance.bytes -= chunk.len();
                    allowance.pause.as_mut().reset(Instant::now() + PAUSE);
                }
                Poll::Ready(_) => return Poll::Ready(None),
                Poll::Pending => {
                    ready!(allowance.pause.as_mut().poll(cx));
                    return Poll::Ready(None);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::HttpResponse;
    use actix_web::http::Method;
    use actix_web::test::TestRequest;
    use futures_util::StreamExt;
    use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(30);

    /// A request, its [`Arrival`], and a sender that adds as many bytes to its body as it is sent.
    fn request(method: Method) -> (UnboundedSender<usize>, ServiceRequest, Arrival) {
        let (send, mut receive) = unbounded_channel();
        let body = futures_util::stream::poll_fn(move |cx| receive.poll_recv(cx))
            .map(|length| Ok::<_, PayloadError>(Bytes::from(vec![b' '; length])));
        let mut request = TestRequest::default().method(method).to_srv_request();
        let body: Pin<Box<dyn Stream<Item = _>>> = Box::pin(body);
        request.set_payload(body.into());
        let arrival = Arrival::watch(&mut request, TIMEOUT).unwrap();
        (send, request, arrival)
    }

    fn answered(request: ServiceRequest, status: StatusCode) -> ServiceResponse<BoxBody> {
        request.into_response(HttpResponse::new(status).set_body(BoxBody::new("answer")))
    }

    async fn finished(
        arrival: Arrival,
        answer: ServiceResponse<BoxBody>,
    ) -> ServiceResponse<BoxBody> {
        arrival.finish(answer, &RequestId::of(&header::HeaderMap::new())).await
    }

    fn is_last(answer: &ServiceResponse<BoxBody>) -> bool {
        answer.response().head().connection_type() == ConnectionType::Close
    }

    /// Sends single bytes, with pauses, until they are no longer read. Returns how long that took.
    async fn trickle(send: UnboundedSender<usize>, pause: Duration) -> Duration {
        let began = Instant::now();
        for _ in 0..1000 {
            if send.send(1).is_err() {
                return began.elapsed();
            }
            sleep(pause).await;
        }
        panic!("the body is read without end");
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_is_for_the_whole_body_and_not_for_its_next_byte() {
        let (send, mut request, arrival) = request(Method::POST);
        tokio::spawn(trickle(send, Duration::from_secs(1)));
        let began = Instant::now();
        let mut payload = request.take_payload();
        let mut read = 0;
        let error = loop {
            match payload.next().await.unwrap() {
                Ok(chunk) => read += chunk.len(),
                Err(error) => break error,
            }
        };
        assert!(
            matches!(error, PayloadError::Io(error) if error.kind() == std::io::ErrorKind::TimedOut)
        );
        assert_eq!((began.elapsed(), read), (TIMEOUT, 30));
        let answer = finished(arrival, answered(request, StatusCode::BAD_REQUEST)).await;
        assert_eq!((answer.status(), is_last(&answer)), (StatusCode::REQUEST_TIMEOUT, true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_arrives_in_time_does_not_change_the_answer() {
        for status in [StatusCode::OK, StatusCode::UNAUTHORIZED] {
            let (send, request, arrival) = request(Method::POST);
            tokio::spawn(async move {
                sleep(TIMEOUT.checked_sub(Duration::from_millis(1)).unwrap()).await;
                send.send(1).unwrap();
            });
            let answer = finished(arrival, answered(request, status)).await;
            assert_eq!((answer.status(), is_last(&answer)), (status, false));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_that_was_made_is_not_answered_as_a_problem() {
        for (method, status, expected) in [
            (Method::DELETE, StatusCode::NO_CONTENT, StatusCode::NO_CONTENT),
            (Method::DELETE, StatusCode::CONFLICT, StatusCode::REQUEST_TIMEOUT),
            (Method::GET, StatusCode::OK, StatusCode::REQUEST_TIMEOUT),
        ] {
            let (_send, request, arrival) = request(method);
            let answer = finished(arrival, answered(request, status)).await;
            assert_eq!((answer.status(), is_last(&answer)), (expected, true));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_last_answer_reading_ends_at_a_pause_or_at_the_deadline() {
        for (pause, expected) in [
            (Duration::from_millis(900), Duration::from_millis(30_600)),
            (Duration::from_millis(1100), Duration::from_millis(1100)),
        ] {
            let (send, request, arrival) = request(Method::POST);
            // A body that is too large does not delay the answer.
            send.send(MOST_DISCARDED + 1).unwrap();
            let answer = finished(arrival, answered(request, StatusCode::UNAUTHORIZED)).await;
            assert_eq!((answer.status(), is_last(&answer)), (StatusCode::UNAUTHORIZED, true));
            let sending = tokio::spawn(trickle(send, pause));
            let mut body = Box::pin(answer.into_body());
            let mut next = async || std::future::poll_fn(|cx| body.as_mut().poll_next(cx)).await;
            assert_eq!(next().await.unwrap().unwrap(), "answer");
            assert!(next().await.is_none());
            drop(body);
            assert_eq!(sending.await.unwrap(), expected);
        }
    }
}
