//! The stack alone: what axum and socketioxide do at best when nothing is kept or checked, so that it can be
//! told apart what Huechat costs and what they do. Says the same words as the limit.

use std::io::Write as _;

use axum::{Router, serve::ListenerExt as _};
use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{AckSender, Data, Extension, SocketRef},
};
use tokio::net::TcpListener;

/// As long as Huechat's.
const QUEUE: usize = 2_048;

#[derive(Clone)]
struct Room(String);

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let (layer, io) =
        SocketIo::builder().max_buffer_size(QUEUE).ws_read_buffer_size(512).build_layer();
    io.ns("/chat", async |socket: SocketRef, Data::<Value>(auth)| {
        let room = auth["room"].as_str().unwrap_or_default().to_owned();
        socket.join(room.clone());
        socket.extensions.insert(Room(room));
        socket.on("chat:post", post);
        socket.emit("welcome", &json!({ "chats": [] })).ok(); // Whoever is gone already is not greeted.
    });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stderr(), "listening on http://{}", listener.local_addr()?)?;
    let listener = listener.tap_io(|connection| {
        connection.set_nodelay(true).ok(); // Slower, then.
    });
    axum::serve(listener, Router::new().layer(layer)).await
}

async fn post(
    socket: SocketRef,
    Extension(Room(room)): Extension<Room>,
    Data(post): Data<Value>,
    answer: AckSender,
) {
    let chat = json!({
        "id": "aaaaaaaaaaaaaaaa-1000", "room": "aaaaaaaaaaaaaaaa", "seq": 1_000, "prev": 999, "kind": "chat",
        "user": { "id": "aaaaaaaaaaaa", "color": "#aabbcc", "name": "Cornflower blue" },
        "chat": post["chat"], "clientId": post["clientId"], "createdAt": "2026-01-01T00:00:00.000Z",
    });
    // Whoever is too slow misses something: nothing is promised here.
    answer.send(&json!({ "ok": true, "data": chat })).ok();
    socket.within(room).emit("chat", &chat).await.ok();
}
