//! Operations for bots: rate checks, their rooms, and direct messages to a person in a shared room.

use super::{ChatService, Error, Requester};
use crate::domain::{ClientId, Message, Person, PersonId, Room, RoomId, RoomSummary};

impl ChatService {
    /// Counts a new token against the rate limit.
    ///
    /// # Errors
    /// [`Error::SlowDown`].
    pub fn may_make_token(&self, me: Requester<'_>) -> Result<(), Error> {
        self.limits.tokens.check(me)
    }

    /// Counts a bot's frame against the rate limit.
    ///
    /// # Errors
    /// [`Error::SlowDown`].
    pub fn may_ask(&self, me: Requester<'_>) -> Result<(), Error> {
        self.limits.frames.check(me)
    }

    /// The rooms in which a person has a seat, including seats kept for the grace.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn rooms_of(&self, me: &PersonId) -> Result<Vec<RoomSummary>, Error> {
        Ok(self.store.rooms_of(me).await?.iter().map(Room::summary).collect())
    }

    /// Sends a message to one person in a shared room. Of several, it takes a room where that
    /// person is connected, and of those the one they entered last.
    ///
    /// # Errors
    /// [`Error::NotHere`] without a shared room, and the reasons of [`ChatService::whisper`].
    pub async fn whisper_wherever(
        &self,
        me: Requester<'_>,
        to: &PersonId,
        text: &str,
        client_id: Option<ClientId>,
    ) -> Result<Message, Error> {
        if to == me.id {
            return Err(Error::Yourself);
        }
        self.limits.reads.check(me)?;
        let shared = self.store.rooms_of(me.id).await?;
        let seats = shared.iter().filter_map(|room| Some((room, room.seat(to)?)));
        let likeliest = seats.max_by_key(|(_, seat)| (seat.left_at.is_none(), seat.since));
        let (room, _) = likeliest.ok_or(Error::NotHere)?;
        match self.whisper(&room.id, me, to, text, client_id).await {
            // One of them has left since.
            Err(Error::NoSuchRoom | Error::NotInRoom) => Err(Error::NotHere),
            outcome => outcome,
        }
    }

    /// Gives up a person's seats in these rooms. Rooms without such a seat are skipped.
    pub async fn exit_all(&self, me: &Person, rooms: impl IntoIterator<Item = RoomId>) {
        for room in rooms {
            match self.exit(&room, me).await {
                Ok(()) | Err(Error::NotInRoom) => {}
                // The seat ends with the grace once its connection is closed.
                Err(error) => tracing::warn!(%room, ?error, "could not give up the seat of a bot"),
            }
        }
    }
}
