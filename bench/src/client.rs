//! A Socket.IO client by the frame, made to cost as little as it can: engine.io 4 over a WebSocket.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use memchr::memmem;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::Instant};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, client::IntoClientRequest as _, protocol::WebSocketConfig},
};

use crate::Failure;

/// What a client fails with that was let in and then asked to come back.
pub const SHUT_OUT: &str = "the server ended the connection";

/// A small buffer: ten thousand of them must fit beside the server.
const READ_BUFFER: usize = 4 * 1024;

/// One connection, in one namespace.
pub struct Client {
    stream: WebSocketStream<TcpStream>,
    namespace: &'static str,
    asked: u64,
}

/// What the server says, as far as it is looked at.
#[derive(Debug)]
pub enum Heard {
    /// A message, with the moment at which it should have been said, in microseconds.
    Chat { due: u64 },
    /// The answer to a post, and whether it is stored.
    Answer { ok: bool },
    /// Something else, whole.
    Other(String),
}

impl Client {
    /// Connects, and gives what the server said first: in a room, its welcome.
    pub async fn connect(
        address: SocketAddr,
        cookie: Option<&str>,
        namespace: &'static str,
        auth: &Value,
    ) -> Result<Self, Failure> {
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
        let mut request = url.into_client_request()?;
        if let Some(cookie) = cookie {
            request.headers_mut().insert("cookie", cookie.parse()?);
        }
        let connection = TcpStream::connect(address).await?;
        connection.set_nodelay(true)?;
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
        let (stream, _) = client_async_with_config(request, connection, Some(config)).await?;
        let mut client = Self { stream, namespace, asked: 0 };
        client.text().await?; // The handshake of engine.io.
        client.send(format!("40{namespace},{auth}")).await?;
        let answer = client.text().await?;
        if answer.starts_with("44") {
            return Err(answer.into());
        }
        Ok(client)
    }

    /// Enters a room, and waits for its welcome.
    pub async fn enter(
        address: SocketAddr,
        cookie: Option<&str>,
        room: &str,
    ) -> Result<Self, Failure> {
        let mut client = Self::connect(address, cookie, "/chat", &json!({ "room": room })).await?;
        loop {
            if let Heard::Other(frame) = client.hear().await?
                && frame.contains("\"welcome\"")
            {
                return Ok(client);
            }
        }
    }

    /// Leaves for good.
    pub async fn exit(mut self) -> Result<(), Failure> {
        self.asked += 1;
        self.send(format!("42{},{}[\"exit\"]", self.namespace, self.asked)).await?;
        loop {
            match self.hear().await? {
                Heard::Answer { ok: true } => return Ok(()),
                Heard::Answer { ok: false } => return Err("an exit was refused".into()),
                Heard::Chat { .. } | Heard::Other(_) => {}
            }
        }
    }

    async fn send(&mut self, frame: String) -> Result<(), Failure> {
        Ok(self.stream.send(Message::text(frame)).await?)
    }

    /// The next frame that is no heartbeat.
    async fn text(&mut self) -> Result<String, Failure> {
        loop {
            match self.stream.next().await.ok_or("the connection ended")?? {
                Message::Text(text) if text == "2" => self.send("3".to_owned()).await?,
                Message::Text(text) => return Ok(text.as_str().to_owned()),
                Message::Close(_) => return Err("the connection was closed".into()),
                _ => {}
            }
        }
    }

    /// Says something that was due at that moment since `epoch`, in about a hundred bytes.
    pub async fn say(&mut self, epoch: Instant, due: Instant) -> Result<(), Failure> {
        self.asked += 1;
        let (id, micros) = (self.asked, due.duration_since(epoch).as_micros());
        let words = format!("t{micros} {:x<80}", "");
        self.send(format!(
            "42{},{id}[\"chat:post\",{{\"chat\":\"{words}\",\"clientId\":\"{id}\"}}]",
            self.namespace
        ))
        .await
    }

    /// The next thing that the server says. May be given up without losing anything.
    pub async fn hear(&mut self) -> Result<Heard, Failure> {
        loop {
            let text = match self.stream.next().await.ok_or("the connection ended")?? {
                Message::Text(text) => text,
                Message::Close(_) => return Err("the connection was closed".into()),
                _ => continue,
            };
            let frame = text.as_bytes();
            if frame == b"2" {
                self.send("3".to_owned()).await?;
            } else if frame.starts_with(b"42/chat,[\"chat\"") {
                let words = memmem::find(frame, b"\"chat\":\"t").map(|at| &frame[at + 9..]);
                return Ok(Heard::Chat { due: words.map_or(0, leading_number) });
            } else if let Some(answer) = frame.strip_prefix(b"43/chat,") {
                let ok = memmem::find(answer, b"\"ok\":true").is_some();
                return Ok(Heard::Answer { ok });
            } else if frame.starts_with(b"41") {
                return Err(SHUT_OUT.into()); // The connection stays, and nothing comes over it any more.
            } else {
                return Ok(Heard::Other(text.as_str().to_owned()));
            }
        }
    }
}

fn leading_number(text: &[u8]) -> u64 {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
}
