//! Rooms: creating, listing, changing and removing them.

use async_trait::async_trait;

use super::Result;
use crate::domain::{
    Capacity, OwnerActionError, PasswordHash, Person, PersonId, Room, RoomChange, RoomId,
    RoomSummary, RoomTitle, Timestamp,
};

/// A room to create. It has no seats; `created_at` starts its wait for the first visitor.
#[derive(Debug, Clone)]
pub struct NewRoom {
    /// Its id.
    pub id: RoomId,
    /// The title that the lobby lists.
    pub title: RoomTitle,
    /// The number of seats.
    pub max: Capacity,
    /// The visitor who creates it.
    pub owner: Person,
    /// The hash of the password that a newcomer must present.
    pub password: Option<PasswordHash>,
    /// When it is created.
    pub created_at: Timestamp,
}

/// A page of the lobby: rooms by number of people, descending, then newest first, then by id.
#[derive(Debug, Clone, Default)]
pub struct LobbyQuery {
    /// Only rooms whose title contains this text, ignoring case. Empty matches all.
    pub search: String,
    /// Number of rooms to skip.
    pub skip: usize,
    /// Largest number of rooms on the page.
    pub limit: usize,
}

/// The result of a [`LobbyQuery`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LobbyPage {
    /// The rooms of the page.
    pub rooms: Vec<RoomSummary>,
    /// Number of matching rooms over all pages.
    pub total: usize,
}

/// The condition for removing a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closing {
    /// Only if it belongs to this person, even with people in it.
    By(PersonId),
    /// Only if nobody but bots has entered it since its creation at this time or earlier.
    IfUnusedSince(Timestamp),
}

/// A room before and after a change by its owner.
#[derive(Debug, Clone)]
pub struct Changed {
    /// Before the change.
    pub before: Room,
    /// After the change.
    pub after: Room,
}

/// Rooms, without their seats.
#[async_trait]
pub trait RoomStore: Send + Sync {
    /// Creates a room unless `at_most` exist; says whether. Each node may exceed that by one.
    async fn open(&self, room: NewRoom, at_most: usize) -> Result<bool>;

    /// A room with its seats.
    async fn room(&self, id: &RoomId) -> Result<Option<Room>>;

    /// The rooms in which a person has a seat, ordered by id.
    async fn rooms_of(&self, person: &PersonId) -> Result<Vec<Room>>;

    /// A page of the lobby.
    async fn lobby(&self, query: LobbyQuery) -> Result<LobbyPage>;

    /// Summaries of the rooms with these ids that exist, in any order.
    async fn summaries(&self, ids: Vec<RoomId>) -> Result<Vec<RoomSummary>>;

    /// Changes a room, if [`Room::may_change`] allows it.
    async fn change(
        &self,
        room: &RoomId,
        by: &PersonId,
        change: RoomChange,
    ) -> Result<std::result::Result<Changed, OwnerActionError>>;

    /// Removes a room; returns whether it did. Its messages stay until [`MessageStore::purge`].
    async fn close(&self, room: &RoomId, closing: Closing) -> Result<bool>;

    /// Rooms with a person away since `away_since` or earlier, and rooms that nobody entered,
    /// created at `unused_since` or earlier.
    async fn overdue(&self, away_since: Timestamp, unused_since: Timestamp) -> Result<Vec<RoomId>>;
}
