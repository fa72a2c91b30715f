//! The lobby, and the form for a new room.

use std::sync::Arc;

use askama::Template as _;
use axum::{
    Json,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use moka::sync::Cache;
use serde::Deserialize;
use url::{Position, Url};

use super::{
    Web,
    body::Fields,
    errors::{Refused, known_code},
    extract::{Me, Reader},
    i18n::Texts,
    pages::{self, LobbyPage, NewRoomPage},
};
use crate::{
    chat::{self, ChatService, Error, RoomForm, room_id},
    domain::{Language, RoomSummary},
    protocol::{ReaderPut, Room, RoomPost, Rooms},
};

/// A room that most people would make first: friends around a table.
const USUAL_CAPACITY: &str = "10";
/// Pages of the lobby that are kept in words, and how long a search among them may be, in bytes.
const MAX_KEPT: u64 = 64;
const MAX_KEPT_SEARCH: usize = 256;

#[derive(Debug, Deserialize)]
pub(super) struct LobbyParams {
    #[serde(default)]
    q: String,
    page: Option<String>,
    error: Option<String>,
    /// The room whose password is asked for.
    room: Option<String>,
    /// Whether they have tried one; until then nothing is called wrong.
    tried: Option<String>,
}

/// `GET /`
pub(super) async fn show(
    State(web): State<Web>,
    Me { visitor, .. }: Me,
    reader: Reader,
    Query(params): Query<LobbyParams>,
) -> Result<Response, Refused> {
    // A page that is none is the first: an address that somebody mistyped still shows rooms.
    let page = params.page.as_deref().and_then(|page| page.parse().ok()).unwrap_or(1).max(1);
    let found = web.chat.lobby(&params.q, page).await?;
    if reader.wants_json {
        return Ok(Json(Rooms::page(&found, page)).into_response());
    }
    let unlock = match params.room.as_deref().map(room_id) {
        Some(Ok(id)) => web.chat.summaries(vec![id]).await?.pop().filter(needs_password),
        _ => None,
    };
    Ok(LobbyPage {
        frame: web.frame(reader, &visitor),
        rooms: web.rooms.words(&found, reader.texts, &params.q, page)?,
        total: found.total,
        q: params.q,
        notice: params
            .error
            .as_deref()
            .and_then(known_code)
            .filter(|_| unlock.is_none() || params.tried.is_some()),
        unlock,
    }
    .into_response())
}

/// Pages of the lobby in words, as they were last read; those of another time are no use.
#[derive(Clone)]
pub(super) struct RoomsInWords(Cache<Place, InWords>);

/// A page of the lobby, or of what a search found, in a language.
type Place = (Language, String, usize);
type InWords = (Arc<chat::LobbyPage>, Arc<str>);

impl Default for RoomsInWords {
    fn default() -> Self {
        Self(Cache::new(MAX_KEPT))
    }
}

impl RoomsInWords {
    fn words(
        &self,
        found: &Arc<chat::LobbyPage>,
        texts: Texts,
        q: &str,
        page: usize,
    ) -> Result<Arc<str>, Error> {
        let key = (texts.language(), q.to_owned(), page);
        if let Some((of, words)) = self.0.get(&key)
            && Arc::ptr_eq(&of, found)
        {
            return Ok(words);
        }
        let pages = ChatService::pages(found.total);
        let rooms = pages::Rooms { texts, rooms: &found.rooms, page, pages, q };
        let words = rooms.render().map_err(|cause| Error::Unavailable(cause.into()))?;
        let words: Arc<str> = words.into();
        if q.len() <= MAX_KEPT_SEARCH {
            self.0.insert(key, (found.clone(), words.clone()));
        }
        Ok(words)
    }
}

fn needs_password(room: &RoomSummary) -> bool {
    room.has_password
}

/// `POST /logout`
pub(super) async fn log_out(Me { visitor, .. }: Me, reader: Reader) -> Result<Response, Refused> {
    visitor.end().await?;
    Ok(if reader.wants_json {
        StatusCode::NO_CONTENT.into_response()
    } else {
        Redirect::to("/").into_response()
    })
}

/// `POST /reader`: what the reader chooses for their pages. From a form, back to where they were.
pub(super) async fn choose(
    Me { visitor, .. }: Me,
    reader: Reader,
    headers: HeaderMap,
    Fields(fields): Fields<ReaderPut>,
) -> Result<Response, Refused> {
    visitor.choose(fields.preferences(visitor.preferences)?).await?;
    if reader.wants_json {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let from = headers.get(header::REFERER).and_then(|value| Url::parse(value.to_str().ok()?).ok());
    let path = from.map_or_else(|| "/".to_owned(), |url| url[Position::BeforePath..].to_owned());
    Ok(Redirect::to(if path.starts_with("//") { "/" } else { &path }).into_response())
}

/// `GET /room`
pub(super) async fn form(
    State(web): State<Web>,
    Me { visitor, .. }: Me,
    reader: Reader,
) -> NewRoomPage {
    NewRoomPage {
        frame: web.frame(reader, &visitor),
        title: String::new(),
        max: USUAL_CAPACITY.to_owned(),
        max_capacity: web.chat.rules().max_capacity,
        errors: Vec::new(),
        problem: None,
    }
}

/// `POST /room`
pub(super) async fn create(
    State(web): State<Web>,
    me: Me,
    reader: Reader,
    Fields(fields): Fields<RoomPost>,
) -> Result<Response, Refused> {
    let form = RoomForm::from(fields);
    let network = me.caller().network;
    let visitor = &me.visitor;
    let opened = match web.chat.open(&visitor.person, network, &form).await {
        Ok(opened) => opened,
        Err(error) if reader.wants_json => return Err(error.into()),
        Err(error) => return again(&web, visitor, reader, form, error),
    };
    if let Some(pass) = &opened.pass {
        visitor.keep_pass(&opened.room.id, pass).await?;
    }
    let address = format!("/room/{}", opened.room.id);
    if reader.wants_json {
        let location = [(header::LOCATION, address)];
        let body = Json(Room::from(&opened.room));
        return Ok((StatusCode::CREATED, location, body).into_response());
    }
    Ok(Redirect::to(&address).into_response())
}

/// The form once more, with what was filled in and what is wrong with it.
fn again(
    web: &Web,
    visitor: &crate::session::Visitor,
    reader: Reader,
    form: RoomForm,
    error: Error,
) -> Result<Response, Refused> {
    let code = error.code();
    let errors = match &error {
        Error::Invalid(fields) => {
            fields.iter().map(|wrong| (wrong.field, wrong.code.to_owned())).collect()
        }
        Error::SlowDown { .. } | Error::TooManyRooms => Vec::new(),
        _ => return Err(error.into()),
    };
    let problem = errors.is_empty().then_some(code);
    let page = NewRoomPage {
        frame: web.frame(reader, visitor),
        title: form.title,
        max: form.max,
        max_capacity: web.chat.rules().max_capacity,
        errors,
        problem,
    };
    Ok(Refused(error).around(page))
}
