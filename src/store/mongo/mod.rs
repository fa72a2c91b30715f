//! The MongoDB store: for several nodes, and for admins who query the collections.
//!
//! A room is one document that embeds its seats. Each decision about a room is one update of that
//! document, whose filter repeats every condition of the decision: optimistic concurrency, correct
//! on any number of nodes without transactions. A caller that loses a race reads again and retries.

mod batching;
mod chat_document;
mod connection;
mod histories;
mod messages;
mod nodes;
mod owner;
mod room_document;
mod rooms;
mod schema;
mod seats;
mod sequence;
mod sessions;
mod tokens;
mod trim;

use std::sync::Arc;

use async_trait::async_trait;
use mongodb::{Collection, Database, bson::doc};

use super::{
    Appended, Changed, Closing, DeleteOutcome, DisconnectOutcome, EnterOutcome, Entry, Error,
    LeaveOutcome, LeaveReason, LobbyPage, LobbyQuery, NewRoom, Result, SessionRow, Store, TokenRow,
    Trimmed,
};
use crate::domain::{
    Draft, History, NodeId, OwnerActionError, Person, PersonId, Room, RoomChange, RoomId,
    RoomSummary, Seq, SocketId, Timestamp, TokenHash, TokenId, Window,
};
use batching::append::AppendBatcher;
use batching::entry::EntryBatcher;
use batching::loader::Loader;
use chat_document::ChatDocument;
use connection::with_deadline;
use histories::Histories;
use nodes::NodeDocument;
use room_document::RoomDocument;
use sequence::Sequences;
use sessions::SessionDocument;
use tokens::TokenDocument;

impl From<mongodb::error::Error> for Error {
    fn from(cause: mongodb::error::Error) -> Self {
        Self::new(cause)
    }
}

/// The store for several nodes.
#[derive(Debug)]
pub struct MongoStore {
    database: Database,
    rooms: Collection<RoomDocument>,
    chats: Collection<ChatDocument>,
    sessions: Collection<SessionDocument>,
    tokens: Collection<TokenDocument>,
    nodes: Collection<NodeDocument>,
    histories: Histories,
    sequences: Sequences,
    appender: AppendBatcher,
    entries: EntryBatcher,
    /// Batched lookups of rooms by id.
    room_loader: Loader<RoomId, Option<RoomDocument>>,
    /// Batched lookups of sessions by key.
    session_loader: Loader<String, Option<SessionRow>>,
}

impl MongoStore {
    /// Connects, and updates validators and indexes. The database is the path of the URI, or
    /// `huechat`. `credentials`, a name and a password, override those of the URI.
    ///
    /// # Errors
    /// When the URI is invalid, no server answers, or the credentials are rejected.
    pub async fn open(uri: &str, credentials: Option<(String, String)>) -> Result<Self> {
        let database = connection::open(uri, credentials).await?;
        schema::apply(&database).await?;
        let (rooms, chats) = (database.collection("rooms"), database.collection("chats"));
        let sessions: Collection<SessionDocument> = database.collection("sessions");
        let histories = Histories::new(chats.clone());
        let sequences = Sequences::default();
        let appender = AppendBatcher::new(database.clone(), sequences.clone());
        let looked = rooms.clone();
        let room_loader =
            Loader::new(move |ids| with_deadline(rooms::several(looked.clone(), ids)));
        let entries = EntryBatcher::new(rooms.clone(), room_loader.clone());
        let loaded = sessions.clone();
        let session_loader =
            Loader::new(move |keys| with_deadline(sessions::load(loaded.clone(), keys)));
        Ok(Self {
            rooms,
            chats,
            sessions,
            tokens: database.collection("tokens"),
            nodes: database.collection("nodes"),
            histories,
            sequences,
            appender,
            entries,
            room_loader,
            session_loader,
            database,
        })
    }
}

#[async_trait]
impl Store for MongoStore {
    async fn open(&self, room: NewRoom, at_most: usize) -> Result<bool> {
        with_deadline(rooms::open(&self.rooms, &room, at_most)).await
    }

    async fn room(&self, id: &RoomId) -> Result<Option<Room>> {
        with_deadline(self.room_loader.ask(id.clone())).await?.map(RoomDocument::room).transpose()
    }

    async fn lobby(&self, query: LobbyQuery) -> Result<LobbyPage> {
        with_deadline(rooms::lobby(&self.rooms, &query)).await
    }

    async fn summaries(&self, ids: Vec<RoomId>) -> Result<Vec<RoomSummary>> {
        with_deadline(rooms::summaries(&self.rooms, &ids)).await
    }

    async fn enter(&self, entry: Entry) -> Result<EnterOutcome> {
        with_deadline(self.entries.enter(entry)).await
    }

    async fn drop_socket(
        &self,
        room: &RoomId,
        person: &PersonId,
        socket: &SocketId,
        at: Timestamp,
    ) -> Result<DisconnectOutcome> {
        with_deadline(seats::drop_socket(&self.rooms, room, person, socket, at)).await
    }

    async fn depart(
        &self,
        room: &RoomId,
        person: &PersonId,
        departing: LeaveReason,
    ) -> Result<LeaveOutcome> {
        with_deadline(seats::depart(&self.rooms, room, person, departing)).await
    }

    async fn close(&self, room: &RoomId, closing: Closing) -> Result<bool> {
        with_deadline(rooms::close(&self.rooms, room, closing)).await
    }

    async fn replace_absent_owner(&self, room: &RoomId) -> Result<Option<Person>> {
        with_deadline(seats::replace_absent_owner(&self.rooms, room)).await
    }

