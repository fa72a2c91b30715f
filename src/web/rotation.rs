//! Rotation of the cookie secret: cookies that a listed old secret has signed stay valid, and the
//! server signs them again with the current secret.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, header},
    middleware::Next,
    response::Response,
};
use axum_extra::extract::cookie;
use tower_sessions::cookie::{Cookie, CookieJar, Key, SameSite};

use crate::session;

/// The current secret and the old ones.
#[derive(Clone)]
pub(super) struct Secrets {
    pub(super) now: Key,
    pub(super) old: Vec<Key>,
    /// Name of the session cookie.
    pub(super) cookie: &'static str,
    /// Whether the cookie is for https only.
    pub(super) secure: bool,
}

impl Secrets {
    /// When an old secret has signed the session cookie: the request's `Cookie` header with the new
    /// signature, and the `Set-Cookie` header for the browser.
    fn re_sign(&self, request: &Request) -> Option<(HeaderValue, HeaderValue)> {
        let mut jar = CookieJar::new();
        for cookie in cookie::CookieJar::from_headers(request.headers()).iter() {
            jar.add_original(cookie.clone());
        }
        if jar.signed(&self.now).get(self.cookie).is_some() {
            return None;
        }
        let signed = self.old.iter().find_map(|key| jar.signed(key).get(self.cookie))?;
        let kept = Cookie::build((self.cookie, signed.value().to_owned()))
            .http_only(true)
            .same_site(SameSite::Lax)
            .path("/")
            .secure(self.secure)
            .max_age(session::EXPIRES_AFTER);
        jar.signed_mut(&self.now).add(kept.build());
        let all: Vec<String> = jar.iter().map(|cookie| cookie.stripped().to_string()).collect();
        let kept = jar.get(self.cookie)?.to_string();
        Some((HeaderValue::try_from(all.join("; ")).ok()?, HeaderValue::try_from(kept).ok()?))
    }
}

/// Middleware: accepts a session cookie that an old secret has signed, and sets it with the current
/// signature.
pub(super) async fn re_sign(
    State(secrets): State<Secrets>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some((all, kept)) = secrets.re_sign(&request) else { return next.run(request).await };
    request.headers_mut().insert(header::COOKIE, all);
    let mut response = next.run(request).await;
    // When the session has changed, the session layer has set the cookie already.
    response.headers_mut().entry(header::SET_COOKIE).or_insert(kept);
    response
}
