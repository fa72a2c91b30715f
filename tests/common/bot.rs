//! A bot: a client of the gateway. Every frame that it hears must be one that `docs/gateway.md` describes.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::LazyLock,
};

use futures_util::{SinkExt as _, StreamExt as _};
use jsonschema::Validator;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _},
};

use super::{Browser, soon};

/// The schemas of the manual, by op. What they do not mention is not allowed.
static SCHEMAS: LazyLock<HashMap<String, Validator>> = LazyLock::new(|| {
    let manual = include_str!("../../docs/gateway.md");
    let (_, schemas) = manual.split_once("```json\n{\n  \"$schema\"").unwrap();
    let (schemas, _) = schemas.split_once("\n```").unwrap();
    let mut document: Value = serde_json::from_str(&format!("{{\n  \"$schema\"{schemas}")).unwrap();
    close(&mut document);
    let definitions = document["definitions"].as_object().unwrap();
    let told = definitions.keys().filter_map(|name| name.strip_prefix("told_"));
    told.map(|op| {
        let schema = json!({
            "$ref": format!("#/definitions/told_{op}"),
            "definitions": definitions,
        });
        (op.to_owned(), jsonschema::draft7::new(&schema).unwrap())
    })
    .collect()
});

fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.get("properties").is_some_and(Value::is_object) {
                fields.entry("additionalProperties").or_insert(json!(false));
            }
            fields.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// Whether the manual says that the server may say this.
pub fn check(frame: &Value) {
    let op = frame["op"].as_str().unwrap_or_else(|| panic!("no op: {frame}"));
    let schema = SCHEMAS.get(op).unwrap_or_else(|| panic!("{op} is not in the manual"));
    let flaws: Vec<_> = schema.iter_errors(frame).map(|gif_error| gif_error.to_string()).collect();
    assert!(flaws.is_empty(), "{frame}: {flaws:?}");
}

impl Browser {
    /// Makes a token for a bot of this visitor.
    pub async fn make_token(&self) -> String {
        let (status, made) = self.post_json("/token", &json!({ "name": "dice" })).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        made["token"].as_str().unwrap().to_owned()
    }
}

/// A connection to the gateway.
pub struct Bot {
    pub stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    heard: VecDeque<(String, Value)>,
    /// The code with which it was closed; 0 for none.
    pub closed: Option<u16>,
    pub hello: Value,
    /// Who it is, once it has said so.
    pub me: Value,
}

impl Bot {
    /// Connects, and waits for the first word.
    pub async fn connect(address: SocketAddr) -> Self {
        let request = format!("ws://{address}/gateway").into_client_request().unwrap();
        let (stream, _) = soon("the gateway", connect_async(request)).await.unwrap();
        let mut bot = Self {
            stream,
            heard: VecDeque::new(),
            closed: None,
            hello: Value::Null,
            me: Value::Null,
        };
        bot.hello = bot.expect("HELLO").await;
        bot
    }

    /// Connects, and shows a token.
    pub async fn with_token(address: SocketAddr, token: &str) -> (Self, Value) {
        let mut bot = Self::connect(address).await;
        bot.ask("IDENTIFY", json!({ "token": token })).await;
        let ready = bot.expect("READY").await;
        bot.me = ready["person"].clone();
        (bot, ready)
    }

    /// A new bot of a new visitor.
    pub async fn new(address: SocketAddr) -> Self {
        let maker = Browser::visit(address).await;
        Self::with_token(address, &maker.make_token().await).await.0
    }

    pub async fn ask(&mut self, op: &str, d: Value) {
        self.send(Message::text(json!({ "op": op, "d": d }).to_string())).await;
    }

    pub async fn send(&mut self, message: Message) {
        self.try_send(message).await.unwrap();
    }

    pub async fn try_send(&mut self, message: Message) -> Result<(), Error> {
        soon("what is sent to be taken", self.stream.send(message)).await
    }

    /// Takes in one frame.
    async fn take_in(&mut self) {
        match self.stream.next().await {
            Some(Ok(Message::Text(text))) => {
                let mut frame: Value = serde_json::from_str(&text).unwrap();
                check(&frame);
                let op = frame["op"].as_str().unwrap().to_owned();
                self.heard.push_back((op, frame["d"].take()));
            }
            Some(Ok(Message::Close(close))) => {
                self.closed = Some(close.map_or(0, |close| close.code.into()));
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => {
                self.closed.get_or_insert(0);
            }
        }
    }

    /// The next frame; `None` when the connection has ended.
    pub async fn hear(&mut self) -> Option<(String, Value)> {
        soon("a frame", async {
            loop {
                if let Some(heard) = self.heard.pop_front() {
                    return Some(heard);
                }
                if self.closed.is_some() {
                    return None;
                }
                self.take_in().await;
            }
        })
        .await
    }

    /// The next frame, which must be of this kind.
    pub async fn expect(&mut self, op: &str) -> Value {
        let (heard, d) = self.hear().await.unwrap_or_else(|| panic!("closed before {op}"));
        assert_eq!(heard, op, "{d}");
        d
    }

    /// The next frame of this kind; what comes before it is passed over.
    pub async fn wait_for(&mut self, op: &str) -> Value {
        soon(op, async {
            loop {
                let (heard, d) = self.hear().await.unwrap_or_else(|| panic!("closed before {op}"));
                if heard == op {
                    return d;
                }
            }
        })
        .await
    }

    /// The next frame of this kind; what comes before it stays to be heard.
    pub async fn pick(&mut self, op: &str) -> Value {
        soon(op, async {
            loop {
                if let Some(at) = self.heard.iter().position(|(heard, _)| heard == op) {
                    return self.heard.remove(at).unwrap().1;
                }
                assert!(self.closed.is_none(), "closed before {op}");
                self.take_in().await;
            }
        })
        .await
    }

    /// Everything until the server closes the connection, and the code with which it does.
    pub async fn until_closed(&mut self) -> (Vec<(String, Value)>, u16) {
        let mut all = Vec::new();
        while let Some(frame) = self.hear().await {
            all.push(frame);
        }
        (all, self.closed.unwrap())
    }

    /// The code of the next refusal.
    pub async fn refusal(&mut self) -> String {
        self.wait_for("ERROR").await["code"].as_str().unwrap().to_owned()
    }

    pub async fn join(&mut self, room: &str) -> Value {
        self.join_with(json!({ "room": room })).await
    }

    pub async fn join_with(&mut self, d: Value) -> Value {
        self.ask("ROOM_JOIN", d).await;
        self.wait_for("ROOM_WELCOME").await
    }

    /// Says something, and waits until it is stored.
    pub async fn say(&mut self, room: &str, chat: &str) -> Value {
        self.ask("MESSAGE_POST", json!({ "room": room, "chat": chat })).await;
        self.pick("MESSAGE_ACK").await
    }

    /// Shows that it is still there, and is answered.
    pub async fn beat(&mut self) {
        self.ask("HEARTBEAT", Value::Null).await;
        self.pick("HEARTBEAT_ACK").await;
    }
}
