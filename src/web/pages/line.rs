//! A message on the page. History and scripts use the same partial.

use std::time::Duration;

use super::{
    Frame, Texts, color_class,
    rich_text::{Piece, pieces},
};
use crate::domain::{Body, Gif, Message, Person, RoomId, Seq, Timestamp};

/// A message continues the sender's previous one when it follows within this time. The scripts use
/// the same value.
const CONTINUES_WITHIN: Duration = Duration::from_mins(5);

#[derive(Debug)]
pub(super) struct Line {
    pub(super) seq: Option<Seq>,
    /// The message's `clientId`, on the sender's own page only.
    pub(super) client: Option<String>,
    pub(super) person: String,
    pub(super) class: String,
    pub(super) author: String,
    /// Whether a bot sent it.
    pub(super) bot: bool,
    pub(super) at: String,
    /// Hours and minutes in UTC; scripts replace them with the reader's time zone.
    pub(super) clock: String,
    pub(super) mine: bool,
    /// Whether the page omits the author and time, because it continues the previous message.
    pub(super) continued: bool,
    pub(super) content: LineContent,
}

#[derive(Debug)]
pub(super) enum LineContent {
    System { code: &'static str, words: String },
    Text(Vec<Piece>),
    Whisper { to: String, pieces: Vec<Piece> },
    Gif(Picture),
    Deleted,
}

#[derive(Debug, Default)]
pub(super) struct Picture {
    pub(super) file: String,
    pub(super) poster: String,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) alt: String,
    /// Whether the GIF has more than one frame.
    pub(super) moving: bool,
}

impl Line {
    /// The lines of a window of history.
    pub(super) fn all<'a>(messages: impl Iterator<Item = &'a Message>, frame: &Frame) -> Vec<Self> {
        let mut before: Option<&Message> = None;
        let mut lines = Vec::new();
        for message in messages {
            let continued = before.is_some_and(|before| continues(before, message));
            lines.push(Self::new(message, frame, continued));
            before = Some(message);
        }
        lines
    }

    fn new(message: &Message, frame: &Frame, continued: bool) -> Self {
        let texts = frame.texts;
        let mine = message.by.id == frame.me.id;
        let about = match &message.body {
            Body::System { person, .. } => person,
            _ => &message.by,
        };
        Self {
            seq: Some(message.seq),
            client: message.client_id.as_ref().filter(|_| mine).map(ToString::to_string),
            person: about.id.to_string(),
            class: color_class(about.color),
            author: if mine { texts.text("you-as-author") } else { texts.name(&message.by.name) },
            bot: message.by.name.bot,
            at: message.at.to_string(),
            clock: clock(message.at),
            mine: mine && !matches!(message.body, Body::System { .. }),
            continued,
            content: LineContent::new(message, texts),
        }
    }

    /// An empty line of each kind, which scripts clone and fill in.
    pub(super) fn blanks() -> [Self; 5] {
        [
            LineContent::System { code: "", words: String::new() },
            LineContent::Text(Vec::new()),
            LineContent::Whisper { to: String::new(), pieces: Vec::new() },
            LineContent::Gif(Picture::default()),
            LineContent::Deleted,
        ]
        .map(|content| Self {
            seq: None,
            client: None,
            person: String::new(),
            class: String::new(),
            author: String::new(),
            bot: false,
            at: String::new(),
            clock: String::new(),
            mine: false,
            continued: false,
            content,
        })
    }

    pub(super) fn kind(&self) -> &'static str {
        match self.content {
            LineContent::System { .. } => "system",
            LineContent::Text(_) => "chat",
            LineContent::Whisper { .. } => "whisper",
            LineContent::Gif(_) => "gif",
            LineContent::Deleted => "deleted",
        }
    }
}

impl LineContent {
    fn new(message: &Message, texts: Texts) -> Self {
        match &message.body {
            Body::Text(text) => Self::Text(pieces(text)),
            Body::Gif(gif) => Self::Gif(Picture::new(&message.room, gif, &message.by, texts)),
            Body::System { code, person } => {
                Self::System { code: code.code(), words: texts.system(*code, person) }
            }
            Body::Whisper { to, text } => {
                let words = texts.with("whisper-to", &[("person", texts.person(to).into())]);
                Self::Whisper { to: words, pieces: pieces(text) }
            }
            Body::DeletedText | Body::DeletedGif | Body::DeletedWhisper { .. } => Self::Deleted,
        }
    }
}

impl Picture {
    fn new(room: &RoomId, gif: &Gif, by: &Person, texts: Texts) -> Self {
        let (width, height) = fit(gif.facts.width, gif.facts.height);
        Self {
            file: format!("/gif/{room}/{}.gif", gif.hash),
            poster: format!("/gif/{room}/{}.png", gif.hash),
            width,
            height,
            alt: texts.with("gif-alt", &[("person", texts.person(by).into())]),
            moving: gif.facts.frames > 1,
        }
    }
}

/// The size at which the page shows a GIF: its own, or the largest that fits the box. The HTML has
/// it so that the layout does not move when the file arrives. The scripts use the same box.
fn fit(width: u32, height: u32) -> (u32, u32) {
    const BOX: (u32, u32) = (352, 320);
    let (w, h) = (u64::from(width.max(1)), u64::from(height.max(1)));
    let (most_w, most_h) = (u64::from(BOX.0).min(w), u64::from(BOX.1).min(h));
    let by_width = (most_w, (most_w * h / w).max(1));
    let by_height = ((most_h * w / h).max(1), most_h);
    let (w, h) = if by_width.1 <= most_h { by_width } else { by_height };
    (u32::try_from(w).unwrap_or(BOX.0), u32::try_from(h).unwrap_or(BOX.1))
}

fn continues(before: &Message, message: &Message) -> bool {
    let spoken = |body: &Body| {
        !matches!(body, Body::System { .. } | Body::Whisper { .. } | Body::DeletedWhisper { .. })
    };
    before.by.id == message.by.id
        && spoken(&before.body)
        && spoken(&message.body)
        && before.at >= message.at.before(CONTINUES_WITHIN)
}

/// `14:03` of `2026-01-01T14:03:00.000Z`.
fn clock(at: Timestamp) -> String {
    at.to_string().get(11..16).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gif_keeps_its_size_or_its_shape() {
        for (file, shown) in [
            ((300, 200), (300, 200)),
            ((704, 320), (352, 160)),
            ((352, 640), (176, 320)),
            ((10_000, 1), (352, 1)),
            ((1, 10_000), (1, 320)),
        ] {
            assert_eq!(fit(file.0, file.1), shown, "{file:?}");
        }
    }

    #[test]
    fn the_clock_shows_hours_and_minutes() {
        assert_eq!(clock(Timestamp::from_millis(1_767_225_780_000)), "00:03");
    }
}
