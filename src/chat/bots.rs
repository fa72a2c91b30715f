//! What bots need beside what everybody does, and messages to one person wherever they are.

use super::{Caller, Chat, Error};
use crate::domain::{ClientId, Message, Person, PersonId, Room, RoomId, RoomSummary};

impl Chat {
    /// Whether somebody may make another token now.
    ///
    /// # Errors
    /// [`Error::SlowDown`].
    pub fn may_make_token(&self, me: Caller<'_>) -> Result<(), Error> {
        self.limits.tokens.check(me)
    }

    /// Whether a bot may have something done now.
    ///
    /// # Errors
    /// [`Error::SlowDown`].
    pub fn may_ask(&self, me: Caller<'_>) -> Result<(), Error> {
        self.limits.frames.check(me)
    }

    /// The rooms in which somebody has a seat, be it kept for them.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn rooms_of(&self, me: &PersonId) -> Result<Vec<RoomSummary>, Error> {
        Ok(self.store.rooms_of(me).await?.iter().map(Room::summary).collect())
    }

    /// Says something to one person in a room that they share: of several, the one where that person is
    /// connected, and of those the one that they came into last.
    ///
    /// # Errors
    /// [`Error::NotHere`] when there is none, and the reasons of [`Chat::whisper`].
    pub async fn whisper_wherever(
        &self,
        me: Caller<'_>,
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
            Err(Error::NoSuchRoom | Error::NotInRoom) => Err(Error::NotHere), // They have parted since.
            said => said,
        }
    }

    /// Leaves every room for good; whoever has no seat there any more has left already.
    pub async fn exit_all(&self, me: &Person, rooms: impl IntoIterator<Item = RoomId>) {
        for room in rooms {
            match self.exit(&room, me).await {
                Ok(()) | Err(Error::NotInRoom) => {}
                // The seat goes when its connection has, after the grace.
                Err(error) => tracing::warn!(%room, ?error, "could not give up the seat of a bot"),
            }
        }
    }
}
