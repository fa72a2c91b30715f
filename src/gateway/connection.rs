//! Reads and writes one connection, from its first word to its last.

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
use crate::protocol::frames::{ErrorFrame, Hello, Request, wrong_state, server_events};
use crate::{chat::Error, domain::Network, session::Bot};

type Stream = WebSocketStream<TokioIo<Upgraded>>;

/// Whoever has not said who they are by then is shut out.
const IDENTIFY_WITHIN: Duration = Duration::from_secs(10);
/// As many frames in a row may make no sense.
const MAX_NONSENSE: u32 = 5;
/// As many frames in a row may come too early; whoever goes on does not listen.
const MAX_TOO_EARLY: u32 = 100;
/// As many messages may wait for their answers.
const MAX_UNANSWERED: usize = 64;
/// A connection that takes nothing for so long is cut off.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);
/// A goodbye takes no longer.
const PART_WITHIN: Duration = Duration::from_secs(1);
/// What still comes of a frame that was too big is read and thrown away, up to so many bytes: a connection that is
/// closed before would take the goodbye with it.
const THROWN_AWAY: u64 = 4 * 1024 * 1024;
/// How often a bot that is connected keeps its maker's session from ending.
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
        working: None,
        answers: FuturesUnordered::new(),
        deadline: now + IDENTIFY_WITHIN,
        kept_alive: now,
        nonsense: 0,
        too_early: 0,
        shared: shared.clone(),
        client: client.clone(),
    };
    let heartbeat_ms = u64::try_from(shared.heartbeat.as_millis()).unwrap_or(u64::MAX);
    client.say(server_events::HELLO, &Hello { heartbeat_ms });
    connection.serve().await;
    if client.why().is_none() {
        client.over();
    }
    shared.subscriptions.remove(&client);
    connection.part().await;
}

struct Connection {
    shared: Arc<Shared>,
    client: Arc<Client>,
    stream: Stream,
    queue: mpsc::UnboundedReceiver<Utf8Bytes>,
    /// What is being done; nothing else is read until it is, so that all is done in its order.
    working: Option<JoinHandle<()>>,
    answers: FuturesUnordered<BoxFuture<'static, String>>,
    /// When it is over, unless there is a sign of life.
    deadline: Instant,
    kept_alive: Instant,
    nonsense: u32,
    too_early: u32,
}

impl Connection {
    async fn serve(&mut self) {
        loop {
            let listening = self.working.is_none() && self.answers.len() < MAX_UNANSWERED;
            let next = tokio::select! {
                biased;
                () = self.client.ended() => Break(()),
                done = done(&mut self.working), if self.working.is_some() => {
                    self.working = None;
                    self.worked(done);
                    Continue(())
                }
                Some(answer) = self.answers.next() => {
                    self.client.tell(answer.into());
                    Continue(())
                }
                message = self.stream.next(), if listening => self.take(message),
                Some(frame) = self.queue.recv() => self.write(frame).await,
                () = sleep_until(self.deadline), if listening => {
                    self.late();
                    Break(())
                }
            };
            if next.is_break() {
                return;
            }
        }
    }

    /// Whatever was done took its time: that is nobody's silence.
    fn worked(&mut self, done: Result<(), tokio::task::JoinError>) {
        if let Err(error) = done {
            warn!(%error, "could not do what a bot asked");
        }
        if self.client.bot().is_some() {
            self.deadline = self.deadline.max(Instant::now() + self.patience());
        }
    }

    /// Two signs of life may be missing, and the second a little late.
    fn patience(&self) -> Duration {
        self.shared.heartbeat * 5 / 2
    }

    fn late(&self) {
        match self.client.bot() {
            Some(_) => self.client.end(Close::Silent),
            None => self.client.end_with(Close::Token, &Error::InvalidToken),
        }
    }

