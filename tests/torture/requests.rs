//! Requests through a network that fails.

use std::{net::SocketAddr, time::Duration};

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::common::Browser;

/// Whoever has no answer by then believes the connection to be dead.
pub const PATIENCE: Duration = Duration::from_secs(8);

/// Who somebody is, or which room it is.
pub fn id(person: &Value) -> String {
    person["id"].as_str().unwrap().to_owned()
}

/// The answer, if there is one.
pub async fn request(
    browser: &Browser,
    method: Method,
    path: &str,
    form: Option<&Value>,
) -> Option<(StatusCode, Value)> {
    let request = browser.request(method, path).header(header::ACCEPT, "application/json");
    let request = match form {
        Some(form) => request.json(form),
        None => request,
    };
    let answer = async {
        let response = request.send().await.ok()?;
        let status = response.status();
        let text = response.text().await.ok()?;
        Some((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    };
    timeout(PATIENCE, answer).await.ok().flatten()
}

/// A new visitor, through a network that may fail.
pub async fn visit(address: SocketAddr) -> Browser {
    loop {
        let mut browser = Browser::without_cookie(address);
        let page = timeout(PATIENCE, browser.request(Method::GET, "/").send()).await;
        let cookie = page.ok().and_then(Result::ok).and_then(|page| {
            let set = page.headers().get(header::SET_COOKIE)?.to_str().ok()?;
            set.split(';').next().map(ToOwned::to_owned)
        });
        if cookie.is_some() {
            browser.cookie = cookie;
            return browser;
        }
        sleep(Duration::from_millis(200)).await;
    }
}

/// A new room, however often it takes.
pub async fn open_room(browser: &Browser, title: &str) -> String {
    let form = json!({ "title": title, "max": 100 });
    loop {
        match request(browser, Method::POST, "/room", Some(&form)).await {
            Some((StatusCode::CREATED, room)) => return id(&room),
            _ => sleep(Duration::from_millis(200)).await,
        }
    }
}
