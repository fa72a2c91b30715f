//! A room in the lobby: its title, and the colours of the people in it.

use fluent_bundle::FluentValue;

use super::{Texts, color_class};
use crate::domain::RoomSummary;

#[derive(Debug, Default)]
pub(super) struct RoomCard {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) count: u32,
    pub(super) max: u32,
    pub(super) seats: String,
    pub(super) owner_name: String,
    pub(super) owner_class: String,
    /// A CSS class for each dot: a person's colour, or a free seat.
    pub(super) dots: Vec<String>,
    /// Text with the number of people without a dot; empty for none.
    pub(super) more: String,
    pub(super) locked: bool,
    pub(super) full: bool,
}

impl RoomCard {
    /// Largest capacity for which the card shows free seats.
    const MAX_FREE_DOTS: u32 = 12;

    pub(super) fn new(room: &RoomSummary, texts: Texts) -> Self {
        let max = room.max.get();
        let [count, of] = [room.count, max].map(|n| FluentValue::from(n.to_string()));
        Self {
            id: room.id.to_string(),
            title: room.title.as_str().to_owned(),
            count: room.count,
            max,
            seats: texts.with("seats", &[("count", count), ("max", of)]),
            owner_name: texts.person(&room.owner),
            owner_class: color_class(room.owner.color),
            dots: Self::dots(room),
            more: Self::more(room, texts),
            locked: room.has_password || room.locked,
            full: room.count >= max,
        }
    }

    /// An empty card, which scripts clone and fill in.
    pub(super) fn blank() -> Self {
        Self::default()
    }

    fn more(room: &RoomSummary, texts: Texts) -> String {
        let shown = u32::try_from(room.colors.len()).unwrap_or(u32::MAX);
        match room.count.saturating_sub(shown) {
            0 => String::new(),
            more => texts.counting("people-more", more),
        }
    }

    fn dots(room: &RoomSummary) -> Vec<String> {
        let max = room.max.get();
        let free = if max <= Self::MAX_FREE_DOTS { max.saturating_sub(room.count) } else { 0 };
        let taken = room.colors.iter().map(|color| color_class(*color));
        taken.chain((0..free).map(|_| String::from("dot--free"))).collect()
    }
}
