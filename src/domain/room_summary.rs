//! What everybody may know of a room.

use super::{Capacity, Color, Person, Room, RoomId, RoomTitle, Timestamp};

/// A room's public summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomSummary {
    /// Its id.
    pub id: RoomId,
    /// The title.
    pub title: RoomTitle,
    /// The capacity.
    pub max: Capacity,
    /// Number of people in the room.
    pub count: u32,
    /// The colours of the first twelve people, in order of entry.
    pub colors: Vec<Color>,
    /// The owner.
    pub owner: Person,
    /// Whether a newcomer needs a password.
    pub has_password: bool,
    /// Whether the room is locked for newcomers.
    pub locked: bool,
    /// Time of creation.
    pub created_at: Timestamp,
}

impl RoomSummary {
    /// Number of colours on a room's card in the lobby.
    pub const MAX_COLORS: usize = 12;
}

impl Room {
    /// The room's public summary, as shown in the lobby.
    #[must_use]
    pub fn summary(&self) -> RoomSummary {
        RoomSummary {
            id: self.id.clone(),
            title: self.title.clone(),
            max: self.max,
            count: u32::try_from(self.people.len()).unwrap_or(u32::MAX),
            colors: self
                .people
                .iter()
                .take(RoomSummary::MAX_COLORS)
                .map(|seat| seat.person.color)
                .collect(),
            owner: self.owner.clone(),
            has_password: self.password.is_some(),
            locked: self.locked,
            created_at: self.created_at,
        }
    }
}
