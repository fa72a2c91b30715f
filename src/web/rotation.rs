//! A cookie secret that takes the place of another: what the old one signed is good for as long as the old one is
//! listed, and is signed anew when it is shown.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, header},
    middleware::Next,
    response::Response,
};
use axum_extra::extract::cookie;
use tower_sessions::cookie::{Cookie, CookieJar, Key, SameSite};

use crate::session;

/// The secret that signs cookies, and those that did.
#[derive(Clone)]
pub(super) struct Secrets {
    pub(super) now: Key,
    pub(super) old: Vec<Key>,
    /// What the session's cookie is called.
    pub(super) cookie: &'static str,
    /// Whether the cookie is for secure connections only.
    pub(super) secure: bool,
}

impl Secrets {
    /// When an old secret signed the session's cookie: all the request's cookies with that one signed by the secret of
    /// today, and it alone, as the browser should keep it.
    fn sign_anew(&self, request: &Request) -> Option<(HeaderValue, HeaderValue)> {
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

/// Lets a cookie that an old secret signed count, and gives it back signed by the secret of today.
pub(super) async fn sign_anew(
    State(secrets): State<Secrets>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some((all, kept)) = secrets.sign_anew(&request) else { return next.run(request).await };
    request.headers_mut().insert(header::COOKIE, all);
    let mut response = next.run(request).await;
    // When the session has changed, its cookie is given already.
    response.headers_mut().entry(header::SET_COOKIE).or_insert(kept);
    response
}
