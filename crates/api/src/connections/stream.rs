//! The bytes of a connection. The server library reads and writes HTTP, and has waits without a
//! limit; so every wait for a client gets its end here, below the library.

use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::{Connection, Deadlines, Place, Stage, ended};
use crate::http::code::Code;
use crate::http::problem::Problem;

/// How long a read goes on for a client that has closed its sending side. Most such clients have
/// gone; a few still listen.
const PATIENCE: Duration = Duration::from_secs(1);

/// The most bytes that are read before the library has looked at them, or beyond the current
/// request. The library would make requests of all of them, and loops without progress from 128 KiB
/// on.
const READ_AHEAD: usize = 16 * 1024;

/// A connection on which every wait for the client ends.
pub(crate) struct Stream {
    tcp: TcpStream,
    place: Place,
    deadlines: Deadlines,
    timer: Pin<Box<Sleep>>,
    /// When the client closed its sending side while an answer was being made.
    hung_up: Option<Instant>,
    /// Since when the client has not read the pending output, which is 64 KiB at most.
    stalled: Option<Instant>,
    /// How many bytes came since the library last looked, or beyond the current request.
    ahead: usize,
}

impl Stream {
    pub(super) fn new(tcp: TcpStream, place: Place, deadlines: Deadlines) -> Self {
        let timer = Box::pin(sleep_until(Instant::now() + deadlines.head));
        Self { tcp, place, deadlines, timer, hung_up: None, stalled: None, ahead: 0 }
    }

    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.place.connection
    }

    /// Reads available bytes, unless the library has no use for them now.
    fn poll_tcp(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<usize>> {
        let stage = self.connection().stage();
        let is_at_work = stage.is_at_work();
        if self.hung_up.is_some() && !is_at_work {
            return Poll::Ready(Ok(0));
        }
        if self.hung_up.is_some() || (is_at_work && self.ahead >= READ_AHEAD) {
            self.connection().pause();
            return Poll::Pending;
        }
        if self.ahead >= READ_AHEAD {
            self.ahead = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.tcp).poll_read(cx, buf))?;
        let read = buf.filled().len() - before;
        self.ahead += read;
        if is_at_work && read == 0 {
            self.hung_up = Some(Instant::now());
            self.connection().pause();
            return Poll::Pending;
        }
        if stage == Stage::Idle && read > 0 {
            self.connection().enter(Stage::Head);
        }
        Poll::Ready(Ok(read))
    }

    /// When the wait for the client is over, and why; `None` while the service is working.
    fn end_of_wait(&self) -> Option<(Instant, &'static str)> {
        let since =
            || Instant::now().checked_sub(self.connection().lasted()).unwrap_or_else(Instant::now);
        match self.connection().stage() {
            Stage::Idle => Some((since() + self.deadlines.idle, "idle")),
            Stage::Head => Some((since() + self.deadlines.head, "head")),
            Stage::Reading => self.hung_up.map(|since| (since + PATIENCE, "hung_up")),
            // A body has its deadline where it is read, and a change is carried out for a client
            // that may still listen.
            Stage::Body | Stage::Changing | Stage::Answering => None,
        }
    }

    /// Waits until that moment.
    fn poll_timer(&mut self, cx: &mut Context<'_>, until: Instant) -> Poll<()> {
        if self.timer.deadline() > until {
            self.timer.as_mut().reset(until);
        }
        // A timer that fires too early is set again only then, which is cheaper than setting it for
        // every request.
        while self.timer.as_mut().poll(cx).is_ready() {
            if Instant::now() >= until {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(until);
        }
        Poll::Pending
    }

    /// Ends the connection while it waits for its client.
    fn end(&mut self, reason: &'static str) -> Result<()> {
        ended(reason);
        match self.connection().stage() {
            Stage::Idle => Ok(()),
            Stage::Head => {
                let within = humantime::format_duration(self.deadlines.head);
                let late = format!("The head of the request did not arrive whole within {within}.");
                // If the send buffer has no room, the client does not read anyway.
                drop(self.tcp.try_write(&Problem::new(Code::RequestTimeout, late).message()));
                Ok(())
            }
            _ => Err(Error::new(ErrorKind::TimedOut, "the client kept the connection waiting")),
        }
    }

    fn crowded_out() -> Error {
        Error::new(ErrorKind::ConnectionAborted, "there are too many connections")
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let this = &mut *self;
        this.connection().waker.register(cx.waker());
        if this.connection().is_ended() {
            let is_idle = this.connection().stage() == Stage::Idle;
            return Poll::Ready(if is_idle { Ok(()) } else { Err(Self::crowded_out()) });
        }
        if let Poll::Ready(read) = this.poll_tcp(cx, buf) {
            return Poll::Ready(read.map(|_| ()));
        }
        let Some((until, reason)) = this.end_of_wait() else { return Poll::Pending };
        ready!(this.poll_timer(cx, until));
        Poll::Ready(this.end(reason))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        let this = &mut *self;
        this.connection().waker.register(cx.waker());
        if this.connection().is_ended() {
            return Poll::Ready(Err(Self::crowded_out()));
        }
        if let Poll::Ready(written) = Pin::new(&mut this.tcp).poll_write(cx, bytes) {
            return Poll::Ready(written);
        }
        let since = *this.stalled.get_or_insert_with(|| {
            this.place.connection.stall(true);
            Instant::now()
        });
        ready!(this.poll_timer(cx, since + this.deadlines.answer));
        ended("answer");
        Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the client does not take its answer")))
    }

    /// Called when all output was written.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if self.stalled.take().is_some() {
            self.connection().stall(false);
        }
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
