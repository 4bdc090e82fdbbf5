//! The body of a request as it arrives. It has to be whole by a deadline, and whatever of it nobody
//! wanted is read away, so that its sender gets to see the answer and the connection can be used
//! again or ends.

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

/// The most bytes of a body that are read for nothing.
const MOST_DISCARDED: usize = 16 * 1024 * 1024;

/// How long a sender may pause once it has its answer, until it is taken to have stopped.
const PAUSE: Duration = Duration::from_secs(1);

/// A body that arrives. Handlers read it as [`Payload`](actix_web::web::Payload), and what they
/// leave is read here.
#[derive(Clone)]
pub(crate) struct Arrival(Rc<RefCell<Arriving>>);

struct Arriving {
    payload: dev::Payload,
    timeout: Duration,
    deadline: Pin<Box<Sleep>>,
    stage: Stage,
    connection: Option<Arc<Connection>>,
    /// What the connection waits for once the body is whole.
    then: Waits,
}

/// How far a body has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Coming,
    /// All of it is here, or its connection broke.
    Over,
    /// The deadline has passed.
    Late,
}

impl Arrival {
    /// Watches the body of a request, if it has one.
    pub(crate) fn watch(request: &mut ServiceRequest, timeout: Duration) -> Option<Self> {
        let payload = request.take_payload();
        let then = if request.method().is_safe() { Waits::Reading } else { Waits::Changing };
        let connection = request.conn_data::<Arc<Connection>>().cloned();
        let waits = |stage| connection.iter().for_each(|connection| connection.enter(stage));
        if matches!(payload, dev::Payload::None) {
            waits(then);
            return None;
        }
        waits(Waits::Body);
        let deadline = Box::pin(sleep(timeout));
        let arriving =
            Arriving { payload, timeout, deadline, stage: Stage::Coming, connection, then };
        let arrival = Self(Rc::new(RefCell::new(arriving)));
        let watched: Pin<Box<dyn Stream<Item = _>>> = Box::pin(arrival.clone());
        request.set_payload(watched.into());
        Some(arrival)
    }

    /// Sees to it that the body is read to its end, or that the connection ends: before the answer,
    /// so that one that comes too late can be told, or after it where there is no sense in waiting.
    /// Nothing that was done is denied.
    pub(crate) async fn settle(
        self,
        answer: ServiceResponse<BoxBody>,
        id: &RequestId,
    ) -> ServiceResponse<BoxBody> {
        self.0.borrow_mut().is_answered();
        if !is_hopeless(&answer) {
            self.discard().await;
        }
        let answer = match self.stage() {
            Stage::Over => return answer,
            Stage::Late if answer.request().method().is_safe() || !answer.status().is_success() => {
                let problem = self.late().response(id);
                answer.into_response(problem)
            }
            Stage::Late | Stage::Coming => answer,
        };
        let mut answer =
            answer.map_body(|_, body| BoxBody::new(Parting { body, rest: self, left: None }));
        answer.response_mut().head_mut().set_connection_type(ConnectionType::Close);
        answer
    }

    /// Reads the rest and forgets it.
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

impl Arriving {
    /// Notes that only the rest of the body is waited for, and then that the answer is taken.
    fn is_answered(&mut self) {
        self.then = Waits::Answering;
        self.enter(if self.stage == Stage::Over { self.then } else { Waits::Body });
    }

