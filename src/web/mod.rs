//! The HTTP edge: pages for people and JSON for programs, on the same routes.
//!
//! [`operations`] lists them all, and [`routes`] serves them. A handler extracts its input, calls
//! [`ChatService`], and responds. [`errors`] turns a refusal into a status and JSON, and [`error_pages`] into a page.

pub mod assets;
mod body;
mod chats;
mod cross_origin;
mod csrf;
mod direct_messages;
mod engine_io;
mod error_pages;
mod errors;
mod extract;
mod gifs;
mod health;
pub mod i18n;
mod lobby;
pub mod openapi;
pub mod operation;
pub mod operations;
pub mod pages;
mod polling;
mod request_rate;
mod room;
mod rotation;
mod routes;
mod security_headers;
mod tokens;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    handler::Handler as _,
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::MethodRouter,
};
pub use health::is_health_check;
use tokio_util::task::TaskTracker;
pub use tower_http::csrf::ConfigError;
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer};
use tower_sessions::{
    Expiry, SessionManagerLayer,
    cookie::{Key, SameSite},
};

use crate::{
    chat::{ChatService, Error},
    session::{self, Sessions, Visitor},
};
use cross_origin::Guard;
use errors::Refused;
use extract::Reader;
use operations as op;
use rotation::Secrets;
use routes::Routes;

/// Largest request body, in bytes: several times the longest form or message, escaped. Uploads have
/// their own limit.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The session cookie over http; `docs/protocol.md` names it.
const SESSION_COOKIE: &str = "huechat.sid";
/// The session cookie over https. Browsers accept this prefix only from this exact host, so another
/// subdomain cannot plant a session.
const SESSION_COOKIE_OF_HTTPS: &str = "__Host-huechat.sid";

/// State that all handlers share.
#[derive(Clone)]
pub struct Web {
    chat: Arc<ChatService>,
    sessions: Sessions,
    /// The public URL, without a slash at its end.
    base: Arc<str>,
    max_gif_bytes: usize,
    token_days: u16,
    uploads: gifs::Uploads,
    rooms: lobby::RenderedRooms,
}

/// Settings of the edge.
pub struct Setup {
    /// The public URL, such as `https://chat.example/`.
    pub public_url: String,
    /// Other sites whose pages may send requests, such as `https://chat.example`.
    pub origins: Vec<String>,
    /// Largest GIF accepted, in bytes.
    pub max_gif_bytes: usize,
    /// Longest lifetime of a bot's token, in days.
    pub token_days: u16,
    /// The key that signs cookies.
    pub cookie_key: Key,
    /// Previous keys, whose signatures are still accepted.
    pub old_cookie_keys: Vec<Key>,
    /// Tracks running requests, except those of sockets, for the shutdown.
    pub requests: TaskTracker,
}

/// Builds the router of the whole server. `socket_io` and `gateway` are the handlers of the other
/// edges; requests reach `socket_io` with their session.
///
/// # Errors
/// When one of the origins is invalid.
pub fn router(
    chat: &Arc<ChatService>,
    sessions: &Sessions,
    socket_io: MethodRouter<Web>,
    gateway: MethodRouter<Web>,
    setup: Setup,
) -> Result<Router, ConfigError> {
    let guard = Guard::new(&setup.origins)?;
    let secure = setup.public_url.starts_with("https:");
    let web = Web {
        chat: chat.clone(),
        sessions: sessions.clone(),
        base: setup.public_url.trim_end_matches('/').into(),
        max_gif_bytes: setup.max_gif_bytes,
        token_days: setup.token_days,
        uploads: gifs::Uploads::new(setup.max_gif_bytes),
        rooms: lobby::RenderedRooms::default(),
    };
    let cookie = if secure { SESSION_COOKIE_OF_HTTPS } else { SESSION_COOKIE };
    let secrets =
        Secrets { now: setup.cookie_key.clone(), old: setup.old_cookie_keys, cookie, secure };
    let rotation = middleware::from_fn_with_state(secrets, rotation::re_sign);
    let session = SessionManagerLayer::new(sessions.clone())
        .with_name(cookie)
        .with_signed(setup.cookie_key)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_secure(secure)
        .with_expiry(Expiry::OnInactivity(session::EXPIRES_AFTER));

    let visited = visited()
        .layer(security_headers::always(security_headers::VARY))
        .layer(middleware::from_fn(csrf::check_forms))
        .layer(middleware::from_fn(body::arrive_first))
        .layer(session.clone())
        .layer(rotation.clone())
        .layer(middleware::from_fn(error_pages::report_session_failure))
        .layer(middleware::from_fn_with_state(setup.requests, run_to_completion))
        .layer(middleware::from_fn_with_state(guard.clone(), cross_origin::check_changes))
        .merge(Routes::new().on(op::READY, health::ready).router())
        .layer(middleware::from_fn_with_state(chat.clone(), request_rate::check));
    let sockets = Routes::new()
        .mount(&[op::SOCKET_IO, op::SOCKET_IO_PACKETS], socket_io)
        .router()
        .layer(middleware::from_fn_with_state(
            polling::PollingSessions::default(),
            polling::check_session,
        ))
        .layer(middleware::from_fn(error_pages::explain_refusals))
        .layer(session)
        .layer(rotation)
        .layer(middleware::from_fn(error_pages::report_session_failure))
        .layer(middleware::from_fn_with_state(
            (guard.clone(), chat.clone()),
            cross_origin::check_handshakes,
        ));
    let bots = Routes::new()
        .mount(&[op::GATEWAY], gateway)
        .router()
        .layer(middleware::from_fn_with_state((guard, chat.clone()), cross_origin::check_gateway));

    let router = Routes::new()
        .on(op::ASSET, assets::serve)
        .on(op::FAVICON, assets::favicon)
        .on(op::ROBOTS, assets::robots)
        .on(op::LIVE, health::live)
        .router()
        .merge(visited)
        .merge(sockets)
        .merge(bots)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::new())
        .with_state(web);
    let of_https = secure.then_some(security_headers::HEADER_OF_HTTPS);
    let headers = security_headers::HEADERS.into_iter().chain(of_https);
    Ok(headers.fold(router, |router, header| router.layer(security_headers::always(header))))
}

