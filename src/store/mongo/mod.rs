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
mod retry;
mod room_document;
mod rooms;
mod schema;
mod seats;
mod sequence;
mod sessions;
mod tokens;

use mongodb::{Collection, Database, error::ErrorKind};

use super::{Error, Result, SessionRow};
use crate::domain::RoomId;
use batching::append::AppendBatcher;
use batching::entry::EntryBatcher;
use batching::loader::Loader;
use chat_document::ChatDocument;
use connection::with_deadline;
use histories::Histories;
use nodes::{NodeDocument, StoreDocument};
use room_document::RoomDocument;
use sequence::Sequences;
use sessions::SessionDocument;
use tokens::TokenDocument;

impl From<mongodb::error::Error> for Error {
    fn from(cause: mongodb::error::Error) -> Self {
        match &*cause.kind {
            ErrorKind::ServerSelection { .. }
            | ErrorKind::Io(_)
            | ErrorKind::ConnectionPoolCleared { .. } => Self::away(cause),
            _ => Self::new(cause),
        }
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
    store: Collection<StoreDocument>,
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
    /// Reads the settings, without a connection: [`NodeStore::prepare`](super::NodeStore::prepare)
    /// makes the first. The database is the path of the URI, or `huechat`. `credentials`, a name and
    /// a password, override those of the URI.
    ///
    /// # Errors
    /// When the URI is invalid, or a name in it cannot be resolved.
    pub async fn open(uri: &str, credentials: Option<(String, String)>) -> Result<Self> {
        let database = connection::open(uri, credentials).await?;
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
            store: database.collection("store"),
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
