//! Rooms in MongoDB: for many nodes, and for admins who want collections.
//!
//! A room is one document that holds its own seats. Whatever decides something about a room is one
//! update of that document, whose filter repeats all that the decision relied on. So it is right
//! on any number of nodes, without transactions; who loses a race reads again and decides anew.

mod chat_document;
mod connection;
mod entering;
mod gathered;
mod histories;
mod log;
mod messages;
mod nodes;
mod owner;
mod room_document;
mod rooms;
mod schema;
mod seats;
mod sessions;
mod together;
mod tokens;
mod trim;

use std::sync::Arc;

use async_trait::async_trait;
use mongodb::{Collection, Database, bson::doc};

use super::{
    Appended, Changed, Closing, Departing, Departure, Dropped, Emptying, Entering, Entry, Error,
    LobbyPage, LobbyQuery, NewRoom, Result, SessionRow, Store, TokenRow, Trimmed,
};
use crate::domain::{
    Draft, History, NodeId, Person, PersonId, Room, RoomChange, RoomId, RoomSummary, Seq, SocketId,
    Timestamp, TokenHash, TokenId, Undone, Window,
};
use chat_document::ChatDocument;
use connection::in_time;
use entering::Doors;
use gathered::Gathered;
use histories::Histories;
use log::Logs;
use nodes::NodeDocument;
use room_document::RoomDocument;
use sessions::SessionDocument;
use together::Together;
use tokens::TokenDocument;

impl From<mongodb::error::Error> for Error {
    fn from(cause: mongodb::error::Error) -> Self {
        Self::new(cause)
    }
}

/// The store for many nodes.
#[derive(Debug)]
pub struct MongoStore {
    database: Database,
    rooms: Collection<RoomDocument>,
    chats: Collection<ChatDocument>,
    sessions: Collection<SessionDocument>,
    tokens: Collection<TokenDocument>,
    nodes: Collection<NodeDocument>,
    histories: Histories,
    logs: Logs,
    together: Together,
    doors: Doors,
    /// The way to rooms by their ids.
    looking: Gathered<RoomId, Option<RoomDocument>>,
    /// The way to sessions by their keys.
    loading: Gathered<String, Option<SessionRow>>,
}

impl MongoStore {
    /// Connects, and brings validators and indexes up to date. The database is the one in the
    /// URI's path, or `huechat`. `credentials`, a name and a password, go before those of the URI.
    ///
    /// # Errors
    /// When the URI is none, no server answers, or it does not let this program in.
    pub async fn open(uri: &str, credentials: Option<(String, String)>) -> Result<Self> {
        let database = connection::open(uri, credentials).await?;
        schema::apply(&database).await?;
        let (rooms, chats) = (database.collection("rooms"), database.collection("chats"));
        let sessions: Collection<SessionDocument> = database.collection("sessions");
        let histories = Histories::new(chats.clone());
        let logs = Logs::default();
        let together = Together::new(database.clone(), logs.clone());
        let looked = rooms.clone();
        let looking = Gathered::new(move |ids| in_time(rooms::several(looked.clone(), ids)));
        let doors = Doors::new(rooms.clone(), looking.clone());
        let loaded = sessions.clone();
        let loading = Gathered::new(move |keys| in_time(sessions::load(loaded.clone(), keys)));
        Ok(Self {
            rooms,
            chats,
            sessions,
            tokens: database.collection("tokens"),
            nodes: database.collection("nodes"),
            histories,
            logs,
            together,
            doors,
            looking,
            loading,
            database,
        })
    }
}

#[async_trait]
impl Store for MongoStore {
    async fn open(&self, room: NewRoom, at_most: usize) -> Result<bool> {
        in_time(rooms::open(&self.rooms, &room, at_most)).await
    }

    async fn room(&self, id: &RoomId) -> Result<Option<Room>> {
        in_time(self.looking.ask(id.clone())).await?.map(RoomDocument::room).transpose()
    }

    async fn lobby(&self, query: LobbyQuery) -> Result<LobbyPage> {
        in_time(rooms::lobby(&self.rooms, &query)).await
    }

    async fn summaries(&self, ids: Vec<RoomId>) -> Result<Vec<RoomSummary>> {
        in_time(rooms::summaries(&self.rooms, &ids)).await
    }

    async fn enter(&self, entry: Entry) -> Result<Entering> {
        in_time(self.doors.enter(entry)).await
    }

    async fn drop_socket(
        &self,
        room: &RoomId,
        person: &PersonId,
        socket: &SocketId,
        at: Timestamp,
    ) -> Result<Dropped> {
        in_time(seats::drop_socket(&self.rooms, room, person, socket, at)).await
    }

    async fn depart(
        &self,
        room: &RoomId,
        person: &PersonId,
        departing: Departing,
    ) -> Result<Departure> {
        in_time(seats::depart(&self.rooms, room, person, departing)).await
    }

    async fn close(&self, room: &RoomId, closing: Closing) -> Result<bool> {
        in_time(rooms::close(&self.rooms, room, closing)).await
    }

    async fn replace_absent_owner(&self, room: &RoomId) -> Result<Option<Person>> {
        in_time(seats::replace_absent_owner(&self.rooms, room)).await
    }

    async fn change(
        &self,
        room: &RoomId,
        by: &PersonId,
        change: RoomChange,
    ) -> Result<std::result::Result<Changed, Undone>> {
        in_time(owner::change(&self.rooms, room, by, &change)).await
    }