    fn enter(&self, stage: Waits) {
        self.connection.iter().for_each(|connection| connection.enter(stage));
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        if self.stage == Stage::Over {
            return Poll::Ready(None);
        }
        if self.stage == Stage::Coming {
            match Pin::new(&mut self.payload).poll_next(cx) {
                Poll::Ready(Some(Ok(chunk))) => return Poll::Ready(Some(Ok(chunk))),
                Poll::Ready(end) => {
                    self.stage = Stage::Over;
                    self.enter(self.then);
                    return Poll::Ready(end);
                }
                Poll::Pending => ready!(self.deadline.as_mut().poll(cx)),
            }
            self.stage = Stage::Late;
        }
        Poll::Ready(Some(Err(PayloadError::Io(std::io::ErrorKind::TimedOut.into()))))
    }
}

/// Whether an answer needs not wait for the rest of the body: its head says that it is too large.
fn is_hopeless(answer: &ServiceResponse<BoxBody>) -> bool {
    let length = declared_length(answer.request().headers());
    length.is_some_and(|length| {
        answer.status() == StatusCode::PAYLOAD_TOO_LARGE || length > MOST_DISCARDED as u64
    })
}

/// How long the head of a request says that its body is, if it says so.
pub(crate) fn declared_length(headers: &header::HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The last answer on a connection. After it the rest of the request is read away as long as it
/// keeps coming, because what was sent and not read makes the system reset the connection, and the
/// sender might then see that instead of the answer.
struct Parting {
    body: BoxBody,
    /// As long as this is here, the connection is not kept for more requests.
    rest: Arrival,
    left: Option<Left>,
}

/// What a sender may still send.
struct Left {
    bytes: usize,
    pause: Pin<Box<Sleep>>,
}

impl MessageBody for Parting {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let Self { body, rest, left } = self.get_mut();
        if left.is_none()
            && let Some(chunk) = ready!(Pin::new(body).poll_next(cx))
        {
            return Poll::Ready(Some(chunk));
        }
        let left = left
            .get_or_insert_with(|| Left { bytes: MOST_DISCARDED, pause: Box::pin(sleep(PAUSE)) });
        loop {
            match rest.poll(cx) {
                Poll::Ready(Some(Ok(chunk))) if chunk.len() <= left.bytes => {
                    left.bytes -= chunk.len();
                    left.pause.as_mut().reset(Instant::now() + PAUSE);
                }
                Poll::Ready(_) => return Poll::Ready(None),
                Poll::Pending => {
                    ready!(left.pause.as_mut().poll(cx));
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

    /// A request whose body the sender writes, and what watches it.
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

    async fn settled(
        arrival: Arrival,
        answer: ServiceResponse<BoxBody>,
    ) -> ServiceResponse<BoxBody> {
        arrival.settle(answer, &RequestId::of(&header::HeaderMap::new())).await
    }

    fn is_last(answer: &ServiceResponse<BoxBody>) -> bool {
        answer.response().head().connection_type() == ConnectionType::Close
    }

    /// Sends a byte at a time, with pauses, until nobody reads any more. Returns how long it went
    /// on.
    async fn trickle(send: UnboundedSender<usize>, pause: Duration) -> Duration {
        let began = Instant::now();
        for _ in 0..1000 {
            if send.send(1).is_err() {
                return began.elapsed();
            }
            sleep(pause).await;
        }
        panic!("it is read for ever");
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
        let answer = settled(arrival, answered(request, StatusCode::BAD_REQUEST)).await;
        assert_eq!((answer.status(), is_last(&answer)), (StatusCode::REQUEST_TIMEOUT, true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_whole_in_time_leaves_the_answer_alone() {
        for status in [StatusCode::OK, StatusCode::UNAUTHORIZED] {
            let (send, request, arrival) = request(Method::POST);
            tokio::spawn(async move {
                sleep(TIMEOUT.checked_sub(Duration::from_millis(1)).unwrap()).await;
                send.send(1).unwrap();
            });
            let answer = settled(arrival, answered(request, status)).await;
            assert_eq!((answer.status(), is_last(&answer)), (status, false));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_that_was_done_is_denied() {
        for (method, status, expected) in [
            (Method::DELETE, StatusCode::NO_CONTENT, StatusCode::NO_CONTENT),
            (Method::DELETE, StatusCode::CONFLICT, StatusCode::REQUEST_TIMEOUT),
            (Method::GET, StatusCode::OK, StatusCode::REQUEST_TIMEOUT),
        ] {
            let (_send, request, arrival) = request(method);
            let answer = settled(arrival, answered(request, status)).await;
            assert_eq!((answer.status(), is_last(&answer)), (expected, true));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_last_answer_is_read_on_until_the_sender_pauses_or_time_is_up() {
        for (pause, expected) in [
            (Duration::from_millis(900), Duration::from_millis(30_600)),
            (Duration::from_millis(1100), Duration::from_millis(1100)),
        ] {
            let (send, request, arrival) = request(Method::POST);
            // One who would send too much is answered at once.
            send.send(MOST_DISCARDED + 1).unwrap();
            let answer = settled(arrival, answered(request, StatusCode::UNAUTHORIZED)).await;
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
