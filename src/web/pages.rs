//! The data of each page. Each struct names its template in `views/` and holds domain types; its
//! methods provide texts and CSS classes, and the template writes the HTML.

mod line;
mod rich_text;
mod room_card;
mod tokens;

use std::sync::Arc;

use askama::Template;
use askama_web::WebTemplate;
use fluent_bundle::FluentValue;

pub use self::tokens::TokensPage;
use self::{
    line::{Line, LineContent},
    rich_text::Piece,
    room_card::RoomCard,
};
use super::{assets, i18n::Texts};
use crate::domain::{Color, Language, Message, Person, Preferences, RoomSummary, Theme};

/// The data that every page needs: the reader and their preferences.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The reader's language.
    pub texts: Texts,
    /// The reader.
    pub me: Person,
    /// The page's theme, if the reader has chosen one.
    pub theme: Option<Theme>,
    /// The reader's preferences.
    pub preferences: Preferences,
    /// The CSRF token of the page's forms.
    pub form_token: String,
    /// The server's public URL, without a slash at its end.
    pub base: String,
}

impl Frame {
    fn class(&self) -> String {
        color_class(self.me.color)
    }

    fn name(&self) -> String {
        self.texts.person(&self.me)
    }

    fn texts_url(&self) -> String {
        texts_url(self.texts)
    }

    /// The languages, each with its own name, and whether the reader has chosen it.
    fn languages(&self) -> impl Iterator<Item = Choice> {
        let chosen = self.preferences.language;
        Language::ALL.into_iter().map(move |language| Choice {
            code: language.code(),
            words: Texts(language).text("language-itself"),
            chosen: chosen == Some(language),
        })
    }

    fn themes(&self) -> impl Iterator<Item = Choice> {
        let (chosen, texts) = (self.preferences.theme, self.texts);
        Theme::ALL.into_iter().map(move |theme| Choice {
            code: theme.code(),
            words: match theme {
                Theme::Light => texts.text("theme-light"),
                Theme::Dark => texts.text("theme-dark"),
            },
            chosen: chosen == Some(theme),
        })
    }
}

/// An option of a preference.
struct Choice {
    code: &'static str,
    words: String,
    chosen: bool,
}

fn texts_url(texts: Texts) -> String {
    assets::url(&format!("locales/{}.ftl", texts.language().code()))
}

/// The CSS class that gives an element a person's colour, as `--person`.
fn color_class(color: Color) -> String {
    format!("c-{}", color.hex().trim_start_matches('#'))
}

/// The lobby.
#[derive(Debug, Template, WebTemplate)]
#[template(path = "lobby.html")]
pub struct LobbyPage {
    /// The data that every page needs.
    pub frame: Frame,
    /// The rooms of this page, as [`Rooms`] renders them.
    pub rooms: Arc<str>,
    /// Number of rooms in the lobby, or of those that a search found.
    pub total: usize,
    /// The search, or empty.
    pub q: String,
    /// Code of the error that redirected the visitor here.
    pub notice: Option<&'static str>,
    /// The room whose password dialog is open.
    pub unlock: Option<RoomSummary>,
}

impl LobbyPage {
    /// The text of the error, unless the password dialog shows it.
    fn banner(&self) -> Option<String> {
        let code = self.notice.filter(|_| self.unlock.is_none())?;
        Some(self.frame.texts.error(code))
    }

    fn password_problem(&self) -> String {
        let code = self.notice.filter(|_| self.unlock.is_some());
        code.map(|code| self.frame.texts.error(code)).unwrap_or_default()
    }
}

/// The rooms on a page of the lobby; the HTML is the same for all readers of a language.
#[derive(Debug, Template)]
#[template(path = "partials/rooms.html")]
pub struct Rooms<'a> {
    /// The readers' language.
    pub texts: Texts,
    /// The rooms of this page.
    pub rooms: &'a [RoomSummary],
    /// This page's number, from 1.
    pub page: usize,
    /// Number of pages.
    pub pages: usize,
    /// The search, or empty.
    pub q: &'a str,
}

impl Rooms<'_> {
    fn cards(&self) -> impl Iterator<Item = RoomCard> {
        self.rooms.iter().map(|room| RoomCard::new(room, self.texts))
    }

    fn nothing_found(&self) -> String {
        self.texts.with("search-empty-title", &[("q", self.q.into())])
    }

    fn where_in_pages(&self) -> String {
        let [page, pages] = [self.page, self.pages].map(|n| FluentValue::from(n.to_string()));
        self.texts.with("page-of", &[("page", page), ("pages", pages)])
    }

    fn link_to_previous(&self) -> Option<String> {
        (self.page > 1).then(|| self.link_to(self.page - 1))
    }

    fn link_to_next(&self) -> Option<String> {
        (self.page < self.pages).then(|| self.link_to(self.page + 1))
    }

    fn link_to(&self, page: usize) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::from("/?"));
        if !self.q.is_empty() {
            query.append_pair("q", self.q);
        }
        query.append_pair("page", &page.to_string()).finish()
    }
}

