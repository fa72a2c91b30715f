//! Reads and writes one connection, from `HELLO` to the close frame.

use std::{
    ops::ControlFlow::{self, Break, Continue},
    sync::Arc,
    time::Duration,
};

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _, future::BoxFuture};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error as WireError, Message, Utf8Bytes,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};
use tracing::{debug, warn};

use super::{
    Shared,
    client::{Client, Close},
    requests,
};
use crate::protocol::frames::{ErrorFrame, Hello, Request, server_events, wrong_state};
use crate::{chat::Error, domain::Network, session::Bot};

type Stream = WebSocketStream<TokioIo<Upgraded>>;

/// The server closes a connection that has not identified by then.
const IDENTIFY_WITHIN: Duration = Duration::from_secs(10);
/// Malformed frames in a row after which the server closes a connection.
const MAX_MALFORMED: u32 = 5;
/// Frames in a row over the rate limit after which the server closes a connection.
const MAX_TOO_EARLY: u32 = 100;
/// Messages that may await their acknowledgement before the server stops reading.
const MAX_UNANSWERED: usize = 64;
/// The server closes a connection when a write takes longer.
const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// Time limit of the close handshake.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);
/// Bytes of an oversized frame that the server reads and discards. Closing a TCP connection with
/// unread data resets it, and the bot would lose the close frame.
const MAX_DISCARDED: u64 = 4 * 1024 * 1024;
/// How often a connected bot renews the session of its token's maker.
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(12 * 60 * 60);

/// Serves a connection.
pub(super) async fn run(shared: Arc<Shared>, stream: Stream, network: Option<Network>) {
    let (client, queue) = Client::new(network);
    shared.subscriptions.add(client.clone());
    if shared.stopped.is_cancelled() {
        client.end_with(Close::Restarting, &Error::restarting());
    }
    let now = Instant::now();
    let mut connection = Connection {
        stream,
        queue,
        running: None,
        acks: FuturesUnordered::new(),
        deadline: now + IDENTIFY_WITHIN,
        kept_alive: now,
        malformed: 0,
        too_early: 0,
        shared: shared.clone(),
        client: client.clone(),
    };
    let heartbeat_ms = u64::try_from(shared.heartbeat.as_millis()).unwrap_or(u64::MAX);
    client.send_frame(server_events::HELLO, &Hello { heartbeat_ms });
    connection.serve().await;
    if client.close_reason().is_none() {
        client.closed_by_bot();
    }
    shared.subscriptions.remove(&client);
    connection.close().await;
}

struct Connection {
    shared: Arc<Shared>,
    client: Arc<Client>,
    stream: Stream,
    queue: mpsc::UnboundedReceiver<Utf8Bytes>,
    /// The running request. Nothing is read until it ends, so that requests run in order.
    running: Option<JoinHandle<()>>,
    acks: FuturesUnordered<BoxFuture<'static, String>>,
    /// When the connection times out, unless a heartbeat comes before.
    deadline: Instant,
    kept_alive: Instant,
    malformed: u32,
    too_early: u32,
}

impl Connection {
    async fn serve(&mut self) {
        loop {
            let listening = self.running.is_none() && self.acks.len() < MAX_UNANSWERED;
            let next = tokio::select! {
                biased;
                () = self.client.ended() => Break(()),
                result = finished(&mut self.running), if self.running.is_some() => {
                    self.running = None;
                    self.request_finished(result);
                    Continue(())
                }
                Some(ack) = self.acks.next() => {
                    self.client.send(ack.into());
                    Continue(())
                }
                message = self.stream.next(), if listening => self.receive(message),
                Some(frame) = self.queue.recv() => self.write(frame).await,
                () = sleep_until(self.deadline), if listening => {
                    self.time_out();
                    Break(())
                }
            };
            if next.is_break() {
                return;
            }
        }
    }

    /// Extends the deadline by a full interval: the server did not read while the request ran, so
    /// the bot's heartbeats may still be unread.
    fn request_finished(&mut self, result: Result<(), tokio::task::JoinError>) {
        if let Err(error) = result {
            warn!(%error, "a bot's request failed");
        }
        if self.client.bot().is_some() {
            self.deadline = self.deadline.max(Instant::now() + self.heartbeat_timeout());
        }
    }

    /// Time without a heartbeat before a timeout: two intervals, and half of one for delays.
    fn heartbeat_timeout(&self) -> Duration {
        self.shared.heartbeat * 5 / 2
    }

    fn time_out(&self) {
        match self.client.bot() {
            Some(_) => self.client.end(Close::Silent),
            None => self.client.end_with(Close::Token, &Error::InvalidToken),
        }
    }