    async fn change(
        &self,
        room: &RoomId,
        by: &PersonId,
        change: RoomChange,
    ) -> Result<std::result::Result<Changed, OwnerActionError>> {
        with_deadline(owner::change(&self.rooms, room, by, &change)).await
    }

    async fn hand_over(
        &self,
        room: &RoomId,
        from: &PersonId,
        to: &PersonId,
    ) -> Result<std::result::Result<Room, OwnerActionError>> {
        with_deadline(owner::hand_over(&self.rooms, room, from, to)).await
    }

    async fn delete_message(
        &self,
        room: &RoomId,
        seq: Seq,
        who: &PersonId,
        owner: bool,
    ) -> Result<DeleteOutcome> {
        with_deadline(messages::delete(&self.chats, room, seq, who, owner)).await
    }

    async fn append(&self, room: &RoomId, drafts: Vec<Draft>) -> Result<Vec<Appended>> {
        with_deadline(self.appender.write(room, drafts)).await
    }

    async fn latest_public_seq(&self, room: &RoomId) -> Result<Option<Seq>> {
        with_deadline(messages::latest_public_seq(&self.rooms, &self.chats, room)).await
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
        let end = self.sequences.end(room);
        let found = with_deadline(self.histories.read(room, viewers, window, end)).await?;
        Ok(found.into_iter().map(|found| self.sequences.committed(room, found, window)).collect())
    }

    async fn trim(&self, room: &RoomId, up_to: Seq, at_most: usize) -> Result<Trimmed> {
        with_deadline(trim::trim(&self.chats, room, up_to, at_most)).await
    }

    async fn purge(&self, room: &RoomId) -> Result<()> {
        with_deadline(messages::purge(&self.rooms, &self.chats, room)).await?;
        self.sequences.forget(room);
        Ok(())
    }

    async fn overdue(&self, away_since: Timestamp, unused_since: Timestamp) -> Result<Vec<RoomId>> {
        with_deadline(rooms::overdue(&self.rooms, away_since, unused_since)).await
    }

    async fn orphans(&self) -> Result<Vec<RoomId>> {
        with_deadline(messages::orphans(&self.chats)).await
    }

    async fn heartbeat(&self, node: &NodeId, at: Timestamp) -> Result<bool> {
        with_deadline(nodes::heartbeat(&self.nodes, node, at)).await
    }

    async fn reap_dead_nodes(
        &self,
        alive: &NodeId,
        seen_before: Timestamp,
        at: Timestamp,
    ) -> Result<()> {
        with_deadline(nodes::reap(&self.rooms, &self.nodes, alive, seen_before, at)).await
    }

    async fn retire(&self, node: &NodeId, at: Timestamp) -> Result<()> {
        with_deadline(nodes::retire(&self.rooms, &self.nodes, node, at)).await
    }

    async fn create_session(&self, session: SessionRow) -> Result<bool> {
        with_deadline(sessions::create(&self.sessions, session)).await
    }

    async fn save_session(&self, session: SessionRow) -> Result<()> {
        with_deadline(sessions::save(&self.sessions, session)).await
    }

    async fn session(&self, key: &str, now: Timestamp) -> Result<Option<SessionRow>> {
        let found = with_deadline(self.session_loader.ask(key.to_owned())).await?;
        Ok(found.filter(|session| session.expires_at > now))
    }

    async fn ended_sessions(&self, keys: Vec<Arc<str>>, now: Timestamp) -> Result<Vec<Arc<str>>> {
        with_deadline(sessions::ended(&self.sessions, keys, now)).await
    }

    async fn prolong_session(&self, key: &str, until: Timestamp) -> Result<()> {
        with_deadline(sessions::prolong(&self.sessions, key, until)).await
    }

    /// Deletes the session first: tokens without a session are invalid.
    async fn delete_session(&self, key: &str) -> Result<()> {
        with_deadline(sessions::delete(&self.sessions, key)).await?;
        with_deadline(tokens::delete(&self.tokens, key, None)).await?;
        Ok(())
    }

    async fn delete_expired_sessions(&self, now: Timestamp) -> Result<()> {
        with_deadline(sessions::delete_expired(&self.sessions, now)).await?;
        with_deadline(tokens::delete_expired(&self.tokens, now)).await
    }

    async fn create_token(&self, token: TokenRow, at_most: usize) -> Result<bool> {
        with_deadline(tokens::create(&self.tokens, &token, at_most)).await
    }

    async fn token(&self, hash: &TokenHash, now: Timestamp) -> Result<Option<TokenRow>> {
        with_deadline(tokens::find(&self.tokens, hash, now)).await
    }

    async fn tokens(&self, session: &str, now: Timestamp) -> Result<Vec<TokenRow>> {
        with_deadline(tokens::of_session(&self.tokens, session, now)).await
    }

    async fn ended_tokens(&self, ids: Vec<TokenId>, now: Timestamp) -> Result<Vec<TokenId>> {
        with_deadline(tokens::ended(&self.tokens, ids, now)).await
    }

    async fn delete_tokens(&self, session: &str, only: Option<&TokenId>) -> Result<usize> {
        with_deadline(tokens::delete(&self.tokens, session, only)).await
    }

    async fn rooms_of(&self, person: &PersonId) -> Result<Vec<Room>> {
        with_deadline(rooms::of(&self.rooms, person)).await
    }

    /// Pings the primary: a replica set without one accepts no writes, and is not ready.
    async fn ready(&self) -> Result<()> {
        with_deadline(async {
            self.database.run_command(doc! { "ping": 1 }).await?;
            Ok(())
        })
        .await
    }
}