/// The form for a new room.
#[derive(Debug, Template, WebTemplate)]
#[template(path = "new_room.html")]
pub struct NewRoomPage {
    /// The data that every page needs.
    pub frame: Frame,
    /// The title, as typed.
    pub title: String,
    /// The capacity, as typed.
    pub max: String,
    /// The largest capacity that the server allows.
    pub max_capacity: u32,
    /// Names of invalid fields, each with its error code.
    pub errors: Vec<(&'static str, String)>,
    /// Code of an error that concerns no single field.
    pub problem: Option<&'static str>,
}

impl NewRoomPage {
    fn max_hint(&self) -> String {
        self.frame.texts.counting("room-max-hint", self.max_capacity)
    }

    fn has_error(&self, field: &str) -> bool {
        self.errors.iter().any(|(name, _)| *name == field)
    }

    fn problems(&self, field: &str) -> Vec<String> {
        let codes = self.errors.iter().filter(|(name, _)| *name == field).map(|(_, code)| code);
        codes.map(|code| self.frame.texts.error_counting(code, self.max_capacity)).collect()
    }
}

/// A room with its messages.
#[derive(Debug, Template, WebTemplate)]
#[template(path = "room.html")]
pub struct RoomPage {
    /// The data that every page needs.
    pub frame: Frame,
    /// The room.
    pub room: RoomSummary,
    /// The people in the room, in order of arrival.
    pub people: Vec<Person>,
    /// Whether the reader has a seat, and so sees the messages.
    pub is_seated: bool,
    /// The newest messages, in rising order of `seq`.
    pub messages: Vec<Message>,
    /// Whether there are older ones.
    pub more: bool,
    /// Largest GIF that the server accepts, in bytes.
    pub max_gif_bytes: usize,
    /// The largest capacity of any room.
    pub max_capacity: u32,
}

impl RoomPage {
    fn lines(&self) -> Vec<Line> {
        let seen = self.messages.iter().filter(|message| message.is_seen_by(&self.frame.me.id));
        Line::all(seen, &self.frame)
    }

    #[expect(clippy::unused_self, reason = "templates call methods of their page")]
    fn blank_lines(&self) -> [Line; 5] {
        Line::blanks()
    }

    /// The owner first, then the others in order of arrival.
    fn members(&self) -> impl Iterator<Item = Member> {
        let is_host = |person: &&Person| person.id == self.room.owner.id;
        let host = self.people.iter().filter(is_host);
        let others = self.people.iter().filter(move |person| !is_host(person));
        host.chain(others).map(|person| Member {
            id: person.id.to_string(),
            class: color_class(person.color),
            name: self.frame.texts.name(&person.name),
            bot: person.name.bot,
            you: person.id == self.frame.me.id,
            host: person.id == self.room.owner.id,
        })
    }

    fn is_waiting(&self) -> bool {
        self.people.iter().all(|person| person.id == self.frame.me.id)
    }

    fn link(&self) -> String {
        format!("{}/room/{}", self.frame.base, self.room.id)
    }

    fn people_label(&self) -> String {
        let count = u32::try_from(self.people.len()).unwrap_or(u32::MAX);
        self.frame.texts.counting("people-here-count", count)
    }

    fn capacity(&self) -> String {
        self.frame.texts.counting("room-for", self.room.max.get())
    }
}

/// A person in the room's list of people.
#[derive(Debug, Default)]
struct Member {
    id: String,
    class: String,
    name: String,
    bot: bool,
    you: bool,
    host: bool,
}

impl Member {
    /// An empty element that scripts clone and fill in.
    fn blank() -> Self {
        Self::default()
    }
}

/// The frame of a page without a visitor, such as when the session cannot be read.
#[derive(Debug, Clone, Copy)]
pub struct Blank {
    /// The reader's language.
    pub texts: Texts,
    /// The page's theme, if the reader has chosen one.
    pub theme: Option<Theme>,
}

impl Blank {
    fn texts_url(self) -> String {
        texts_url(self.texts)
    }
}

/// An error.
#[derive(Debug, Template, WebTemplate)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// The page's frame.
    pub frame: Blank,
    /// The error's code.
    pub code: &'static str,
}

impl ErrorPage {
    fn heading(&self) -> String {
        let key = format!("error-title-{}", self.code);
        let texts = self.frame.texts;
        texts.text(if texts.has(&key) { &key } else { "error-title-unknown" })
    }
}
