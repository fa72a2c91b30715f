//! A room in the lobby: its title, and the colours of those inside.

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
    /// A class for each: a colour, or a free place.
    pub(super) dots: Vec<String>,
    /// How many are there beyond those whose colour is shown.
    pub(super) more: String,
    pub(super) locked: bool,
    pub(super) full: bool,
}

impl RoomCard {
    /// In a room for no more than this, the free places are shown too.
    const MOST_PLACES: u32 = 12;

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

    /// For scripts to fill in.
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
        let free = if max <= Self::MOST_PLACES { max.saturating_sub(room.count) } else { 0 };
        let taken = room.colors.iter().map(|color| color_class(*color));
        taken.chain((0..free).map(|_| String::from("dot--free"))).collect()
    }
}