    fn take(&mut self, message: Option<Result<Message, WireError>>) -> ControlFlow<()> {
        match message {
            Some(Ok(Message::Text(text))) => self.hear(&text),
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

    fn hear(&mut self, text: &str) -> ControlFlow<()> {
        let bot = self.client.bot().cloned();
        if let Some(Err(error)) =
            bot.as_ref().map(|bot| self.shared.chat.may_ask(self.client.caller(bot)))
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
        let asked = Request::parse(text).and_then(|request| self.act(request, bot));
        let Err(trouble) = asked else {
            self.nonsense = 0;
            return Continue(());
        };
        self.client.send_error(&trouble);
        self.nonsense += 1;
        if self.nonsense < MAX_NONSENSE {
            return Continue(());
        }
        self.client.end(Close::Nonsense);
        Break(())
    }

    /// Begins what is asked for.
    fn act(&mut self, request: Request, bot: Option<Bot>) -> Result<(), Box<ErrorFrame>> {
        let (shared, client) = (self.shared.clone(), self.client.clone());
        let Some(bot) = bot else {
            let Request::Identify(identify) = request else {
                return Err(wrong_state("not_identified", "the first frame is IDENTIFY"));
            };
            self.work(requests::identify(shared, client, identify));
            return Ok(());
        };
        match request {
            Request::Identify(_) => {
                return Err(wrong_state("already_identified", "you have said who you are"));
            }
            Request::Heartbeat => self.beat(bot),
            Request::RoomJoin(wanted) => self.work(requests::join(shared, client, bot, wanted)),
            Request::RoomLeave(which) => self.work(requests::leave(shared, client, which)),
            Request::MessagePost(post) => {
                self.answers.push(requests::post(&shared, &client, post).boxed());
            }
        }
        Ok(())
    }

    /// Does something in a task of its own, to its end, even when the bot has gone: between what is stored and what
    /// is told of it nothing may end.
    fn work(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.working = Some(self.shared.tasks.spawn(work));
    }

    fn beat(&mut self, bot: Bot) {
        let now = Instant::now();
        self.deadline = now + self.patience();
        self.client.say(server_events::HEARTBEAT_ACK, &());
        if now - self.kept_alive > KEEP_ALIVE_EVERY {
            self.kept_alive = now;
            let shared = self.shared.clone();
            self.shared.tasks.spawn(async move {
                if let Err(error) = shared.sessions.keep_alive(&bot.key).await {
                    warn!(%error, "could not keep the session of a bot's maker alive");
                }
            });
        }
    }

    /// Writes what waits, all at once.
    async fn write(&mut self, first: Utf8Bytes) -> ControlFlow<()> {
        let (stream, queue, client) = (&mut self.stream, &mut self.queue, &self.client);
        let all = async {
            let mut next = Some(first);
            while let Some(frame) = next {
                let bytes = frame.len();
                stream.feed(Message::Text(frame)).await?;
                client.took(bytes);
                next = queue.try_recv().ok();
            }
            stream.flush().await
        };
        let written = tokio::select! {
            biased;
            () = client.ended() => return Break(()),
            written = timeout(TAKEN_WITHIN, all) => written,
        };
        match written {
            Ok(Ok(())) => Continue(()),
            Ok(Err(error)) => {
                debug!(%error, "a bot's connection broke");
                Break(())
            }
            Err(_late) => {
                client.end_with(Close::Pace, &Error::TooSlow);
                Break(())
            }
        }
    }

    /// Says goodbye.
    async fn part(mut self) {
        let why = self.client.why();
        let goodbye = async {
            while let Ok(frame) = self.queue.try_recv() {
                self.stream.feed(Message::Text(frame)).await?;
            }
            let close = why.map(|why| CloseFrame {
                code: CloseCode::from(why.code()),
                reason: why.reason().into(),
            });
            self.stream.close(close).await?;
            if why == Some(Close::TooBig) {
                throw_away(self.stream.get_mut()).await;
            } else {
                while let Some(Ok(_)) = self.stream.next().await {}
            }
            Ok::<(), WireError>(())
        };
        timeout(PART_WITHIN, goodbye).await.ok(); // They have gone, or do not listen.
    }
}

async fn throw_away(stream: &mut TokioIo<Upgraded>) {
    if stream.shutdown().await.is_ok() {
        let rest = &mut stream.take(THROWN_AWAY);
        tokio::io::copy(rest, &mut tokio::io::sink()).await.ok(); // They have gone.
    }
}

/// What is being done, when it is.
async fn done(working: &mut Option<JoinHandle<()>>) -> Result<(), tokio::task::JoinError> {
    match working {
        Some(working) => working.await,
        None => Ok(()),
    }
}