    async fn hand_over(
        &self,
        room: &RoomId,
        from: &PersonId,
        to: &PersonId,
    ) -> Result<std::result::Result<Room, Undone>> {
        in_time(owner::hand_over(&self.rooms, room, from, to)).await
    }

    async fn empty(
        &self,
        room: &RoomId,
        seq: Seq,
        who: &PersonId,
        owner: bool,
    ) -> Result<Emptying> {
        in_time(messages::empty(&self.chats, room, seq, who, owner)).await
    }

    async fn append(&self, room: &RoomId, drafts: Vec<Draft>) -> Result<Vec<Appended>> {
        in_time(self.together.write(room, drafts)).await
    }

    async fn head(&self, room: &RoomId) -> Result<Option<Seq>> {
        in_time(messages::head(&self.rooms, &self.chats, room)).await
    }

    async fn history(&self, room: &RoomId, viewer: &PersonId, window: Window) -> Result<History> {
        let mut found = self.histories(room, std::slice::from_ref(viewer), window).await?;
        found.pop().ok_or_else(|| Error::new("a history is missing"))
    }

    async fn histories(
        &self,
        room: &RoomId,
        viewers: &[PersonId],
        window: Window,
    ) -> Result<Vec<History>> {
        let end = self.logs.end(room);
        let found = in_time(self.histories.read(room, viewers, window, end)).await?;
        Ok(found.into_iter().map(|found| self.logs.kept(room, found, window)).collect())
    }

    async fn trim(&self, room: &RoomId, up_to: Seq, at_most: usize) -> Result<Trimmed> {
        in_time(trim::trim(&self.chats, room, up_to, at_most)).await
    }

    async fn purge(&self, room: &RoomId) -> Result<()> {
        in_time(messages::purge(&self.rooms, &self.chats, room)).await?;
        self.logs.forget(room);
        Ok(())
    }

    async fn overdue(&self, away_since: Timestamp, unused_since: Timestamp) -> Result<Vec<RoomId>> {
        in_time(rooms::overdue(&self.rooms, away_since, unused_since)).await
    }

    async fn orphans(&self) -> Result<Vec<RoomId>> {
        in_time(messages::orphans(&self.chats)).await
    }

    async fn beat(&self, node: &NodeId, at: Timestamp) -> Result<bool> {
        in_time(nodes::beat(&self.nodes, node, at)).await
    }

    async fn bury_nodes(
        &self,
        alive: &NodeId,
        seen_before: Timestamp,
        at: Timestamp,
    ) -> Result<()> {
        in_time(nodes::bury(&self.rooms, &self.nodes, alive, seen_before, at)).await
    }

    async fn retire(&self, node: &NodeId, at: Timestamp) -> Result<()> {
        in_time(nodes::retire(&self.rooms, &self.nodes, node, at)).await
    }

    async fn create_session(&self, session: SessionRow) -> Result<bool> {
        in_time(sessions::create(&self.sessions, session)).await
    }

    async fn save_session(&self, session: SessionRow) -> Result<()> {
        in_time(sessions::save(&self.sessions, session)).await
    }

    async fn session(&self, key: &str, now: Timestamp) -> Result<Option<SessionRow>> {
        let found = in_time(self.loading.ask(key.to_owned())).await?;
        Ok(found.filter(|session| session.expires_at > now))
    }

    async fn ended_sessions(&self, keys: Vec<Arc<str>>, now: Timestamp) -> Result<Vec<Arc<str>>> {
        in_time(sessions::ended(&self.sessions, keys, now)).await
    }

    async fn prolong_session(&self, key: &str, until: Timestamp) -> Result<()> {
        in_time(sessions::prolong(&self.sessions, key, until)).await
    }

    /// The session first: without it, its tokens are worth nothing.
    async fn delete_session(&self, key: &str) -> Result<()> {
        in_time(sessions::delete(&self.sessions, key)).await?;
        in_time(tokens::delete(&self.tokens, key, None)).await?;
        Ok(())
    }

    async fn delete_expired_sessions(&self, now: Timestamp) -> Result<()> {
        in_time(sessions::delete_expired(&self.sessions, now)).await?;
        in_time(tokens::delete_expired(&self.tokens, now)).await
    }

    async fn create_token(&self, token: TokenRow, at_most: usize) -> Result<bool> {
        in_time(tokens::create(&self.tokens, &token, at_most)).await
    }

    async fn token(&self, hash: &TokenHash, now: Timestamp) -> Result<Option<TokenRow>> {
        in_time(tokens::find(&self.tokens, hash, now)).await
    }

    async fn tokens(&self, session: &str, now: Timestamp) -> Result<Vec<TokenRow>> {
        in_time(tokens::of_session(&self.tokens, session, now)).await
    }

    async fn ended_tokens(&self, ids: Vec<TokenId>, now: Timestamp) -> Result<Vec<TokenId>> {
        in_time(tokens::ended(&self.tokens, ids, now)).await
    }

    async fn delete_tokens(&self, session: &str, only: Option<&TokenId>) -> Result<usize> {
        in_time(tokens::delete(&self.tokens, session, only)).await
    }

    async fn rooms_of(&self, person: &PersonId) -> Result<Vec<Room>> {
        in_time(rooms::of(&self.rooms, person)).await
    }

    /// Asks the primary: a replica set without one takes no writes, and is not ready.
    async fn ready(&self) -> Result<()> {
        in_time(async {
            self.database.run_command(doc! { "ping": 1 }).await?;
            Ok(())
        })
        .await
    }
}
