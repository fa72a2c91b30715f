//! The HTTP edge: pages for people, JSON for programs, on the same routes.
//!
//! [`routes`] is the table of all of them. A handler extracts, calls the chat, and answers; what is
//! refused becomes a status, JSON or a page in [`errors`].

pub mod assets;
mod body;
mod chats;
mod csrf;
mod direct_messages;
mod errors;
mod extract;
mod gifs;
mod guard;
mod health;
pub mod i18n;
mod lobby;
pub mod pages;
mod room;
mod rotation;
mod tokens;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{MethodRouter, delete, get, post, put},
};
use tokio_util::task::TaskTracker;
pub use tower_http::csrf::ConfigError;
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer};
use tower_sessions::{
    Expiry, SessionManagerLayer,
    cookie::{Key, SameSite},
};

use crate::{
    chat::ChatService,
    session::{self, Sessions, Visitor},
};
use extract::Reader;
use guard::Guard;
use rotation::Secrets;

/// A form or a message, escaped, fits many times over. Uploads have a limit of their own.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// What keeps a visitor's session; the contract names it.
const SESSION_COOKIE: &str = "huechat.sid";
/// The same over https. Browsers take a cookie of this prefix from nobody but this very host, so that no sibling of it
/// can give a visitor a session of its own making.
const SESSION_COOKIE_OF_HTTPS: &str = "__Host-huechat.sid";

/// What the handlers share.
#[derive(Clone)]
pub struct Web {
    chat: ChatService,
    sessions: Sessions,
    /// The public URL, without a slash at its end.
    base: Arc<str>,
    max_gif_bytes: usize,
    token_days: u16,
    uploads: gifs::Uploads,
    rooms: lobby::RoomsInWords,
}

/// How the edge is set up.
pub struct Setup {
    /// The public URL, such as `https://chat.example/`.
    pub public_url: String,
    /// Other sites whose pages may ask for what this server does, such as `https://chat.example`.
    pub origins: Vec<String>,
    /// Largest GIF accepted, in bytes.
    pub max_gif_bytes: usize,
    /// How long a bot's token lasts at most.
    pub token_days: u16,
    /// Signs the cookies.
    pub cookie_key: Key,
    /// Signed the cookies once, and what they signed still counts.
    pub old_cookie_keys: Vec<Key>,
    /// The requests that are under way, but for those of sockets.
    pub requests: TaskTracker,
}

/// The whole of what is served. `socket_io` and `gateway` answer for the other edges; the first hears of the
/// session that each request brings.
///
/// # Errors
/// When one of the origins is none.
pub fn routes(
    chat: &ChatService,
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
        rooms: lobby::RoomsInWords::default(),
    };
    let cookie = if secure { SESSION_COOKIE_OF_HTTPS } else { SESSION_COOKIE };
    let secrets =
        Secrets { now: setup.cookie_key.clone(), old: setup.old_cookie_keys, cookie, secure };
    let rotation = middleware::from_fn_with_state(secrets, rotation::sign_anew);
    let session = SessionManagerLayer::new(sessions.clone())
        .with_name(cookie)
        .with_signed(setup.cookie_key)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_secure(secure)
        .with_expiry(Expiry::OnInactivity(session::EXPIRES_AFTER));

    let pages = Router::new()
        .route("/", get(lobby::show))
        .route("/logout", post(lobby::log_out))
        .route("/reader", post(lobby::choose))
        .route("/room", get(lobby::form).post(lobby::create))
        .route("/room/{id}", get(room::enter).patch(room::change).delete(room::close))
        .route("/room/{id}/enter", post(room::unlock))
        .route("/room/{id}/leave", post(room::leave))
        .route("/token", get(tokens::show).post(tokens::make).delete(tokens::revoke_all))
        .route("/token/revoke", post(tokens::revoke_all))
        .route("/token/{id}", delete(tokens::revoke))
        .route("/token/{id}/revoke", post(tokens::revoke))
        .layer(middleware::from_fn(extract::remember))
        .layer(middleware::from_fn(errors::redirect_refusals));
    let visited = Router::new()
        .merge(pages)
        .route("/room/{id}/chat", get(chats::history).post(chats::say))
        .route("/room/{id}/chat/{seq}", delete(chats::remove))
        .route("/room/{id}/whisper", post(chats::whisper))
        .route("/room/{id}/person/{who}", delete(room::kick))
        .route("/room/{id}/owner", put(room::hand_over))
        .route("/room/{id}/report", post(room::report))
        .route("/room/{id}/gif", post(gifs::share).layer(DefaultBodyLimit::disable()))
        .route("/gif/{room}/{name}", get(gifs::file))
        .route("/chatter/{id}/message", post(direct_messages::whisper))
        .layer(middleware::from_fn(csrf::of_own_pages))
        .layer(session.clone())
        .layer(rotation.clone())
        .layer(middleware::from_fn(errors::report_session_failure))
        .layer(middleware::from_fn_with_state(setup.requests, to_its_end))
        .layer(middleware::from_fn_with_state(guard.clone(), guard::of_changes));
    let sockets = Router::new()
        .route("/socket.io/", socket_io)
        .layer(session)
        .layer(rotation)
        .layer(middleware::from_fn(errors::report_session_failure))
        .layer(middleware::from_fn_with_state((guard.clone(), chat.clone()), guard::of_handshakes));
    let bots = Router::new()
        .route("/gateway", gateway)
        .layer(middleware::from_fn_with_state((guard, chat.clone()), guard::of_bots));

    let router = Router::new()
        .merge(visited)
        .merge(sockets)
        .merge(bots)
        .route("/public/{version}/{*path}", get(assets::serve))
        .route("/favicon.ico", get(assets::favicon))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .fallback(not_found)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::new())
        .with_state(web);
    let of_https = secure.then_some(guard::HEADER_OF_HTTPS);
    let headers = guard::HEADERS.into_iter().chain(of_https);
    Ok(headers.fold(router, |router, header| router.layer(guard::always(header))))
}

/// Does what a request asks for as a whole, even when whoever asked has gone: between what is stored and
/// what is told of it nothing may end.
async fn to_its_end(State(requests): State<TaskTracker>, request: Request, next: Next) -> Response {
    match requests.spawn(next.run(request)).await {
        Ok(response) => response,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(), // The runtime stops.
        },
    }
}

async fn not_found(reader: Reader) -> Response {
    (StatusCode::NOT_FOUND, pages::ErrorPage { frame: reader.blank(), code: "not_found" })
        .into_response()
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
