//! The HTTP edge: pages for people and JSON for programs, on the same routes.
//!
//! [`routes`] lists them all. A handler extracts its input, calls [`ChatService`], and responds.
//! [`errors`] turns a refusal into a status and JSON, and [`error_pages`] into a page.

pub mod assets;
mod body;
mod chats;
mod cross_origin;
mod csrf;
mod direct_messages;
mod error_pages;
mod errors;
mod extract;
mod gifs;
mod health;
pub mod i18n;
mod lobby;
pub mod pages;
mod request_rate;
mod room;
mod rotation;
mod security_headers;
mod tokens;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    handler::Handler as _,
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{MethodRouter, delete, get, post, put},
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
use error_pages::{method_not_allowed, not_found};
use errors::Refused;
use extract::Reader;
use rotation::Secrets;

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
pub fn routes(
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

    let preferences = || middleware::from_fn(extract::load_preferences);
    let as_pages = |routes: Router<Web>| {
        routes.layer(preferences()).layer(middleware::from_fn(error_pages::redirect_refusals))
    };
    let room_pages = Router::new()
        .route("/room/{id}", get(room::enter).patch(room::change).delete(room::close))
        .route("/room/{id}/enter", post(room::unlock))
        .route("/room/{id}/leave", post(room::leave));
    let pages = Router::new()
        .route("/", get(lobby::show))
        .route("/logout", post(lobby::log_out))
        .route("/reader", post(lobby::choose))
        .route("/room", get(lobby::form).post(lobby::create))
        .route("/token", get(tokens::show).post(tokens::make).delete(tokens::revoke_all))
        .route("/token/revoke", post(tokens::revoke_all))
        .route("/token/{id}", delete(tokens::revoke))
        .route("/token/{id}/revoke", post(tokens::revoke));
    let of_rooms = Router::new()
        .merge(as_pages(room_pages))
        .route("/room/{id}/chat", get(chats::history).post(chats::say))
        .route("/room/{id}/chat/{seq}", delete(chats::remove))
        .route("/room/{id}/whisper", post(chats::whisper))
        .route("/room/{id}/person/{who}", delete(room::kick))
        .route("/room/{id}/owner", put(room::hand_over))
        .route("/room/{id}/report", post(room::report))
        .route("/room/{id}/gif", post(gifs::share).layer(DefaultBodyLimit::disable()))
        .route("/gif/{room}/{name}", get(gifs::file));
    let of_rooms = security_headers::HEADERS_OF_ROOMS
        .into_iter()
        .fold(of_rooms, |routes, header| routes.layer(security_headers::always(header)));
    let visited = Router::new()
        .merge(as_pages(pages))
        .merge(of_rooms)
        .route("/chatter/{id}/message", post(direct_messages::whisper))
        .method_not_allowed_fallback(method_not_allowed.layer(preferences()))
        .fallback(not_found.layer(preferences()))
        .layer(security_headers::always(security_headers::VARY))
        .layer(middleware::from_fn(csrf::check_forms))
        .layer(session.clone())
        .layer(rotation.clone())
        .layer(middleware::from_fn(error_pages::report_session_failure))
        .layer(middleware::from_fn_with_state(setup.requests, run_to_completion))
        .layer(middleware::from_fn_with_state(guard.clone(), cross_origin::check_changes))
        .route("/readyz", get(health::ready))
        .layer(middleware::from_fn_with_state(chat.clone(), request_rate::check));
    let sockets = Router::new()
        .route("/socket.io/", socket_io)
        .layer(session)
        .layer(rotation)
        .layer(middleware::from_fn(error_pages::report_session_failure))
        .layer(middleware::from_fn_with_state(
            (guard.clone(), chat.clone()),
            cross_origin::check_handshakes,
        ));
    let bots = Router::new()
        .route("/gateway", gateway)
        .layer(middleware::from_fn_with_state((guard, chat.clone()), cross_origin::check_gateway));

    let router = Router::new()
        .merge(visited)
        .merge(sockets)
        .merge(bots)
        .route("/public/{version}/{*path}", get(assets::serve))
        .route("/favicon.ico", get(assets::favicon))
        .route("/robots.txt", get(assets::robots))
        .route("/healthz", get(health::live))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::new())
        .with_state(web);
    let of_https = secure.then_some(security_headers::HEADER_OF_HTTPS);
    let headers = security_headers::HEADERS.into_iter().chain(of_https);
    Ok(headers.fold(router, |router, header| router.layer(security_headers::always(header))))
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
