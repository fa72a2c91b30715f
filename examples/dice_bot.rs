//! A bot that throws dice: whoever says `/roll 2d6` in its room gets an answer.
//!
//! ```console
//! $ HUECHAT_TOKEN=huechat_… cargo run --example dice_bot -- ws://localhost:8005/gateway ROOM
//! ```
//!
//! `docs/gateway.md` is the manual of what is spoken. The bot comes back by itself when its connection breaks, and asks
//! for what it missed; what it says has a `clientId`, so that nothing is said twice.

use std::{error::Error, process::ExitCode, time::Duration};

use clap::Parser;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    time::{Instant, interval_at, sleep},
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Throws dice for whoever says `/roll 2d6`.
#[derive(Parser)]
struct Settings {
    /// Where the gateway is: `wss:` or `ws:`, the host, and `/gateway`.
    #[arg(env = "HUECHAT_GATEWAY")]
    gateway: String,
    /// The id of the room: the end of its address.
    #[arg(env = "HUECHAT_ROOM")]
    room: String,
    /// The token, from the page "Connect a bot".
    #[arg(long, env = "HUECHAT_TOKEN", hide_env_values = true)]
    token: String,
    /// The password of the room, if it has one.
    #[arg(long, env = "HUECHAT_PASSWORD", hide_env_values = true)]
    password: Option<String>,
}

/// Between two tries to come back.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// More would fill the room.
const MOST_DICE: u32 = 20;

/// How a connection ended.
enum Ended {
    /// It broke, or the server restarts: so long to wait before the next.
    Broken(Duration),
    /// Coming back is no use.
    Refused(String),
}

/// What the bot knows of its room.
struct Bot {
    settings: Settings,
    me: Value,
    /// The newest message it has seen.
    seen: Option<i64>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut bot = Bot { settings: Settings::parse(), me: Value::Null, seen: None };
    loop {
        let wait = match bot.visit().await {
            Ok(Ended::Broken(wait)) => wait,
            Ok(Ended::Refused(why)) => {
                say(&why);
                return ExitCode::FAILURE;
            }
            Err(error) => {
                say(&format!("the connection broke: {error}"));
                TRY_AGAIN_AFTER
            }
        };
        sleep(wait).await;
    }
}

#[expect(clippy::print_stderr, reason = "a program for the console")]
fn say(words: &str) {
    eprintln!("{words}");
}

impl Bot {
    /// One connection, from its first word to its end.
    async fn visit(&mut self) -> Result<Ended, Box<dyn Error>> {
        let (mut stream, _) = connect_async(self.settings.gateway.as_str()).await?;
        ask(&mut stream, "IDENTIFY", json!({ "token": self.settings.token })).await?;
        let mut every = Duration::from_secs(30);
        let mut beat = interval_at(Instant::now() + every, every);
        loop {
            let message = tokio::select! {
                message = stream.next() => message,
                _ = beat.tick() => {
                    ask(&mut stream, "HEARTBEAT", Value::Null).await?;
                    continue;
                }
            };
            let text = match message {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(_))) | None => return Ok(Ended::Broken(TRY_AGAIN_AFTER)),
                Some(other) => {
                    other?;
                    continue;
                }
            };
            let frame: Value = serde_json::from_str(&text)?;
            if frame["op"] == "HELLO" {
                every = Duration::from_millis(frame["d"]["heartbeatMs"].as_u64().unwrap_or(30_000));
                beat = interval_at(Instant::now() + every, every);
            } else if let Some(ended) = self.hear(&mut stream, &frame).await? {
                return Ok(ended);
            }
        }
    }

    async fn hear(
        &mut self,
        stream: &mut Stream,
        frame: &Value,
    ) -> Result<Option<Ended>, Box<dyn Error>> {
        let d = &frame["d"];
        match frame["op"].as_str().unwrap_or_default() {
            "READY" => {
                self.me = d["person"]["id"].clone();
                self.join(stream).await?;
            }
            "ROOM_WELCOME" => {
                let back = self.seen.is_some();
                for chat in d["chats"].as_array().into_iter().flatten() {
                    // The first time, what was said before it came is none of its business.
                    self.read(stream, chat, back).await?;
                }
                if back && d["more"] == true {
                    self.join(stream).await?;
                }
                self.seen.get_or_insert(0);
                say(&format!("in the room as {}", d["you"]["name"]));
            }
            "MESSAGE_CREATE" => self.read(stream, d, true).await?,
            "ROOM_HEAD" if d["seq"].as_i64() > self.seen => self.join(stream).await?,
            "ROOM_LEAVE" => return Ok(Some(Ended::Refused("somebody removed the bot".to_owned()))),
            "ROOM_DELETE" => return Ok(Some(Ended::Refused("the room is gone".to_owned()))),
            "ERROR" => return Ok(refusal(d)),
            _ => {} // Not for a bot that throws dice.
        }
        Ok(None)
    }

    /// Comes into the room, or asks for what came since.
    async fn join(&self, stream: &mut Stream) -> Result<(), Box<dyn Error>> {
        let Settings { room, password, .. } = &self.settings;
        let wanted = json!({ "room": room, "password": password, "after": self.seen });
        ask(stream, "ROOM_JOIN", wanted).await
    }

    /// Reads a message once, and answers it.
    async fn read(
        &mut self,
        stream: &mut Stream,
        chat: &Value,
        answer: bool,
    ) -> Result<(), Box<dyn Error>> {
        let seq = chat["seq"].as_i64().unwrap_or_default();
        if Some(seq) <= self.seen {
            return Ok(());
        }
        self.seen = Some(seq);
        let wanted = chat["chat"].as_str().and_then(dice).filter(|_| answer);
        let Some((count, sides)) = wanted.filter(|_| chat["user"]["id"] != self.me) else {
            return Ok(());
        };
        let thrown: Vec<u32> = (0..count).map(|_| rand::random_range(1..=sides)).collect();
        let sum: u32 = thrown.iter().sum();
        let each: Vec<String> = thrown.iter().map(ToString::to_string).collect();
        let words = format!("🎲 {count}d{sides}: {} = {sum}", each.join(" + "));
        let mut post = json!({
            "room": self.settings.room, "chat": words, "clientId": format!("roll-{seq}"),
        });
        if chat["kind"] == "whisper" {
            post["to"] = chat["user"]["id"].clone();
        }
        ask(stream, "MESSAGE_POST", post).await
    }
}

/// What to do about a refusal: what is only too early is said again when the bot is back.
fn refusal(error: &Value) -> Option<Ended> {
    let code = error["code"].as_str().unwrap_or_default();
    let wait = error["retryAfterMs"].as_u64().map_or(TRY_AGAIN_AFTER, Duration::from_millis);
    match code {
        "restarting" | "unavailable" | "too_slow" => Some(Ended::Broken(wait)),
        "slow_down" | "not_here" | "not_in_room" => None,
        _ => Some(Ended::Refused(format!("{code}: {}", error["message"]))),
    }
}

async fn ask(stream: &mut Stream, op: &str, d: Value) -> Result<(), Box<dyn Error>> {
    Ok(stream.send(Message::text(json!({ "op": op, "d": d }).to_string())).await?)
}

/// How many dice with how many sides `/roll 2d6` wants.
fn dice(words: &str) -> Option<(u32, u32)> {
    let (count, sides) = words.trim().strip_prefix("/roll ")?.trim().split_once('d')?;
    let count = if count.is_empty() { 1 } else { count.parse().ok()? };
    let sides = sides.parse().ok()?;
    ((1..=MOST_DICE).contains(&count) && (2..=1_000).contains(&sides)).then_some((count, sides))
}
