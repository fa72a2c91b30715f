//! A Socket.IO client, by the frame: engine.io 4 over a WebSocket, one namespace.
//! (<https://socket.io/docs/v4/socket-io-protocol/>)

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, client_async, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _, handshake::client::Request},
};

use super::soon;

/// What a server says.
#[derive(Debug)]
pub enum Heard {
    Event(String, Value),
    Answer(u64, Value),
}

pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    namespace: String,
    events: VecDeque<(String, Value)>,
    acks: Vec<(u64, Value)>,
    asked: u64,
    pub ended: bool,
}

impl Socket {
    /// Connects, or gives the refusal's message.
    pub async fn connect(
        address: SocketAddr,
        cookie: Option<&str>,
        namespace: &str,
        auth: Value,
    ) -> Result<Self, String> {
        let headers: Vec<_> = cookie.map(|cookie| ("cookie", cookie)).into_iter().collect();
        Self::connect_with(address, &headers, namespace, auth).await
    }

    pub async fn connect_with(
        address: SocketAddr,
        headers: &[(&'static str, &str)],
        namespace: &str,
        auth: Value,
    ) -> Result<Self, String> {
        let connected = soon("the connection", connect_async(handshake(address, headers))).await;
        let (stream, _) = connected.map_err(|error| error.to_string())?;
        Self::authorize(stream, namespace, auth).await
    }

    /// The same from another address of this machine.
    pub async fn connect_from(
        from: IpAddr,
        address: SocketAddr,
        headers: &[(&'static str, &str)],
        namespace: &str,
        auth: Value,
    ) -> Result<Self, String> {
        let connected = soon("the connection", async {
            let stream = MaybeTlsStream::Plain(stream_from(from, address).await?);
            client_async(handshake(address, headers), stream).await
        });
        let (stream, _) = connected.await.map_err(|error| error.to_string())?;
        Self::authorize(stream, namespace, auth).await
    }

    async fn authorize(
        stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
        namespace: &str,
        auth: Value,
    ) -> Result<Self, String> {
        let mut socket = Self {
            stream,
            namespace: namespace.to_owned(),
            events: VecDeque::new(),
            acks: Vec::new(),
            asked: 0,
            ended: false,
        };
        let open = soon("the first word", socket.read()).await.ok_or("closed")?;
        assert!(open.starts_with('0'), "{open}");
        let authorize = Message::text(format!("40{namespace},{auth}"));
        socket.stream.send(authorize).await.map_err(|error| error.to_string())?;
        let answer = soon("the handshake", socket.read()).await.ok_or("closed")?;
        let refused = format!("44{namespace},");
        match answer.strip_prefix(&refused) {
            None => Ok(socket),
            Some(error) => {
                let error: Value = serde_json::from_str(error).unwrap();
                Err(error["message"].as_str().unwrap().to_owned())
            }
        }
    }

    pub async fn send_frame(&mut self, frame: String) {
        self.try_send_frame(frame).await.unwrap();
    }

    /// The same, of a connection that may be broken.
    pub async fn try_send_frame(&mut self, frame: String) -> Result<(), Error> {
        self.stream.send(Message::text(frame)).await
    }

    /// The next frame that is no heartbeat; `None` when the connection is closed.
    async fn read(&mut self) -> Option<String> {
        loop {
            match self.stream.next().await? {
                Ok(Message::Text(text)) if text == "2" => {
                    self.stream.send(Message::text("3")).await.ok()?;
                }
                Ok(Message::Text(text)) => return Some(text.to_string()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Takes in one frame.
    async fn take_in(&mut self) {
        let Some(frame) = self.read().await else {
            self.ended = true;
            return;
        };
        if frame.starts_with("41") {
            self.ended = true;
        } else if let Some(event) = frame.strip_prefix(&format!("42{},", self.namespace)) {
            let mut parts: Vec<Value> = serde_json::from_str(event).unwrap();
            let data = if parts.len() > 1 { parts.remove(1) } else { Value::Null };
            self.events.push_back((parts[0].as_str().unwrap().to_owned(), data));
        } else if let Some(ack) = frame.strip_prefix(&format!("43{},", self.namespace)) {
            let at = ack.find('[').unwrap();
            let data: Vec<Value> = serde_json::from_str(&ack[at..]).unwrap();
            self.acks.push((ack[..at].parse().unwrap(), data[0].clone()));
        }
    }

    /// Says something that is not acknowledged.
    pub async fn tell(&mut self, event: &str, data: Value) {
        let frame = format!("42{},{}", self.namespace, json!([event, data]));
        self.send_frame(frame).await;
    }

    /// Asks, without waiting for the answer yet.
    pub async fn ask_now(&mut self, event: &str, data: Value) -> u64 {
        self.try_ask_now(event, data).await.unwrap()
    }

    /// The same, of a connection that may be broken.
    pub async fn try_ask_now(&mut self, event: &str, data: Value) -> Result<u64, Error> {
        self.asked += 1;
        let (id, namespace) = (self.asked, &self.namespace);
        let frame = format!("42{namespace},{id}{}", json!([event, data]));
        self.stream.send(Message::text(frame)).await.map(|()| id)
    }

    /// The answer to what was asked; `None` when the connection ended first.
    pub async fn answer(&mut self, asked: u64) -> Option<Value> {
        soon("an acknowledgement", async {
            loop {
                if let Some(at) = self.acks.iter().position(|(id, _)| *id == asked) {
                    return Some(self.acks.remove(at).1);
                }
                if self.ended {
                    return None;
                }
                self.take_in().await;
            }
        })
        .await
    }

    /// Asks, and waits for the answer.
    pub async fn ask(&mut self, event: &str, data: Value) -> Value {
        let asked = self.ask_now(event, data).await;
        self.answer(asked).await.expect("the connection ended before the answer")
    }

    /// Says something to the room, and gives what was stored.
    pub async fn say(&mut self, text: &str) -> Value {
        let reply = self.ask("chat:post", json!({ "chat": text })).await;
        assert_eq!(reply["ok"], true, "{reply}");
        reply["data"].clone()
    }

    /// The next event.
    pub async fn next(&mut self) -> (String, Value) {
        soon("an event", async {
            loop {
                if let Some(event) = self.events.pop_front() {
                    return event;
                }
                assert!(!self.ended, "the connection ended before the event");
                self.take_in().await;
            }
        })
        .await
    }

    /// The next event or answer, whichever comes first; `None` when the connection has ended. May be
    /// given up without losing anything.
    pub async fn hear(&mut self) -> Option<Heard> {
        loop {
            if let Some((event, data)) = self.events.pop_front() {
                return Some(Heard::Event(event, data));
            }
            if let Some((asked, reply)) = self.acks.pop() {
                return Some(Heard::Answer(asked, reply));
            }
            if self.ended {
                return None;
            }
            self.take_in().await;
        }
    }

    /// An event of this name that has come already; what came before it is passed over.
    pub fn heard(&mut self, name: &str) -> Option<Value> {
        let at = self.events.iter().position(|(event, _)| event == name);
        let found = at.and_then(|at| self.events.drain(..=at).next_back());
        found.map(|(_, data)| data)
    }

    /// The next event of this name; what comes before it is passed over.
    pub async fn wait_for(&mut self, name: &str) -> Value {
        soon(name, async {
            loop {
                let (event, data) = self.next().await;
                if event == name {
                    return data;
                }
            }
        })
        .await
    }

    /// Every event until the server ends the connection.
    pub async fn events_until_the_end(&mut self) -> Vec<(String, Value)> {
        soon("the end of the connection", async {
            while !self.ended {
                self.take_in().await;
            }
        })
        .await;
        self.events.drain(..).collect()
    }

    /// Goes without a word, as when the network fails.
    pub fn vanish(self) {
        drop(self);
    }
}

/// The request that opens a connection.
pub fn handshake(address: SocketAddr, headers: &[(&'static str, &str)]) -> Request {
    let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
    let mut request = url.into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    request
}

/// A connection from an address of this machine.
pub async fn stream_from(from: IpAddr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(from, 0))?;
    socket.connect(to).await
}
