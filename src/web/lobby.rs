//! Routes of the lobby, of the form for a new room, and of the visitor's preferences.

use std::sync::Arc;

use askama::Template as _;
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use moka::sync::Cache;
use schemars::JsonSchema;
use serde::Deserialize;
use url::{Position, Url};

use super::{
    Web,
    body::Fields,
    errors::{Refused, known_code},
    extract::{Me, Query, Reader},
    i18n::Texts,
    pages::{self, LobbyPage, NewRoomPage},
};
use crate::{
    chat::{self, ChatService, Error, RoomForm, room_id},
    domain::{Language, RoomSummary},
    protocol::{ReaderPut, Room, RoomPost, Rooms},
};

/// The capacity that the form for a new room suggests.
const USUAL_CAPACITY: &str = "10";
/// Largest number of cached pages of the lobby.
const MAX_CACHED: u64 = 64;
/// Longest search whose pages are cached, in bytes.
const MAX_CACHED_SEARCH: usize = 256;

#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct LobbyParams {
    /// Text to find in titles; empty for all rooms.
    #[serde(default)]
    q: String,
    /// The page's number, from 1.
    page: Option<String>,
    /// The code of an error to show.
    error: Option<String>,
    /// The room whose password dialog is open.
    room: Option<String>,
    /// Present after a wrong password; without it, the dialog shows no error.
    tried: Option<String>,
}

/// `GET /`
pub(super) async fn show(
    State(web): State<Web>,
    Me { visitor, .. }: Me,
    reader: Reader,
    Query(params): Query<LobbyParams>,
) -> Result<Response, Refused> {
    // An invalid page number shows the first page, so that a mistyped address still shows rooms.
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
        rooms: web.rooms.render(&found, reader.texts, &params.q, page)?,
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

/// Cache of rendered pages of the lobby; an entry is valid for the [`chat::LobbyPage`] it came
/// from.
#[derive(Clone)]
pub(super) struct RenderedRooms(Cache<CacheKey, RenderedPage>);

/// A language, a search and a page number.
type CacheKey = (Language, String, usize);
/// The page's data and its HTML.
type RenderedPage = (Arc<chat::LobbyPage>, Arc<str>);

impl Default for RenderedRooms {
    fn default() -> Self {
        Self(Cache::new(MAX_CACHED))
    }
}

impl RenderedRooms {
    fn render(
        &self,
        found: &Arc<chat::LobbyPage>,
        texts: Texts,
        q: &str,
        page: usize,
    ) -> Result<Arc<str>, Error> {
        let key = (texts.language(), q.to_owned(), page);
        if let Some((source, html)) = self.0.get(&key)
            && Arc::ptr_eq(&source, found)
        {
            return Ok(html);
        }
        let pages = ChatService::pages(found.total);
        let rooms = pages::Rooms { texts, rooms: &found.rooms, page, pages, q };
        let html = rooms.render().map_err(|cause| Error::Unavailable(cause.into()))?;
        let html: Arc<str> = html.into();
        if q.len() <= MAX_CACHED_SEARCH {
            self.0.insert(key, (found.clone(), html.clone()));
        }
        Ok(html)
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

/// `POST /reader`: stores the reader's preferences. A form redirects to the page that it was on.
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
        max_capacity: web.chat.policy().max_capacity,
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
    let network = me.requester().network;
    let visitor = &me.visitor;
    let opened = match web.chat.open(&visitor.person, network, &form).await {
        Ok(opened) => opened,
        Err(error) if reader.wants_json => return Err(error.into()),
        Err(error) => return form_with_errors(&web, visitor, reader, form, error),
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

/// The form with the visitor's input and the errors.
fn form_with_errors(
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
        max_capacity: web.chat.policy().max_capacity,
        errors,
        problem,
    };
    Ok(Refused(error).around(page))
}
