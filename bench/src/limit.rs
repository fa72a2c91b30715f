//! The limit: what one core can do at all. Takes whoever comes into whatever room they name, and copies
//! what is said there, put into words once, to the members. Keeps nothing and checks nothing.

use std::{
    collections::HashMap,
    io::Write as _,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{SinkExt as _, StreamExt as _, stream::SplitStream};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};
use tokio_tungstenite::{
    WebSocketStream, accept_async_with_config,
    tungstenite::{Message, Utf8Bytes, protocol::WebSocketConfig},
};

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Members = Vec<UnboundedSender<Utf8Bytes>>;
type Rooms = Arc<Mutex<HashMap<String, Members>>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stderr(), "listening on http://{}", listener.local_addr()?)?;
    let rooms = Rooms::default();
    loop {
        let (connection, _) = listener.accept().await?;
        connection.set_nodelay(true)?;
        let rooms = rooms.clone();
        // Whoever goes ends their own connection alone.
        tokio::spawn(async move { serve(connection, rooms).await.ok() });
    }
}

async fn serve(connection: TcpStream, rooms: Rooms) -> Result<(), Failure> {
    let config = WebSocketConfig::default().read_buffer_size(4096);
    let mut stream = accept_async_with_config(connection, Some(config)).await?;
    let open = json!({
        "sid": "x", "upgrades": [], "pingInterval": 25_000, "pingTimeout": 20_000, "maxPayload": 100_000,
    });
    stream.send(Message::text(format!("0{open}"))).await?;
    let knock = stream.next().await.ok_or("gone")??.into_text()?;
    let auth: Value = serde_json::from_str(knock.strip_prefix("40/chat,").ok_or("no knock")?)?;
    let room = auth["room"].as_str().unwrap_or_default().to_owned();
    stream.send(Message::text("40/chat,{\"sid\":\"x\"}")).await?;
    stream.send(Message::text("42/chat,[\"welcome\",{\"chats\":[]}]")).await?;
    let (sender, receiver) = unbounded_channel();
    rooms
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .entry(room.clone())
        .or_default()
        .push(sender.clone());
    let (sink, stream) = stream.split();
    tokio::spawn(write(sink, receiver));
    read(stream, &room, &rooms, &sender).await
}

async fn read(
    mut stream: SplitStream<WebSocketStream<TcpStream>>,
    room: &str,
    rooms: &Rooms,
    me: &UnboundedSender<Utf8Bytes>,
) -> Result<(), Failure> {
    while let Some(frame) = stream.next().await {
        let Message::Text(frame) = frame? else { continue };
        let Some(post) = frame.strip_prefix("42/chat,") else { continue };
        let at = post.find('[').ok_or("no event")?;
        let (asked, post) = post.split_at(at);
        let post: (String, Value) = serde_json::from_str(post)?;
        // As many words as the others send around it.
        let chat = json!({
            "id": "aaaaaaaaaaaaaaaa-1000", "room": "aaaaaaaaaaaaaaaa", "seq": 1_000, "prev": 999, "kind": "chat",
            "user": { "id": "aaaaaaaaaaaa", "color": "#aabbcc", "name": "Cornflower blue" },
            "chat": post.1["chat"], "clientId": post.1["clientId"], "createdAt": "2026-01-01T00:00:00.000Z",
        });
        let told = Utf8Bytes::from(format!("42/chat,[\"chat\",{chat}]"));
        let mut rooms = rooms.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(members) = rooms.get_mut(room) {
            members.retain(|member| member.send(told.clone()).is_ok());
        }
        me.send(format!("43/chat,{asked}[{{\"ok\":true,\"data\":{chat}}}]").into())?;
    }
    Ok(())
}

/// Writes whatever has collected in one go.
async fn write(
    mut sink: futures_util::stream::SplitSink<WebSocketStream<TcpStream>, Message>,
    mut frames: UnboundedReceiver<Utf8Bytes>,
) -> Result<(), Failure> {
    while let Some(frame) = frames.recv().await {
        sink.feed(Message::Text(frame)).await?;
        while let Ok(frame) = frames.try_recv() {
            sink.feed(Message::Text(frame)).await?;
        }
        sink.flush().await?;
    }
    Ok(())
}