    fn receive(&mut self, message: Option<Result<Message, WireError>>) -> ControlFlow<()> {
        match message {
            Some(Ok(Message::Text(text))) => self.handle_text(&text),
            Some(Ok(Message::Binary(_))) => {
                self.client.end(Close::Binary);
                Break(())
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Continue(()),
            Some(Ok(Message::Close(_))) | None => Break(()),
            Some(Err(WireError::Capacity(_))) => {
                self.client.end(Close::TooBig);
                Break(())
            }
            Some(Err(error)) => {
                debug!(%error, "a bot's connection broke");
                Break(())
            }
        }
    }

    fn handle_text(&mut self, text: &str) -> ControlFlow<()> {
        let bot = self.client.bot().cloned();
        if let Some(Err(error)) =
            bot.as_ref().map(|bot| self.shared.chat.may_ask(self.client.requester(bot)))
        {
            self.too_early += 1;
            if self.too_early < MAX_TOO_EARLY {
                self.client.send_error(&ErrorFrame::from(&error));
                return Continue(());
            }
            self.client.end_with(Close::Pace, &error);
            return Break(());
        }
        self.too_early = 0;
        let started = Request::parse(text).and_then(|request| self.start(request, bot));
        let Err(refusal) = started else {
            self.malformed = 0;
            return Continue(());
        };
        self.client.send_error(&refusal);
        self.malformed += 1;
        if self.malformed < MAX_MALFORMED {
            return Continue(());
        }
        self.client.end(Close::Malformed);
        Break(())
    }

    /// Starts a request.
    fn start(&mut self, request: Request, bot: Option<Bot>) -> Result<(), Box<ErrorFrame>> {
        let (shared, client) = (self.shared.clone(), self.client.clone());
        let Some(bot) = bot else {
            let Request::Identify(identify) = request else {
                return Err(wrong_state("not_identified", "the first frame is IDENTIFY"));
            };
            self.run(requests::identify(shared, client, identify));
            return Ok(());
        };
        match request {
            Request::Identify(_) => {
                return Err(wrong_state("already_identified", "you have said who you are"));
            }
            Request::Heartbeat => self.heartbeat(bot),
            Request::RoomJoin(join) => self.run(requests::join(shared, client, bot, join)),
            Request::RoomLeave(leave) => self.run(requests::leave(shared, client, leave)),
            Request::MessagePost(post) => {
                self.acks.push(requests::post(&shared, &client, post).boxed());
            }
        }
        Ok(())
    }

    /// Runs a request in its own task. The task completes even when the bot disconnects, because a
    /// request cancelled after a commit would not announce its event.
    fn run(&mut self, request: impl Future<Output = ()> + Send + 'static) {
        self.running = Some(self.shared.tasks.spawn(request));
    }

    fn heartbeat(&mut self, bot: Bot) {
        let now = Instant::now();
        self.deadline = now + self.heartbeat_timeout();
        self.client.send_frame(server_events::HEARTBEAT_ACK, &());
        if now - self.kept_alive > KEEP_ALIVE_EVERY {
            self.kept_alive = now;
            let shared = self.shared.clone();
            self.shared.tasks.spawn(async move {
                if let Err(error) = shared.sessions.keep_alive(&bot.key).await {
                    warn!(%error, "could not renew the session of a bot's maker");
                }
            });
        }
    }

    /// Writes all queued frames, with one flush.
    async fn write(&mut self, first: Utf8Bytes) -> ControlFlow<()> {
        let (stream, queue, client) = (&mut self.stream, &mut self.queue, &self.client);
        let all = async {
            let mut next = Some(first);
            while let Some(frame) = next {
                let bytes = frame.len();
                stream.feed(Message::Text(frame)).await?;
                client.written(bytes);
                next = queue.try_recv().ok();
            }
            stream.flush().await
        };
        let written = tokio::select! {
            biased;
            () = client.ended() => return Break(()),
            written = timeout(WRITE_WITHIN, all) => written,
        };
        match written {
            Ok(Ok(())) => Continue(()),
            Ok(Err(error)) => {
                debug!(%error, "a bot's connection broke");
                Break(())
            }
            Err(_elapsed) => {
                client.end_with(Close::Pace, &Error::TooSlow);
                Break(())
            }
        }
    }

    /// Sends the remaining frames and the close frame, and awaits the bot's.
    async fn close(mut self) {
        let reason = self.client.close_reason();
        let closing = async {
            while let Ok(frame) = self.queue.try_recv() {
                self.stream.feed(Message::Text(frame)).await?;
            }
            let close = reason.map(|close| CloseFrame {
                code: CloseCode::from(close.code()),
                reason: close.reason().into(),
            });
            self.stream.close(close).await?;
            if reason == Some(Close::TooBig) {
                discard(self.stream.get_mut()).await;
            } else {
                while let Some(Ok(_)) = self.stream.next().await {}
            }
            Ok::<(), WireError>(())
        };
        timeout(CLOSE_WITHIN, closing).await.ok(); // The bot has gone, or does not read.
    }
}

async fn discard(stream: &mut TokioIo<Upgraded>) {
    if stream.shutdown().await.is_ok() {
        let rest = &mut stream.take(MAX_DISCARDED);
        tokio::io::copy(rest, &mut tokio::io::sink()).await.ok(); // The bot has gone.
    }
}

/// Awaits the running request, if there is one.
async fn finished(running: &mut Option<JoinHandle<()>>) -> Result<(), tokio::task::JoinError> {
    match running {
        Some(running) => running.await,
        None => Ok(()),
    }
}