/// The operations of visitors. It also responds where there is no operation.
fn visited() -> Router<Web> {
    let pages = Routes::new()
        .on(op::LOBBY, lobby::show)
        .on(op::LOG_OUT, lobby::log_out)
        .on(op::CHOOSE, lobby::choose)
        .on(op::ROOM_FORM, lobby::form)
        .on(op::CREATE_ROOM, lobby::create)
        .on(op::TOKENS, tokens::show)
        .on(op::CREATE_TOKEN, tokens::make)
        .on(op::REVOKE_TOKENS, tokens::revoke_all)
        .on(op::REVOKE_TOKENS_BY_FORM, tokens::revoke_all)
        .on(op::REVOKE_TOKEN, tokens::revoke)
        .on(op::REVOKE_TOKEN_BY_FORM, tokens::revoke);
    Routes::new()
        .on(op::WHISPER_ANYWHERE, direct_messages::whisper)
        .router_of_the_rest()
        .merge(as_pages(pages))
        .merge(of_rooms())
}

/// The operations of one room.
fn of_rooms() -> Router<Web> {
    let room_pages = Routes::new()
        .on(op::ROOM, room::enter)
        .on(op::CHANGE_ROOM, room::change)
        .on(op::CLOSE_ROOM, room::close)
        .on(op::ENTER_ROOM, room::unlock)
        .on(op::LEAVE_ROOM, room::leave);
    Routes::new()
        .on(op::HISTORY, chats::history)
        .on(op::SAY, chats::say)
        .on(op::DELETE_CHAT, chats::remove)
        .on(op::WHISPER, chats::whisper)
        .on(op::KICK, room::kick)
        .on(op::HAND_OVER, room::hand_over)
        .on(op::REPORT, room::report)
        .on(op::SHARE, gifs::share.layer(DefaultBodyLimit::disable()))
        .on(op::GIF, gifs::file)
        .router()
        .merge(as_pages(room_pages))
        .layer(security_headers::always(security_headers::HEADER_OF_ROOMS))
}

/// Routes that redirect people when they refuse.
fn as_pages(routes: Routes) -> Router<Web> {
    routes
        .router()
        .layer(middleware::from_fn(extract::load_preferences))
        .layer(middleware::from_fn(error_pages::redirect_refusals))
}

/// Middleware: runs a request in its own task, which completes even when the client disconnects. A
/// request cancelled after a commit would not announce its event.
async fn run_to_completion(
    State(requests): State<TaskTracker>,
    request: Request,
    next: Next,
) -> Response {
    match requests.spawn(next.run(request)).await {
        Ok(response) => response,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Refused(Error::restarting()).into_response(), // The runtime is stopping.
        },
    }
}

impl Web {
    fn frame(&self, reader: Reader, visitor: &Visitor) -> pages::Frame {
        pages::Frame {
            texts: reader.texts,
            me: visitor.person.clone(),
            theme: reader.theme,
            preferences: visitor.preferences,
            form_token: visitor.form_token(),
            base: self.base.to_string(),
        }
    }
}
