//! A chat server on a database server of its own, with two people in a room.

use mongodb::{
    Client, Collection, Database,
    bson::{Bson, Document, doc},
};
use serde_json::{Value, json};

use crate::{
    common::{Backend, Browser, Server, Socket, server::Home, until},
    own::OwnServer,
    with_deadline,
};

/// Seconds. Short, because some tests wait for its end.
const GRACE: &str = "0.2";

/// What happens to a command, as the fail points of MongoDB call it: an error.
pub fn refused(code: i32) -> Document {
    doc! { "errorCode": code }
}

pub fn cut_off() -> Document {
    doc! { "closeConnection": true }
}

/// Longer than anybody may have to wait, and than the housekeeping takes to come by meanwhile.
pub fn blocked() -> Document {
    doc! { "blockConnection": true, "blockTimeMS": 8_000 }
}

/// Applied, and then it could not be said whether it will stay.
pub fn unsure(labels: &[&str]) -> Document {
    let error = doc! { "code": 64, "errmsg": "waiting for replication timed out" };
    doc! { "writeConcernError": error, "errorLabels": labels }
}

pub fn once() -> Bson {
    doc! { "times": 1 }.into()
}

pub fn always() -> Bson {
    "alwaysOn".into()
}

/// A chat server on a database server of its own.
pub struct Stage {
    pub server: Server,
    pub mongo: OwnServer,
    database: Database,
    admin: Database,
}

impl Stage {
    pub async fn new() -> Self {
        let mongo = OwnServer::start().await;
        let uri = mongo.uri();
        Self::reached_by(mongo, &uri).await
    }

    /// One that looks twice a second who the primary is. A driver that hears from a fail point that
    /// this one is none any more believes it: SecantusDB leaves out that the news is old.
    pub async fn watchful() -> Self {
        let mongo = OwnServer::start().await;
        let uri = format!("{}/?heartbeatFrequencyMS=500", mongo.uri());
        Self::reached_by(mongo, &uri).await
    }

    /// One that finds its database server by this URI.
    pub async fn reached_by(mongo: OwnServer, uri: &str) -> Self {
        let settings = [("MONGODB_URI", uri), ("ROOM_GRACE", GRACE)];
        let server = Server::start(Home::new(Backend::Mongo, &settings)).await;
        let client = Client::with_uri_str(mongo.uri()).await.unwrap();
        Self {
            server,
            mongo,
            database: client.database("huechat"),
            admin: client.database("admin"),
        }
    }

    /// Lets these commands of the chat server fail, and nobody else's.
    pub async fn fail(&self, commands: &[&str], mode: Bson, how: Document) {
        let mut data = doc! { "failCommands": commands, "appName": "huechat" };
        data.extend(how);
        let point = doc! { "configureFailPoint": "failCommand", "mode": mode, "data": data };
        self.admin.run_command(point).await.unwrap();
    }

    pub async fn heal(&self) {
        let point = doc! { "configureFailPoint": "failCommand", "mode": "off" };
        self.admin.run_command(point).await.unwrap();
    }

    /// The primary is none for a while: as long as an election takes that is not quick.
    pub async fn step_down(&self) {
        self.admin.run_command(doc! { "replSetStepDown": 5, "force": true }).await.unwrap();
    }

    /// How often messages were inserted, for better or worse.
    pub async fn insertions(&self) -> i64 {
        let top = self.admin.run_command(doc! { "top": 1 }).await.unwrap();
        let chats = top.get_document("totals").unwrap().get_document("huechat.chats").unwrap();
        number(chats.get_document("insert").unwrap().get("count").unwrap())
    }

    async fn room(&self, room: &str) -> Option<Document> {
        let rooms: Collection<Document> = self.database.collection("rooms");
        rooms.find_one(doc! { "_id": room }).await.unwrap()
    }

    /// Who has a seat, and by how many connections.
    pub async fn seats(&self, room: &str) -> Vec<(String, usize)> {
        let room = self.room(room).await.unwrap_or_default();
        let people = room.get_array("people").cloned().unwrap_or_default();
        let seat = |seat: &Bson| {
            let seat = seat.as_document().unwrap();
            (seat.get_str("id").unwrap().to_owned(), seat.get_array("sockets").unwrap().len())
        };
        people.iter().map(seat).collect()
    }

    /// How many messages are stored by this id of a client's own.
    pub async fn stored(&self, client_id: &str) -> u64 {
        let chats: Collection<Document> = self.database.collection("chats");
        chats.count_documents(doc! { "clientId": client_id }).await.unwrap()
    }

    pub async fn wait_until_ready(&self, browser: &Browser) {
        until("the server to be ready", || async { browser.get("/readyz").await.status() == 200 })
            .await;
    }
}

fn number(bson: &Bson) -> i64 {
    bson.as_i64().or_else(|| bson.as_i32().map(i64::from)).unwrap()
}

/// Anna and Ben, in a room with a place left.
pub struct Tea {
    pub room: String,
    pub anna: Browser,
    pub annas: Socket,
    pub annas_person: Value,
    pub bens: Socket,
}

impl Tea {
    pub async fn on(stage: &Stage) -> Self {
        let (anna, ben) = (stage.server.browser().await, stage.server.browser().await);
        let room = anna.create_room("tea", 3).await;
        let (annas, welcome) = anna.enter(&room).await;
        let (bens, _) = ben.enter(&room).await;
        Self { room, anna, annas, annas_person: welcome["you"].clone(), bens }
    }

    /// Anna says it, and hears in time what was stored or why it was not.
    pub async fn say(&mut self, client_id: &str) -> Result<Value, String> {
        with_deadline(say(&mut self.annas, client_id)).await
    }

    /// Anna says it again until it is stored, as her page would.
    pub async fn say_until_stored(&mut self, client_id: &str) -> Value {
        loop {
            match self.say(client_id).await {
                Ok(chat) => return chat,
                Err(code) => assert_eq!(code, "unavailable"),
            }
        }
    }

    /// It can be read, once, as it was acknowledged.
    pub async fn assert_once(&self, chat: &Value) {
        let (_, history) = self.anna.get_json(&format!("/room/{}/chat", self.room)).await;
        let chats = history["chats"].as_array().unwrap();
        let same = chats.iter().filter(|stored| stored["clientId"] == chat["clientId"]);
        assert_eq!(same.collect::<Vec<_>>(), [chat]);
    }

    /// The next that Ben hears is this.
    pub async fn assert_heard(&mut self, chat: &Value) {
        let mut heard = self.bens.wait_for("chat").await;
        heard.as_object_mut().unwrap().remove("prev");
        assert_eq!(heard, *chat);
    }
}

async fn say(socket: &mut Socket, client_id: &str) -> Result<Value, String> {
    let post = json!({ "chat": client_id, "clientId": client_id });
    outcome(socket.ask("chat:post", post).await)
}

/// The data of an answer, or its error's code.
pub fn outcome(mut reply: Value) -> Result<Value, String> {
    match reply["ok"].as_bool() {
        Some(true) => Ok(reply["data"].take()),
        _ => Err(reply["error"]["code"].as_str().unwrap().to_owned()),
    }
}
