//! A visitor: one session, over HTTP and sockets.

use std::net::SocketAddr;

use huechat::web::operation::Operation;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header, redirect::Policy};
use serde_json::{Value, json};

use super::Socket;

/// A browser without scripts. It keeps its cookie and follows no redirect by itself.
#[derive(Clone)]
pub struct Browser {
    pub address: SocketAddr,
    pub cookie: Option<String>,
    pub client: Client,
}

impl Browser {
    /// Opens the first page, and gets a session with it.
    pub async fn visit(address: SocketAddr) -> Self {
        let mut browser = Self::without_cookie(address);
        let response = browser.get("/").await;
        assert_eq!(response.status(), StatusCode::OK);
        let set = response.headers()[header::SET_COOKIE].to_str().unwrap();
        browser.cookie = set.split(';').next().map(ToOwned::to_owned);
        browser
    }

    pub fn without_cookie(address: SocketAddr) -> Self {
        huechat::choose_tls();
        let client = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        Self { address, cookie: None, client }
    }

    /// The same visitor, after the server moved.
    pub fn at(&self, address: SocketAddr) -> Self {
        Self { address, ..self.clone() }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("http://{}{path}", self.address));
        match &self.cookie {
            Some(cookie) => request.header(header::COOKIE, cookie),
            None => request,
        }
    }

    /// A request of an operation, for a room, a person and a file that do not exist.
    pub fn operation(&self, operation: &Operation) -> RequestBuilder {
        let path = operation
            .path
            .replace("/chat/{seq}", "/chat/1")
            .replace("/person/{who}", "/person/aaaaaaaaaaaa")
            .replace("/chatter/{id}", "/chatter/aaaaaaaaaaaa")
            .replace("{name}", &format!("{}.gif", "a".repeat(64)))
            .replace("{*path}", "css/base.css")
            .replace("{id}", "aaaaaaaaaaaaaaaa")
            .replace("{room}", "aaaaaaaaaaaaaaaa")
            .replace("{version}", "any");
        assert!(!path.contains('{'), "{path}");
        self.request(operation.method.parse().unwrap(), &path)
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    pub async fn get_json(&self, path: &str) -> (StatusCode, Value) {
        let request = self.request(Method::GET, path).header(header::ACCEPT, "application/json");
        answer(request.send().await.unwrap()).await
    }

    pub async fn post_json(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = self.request(Method::POST, path).header(header::ACCEPT, "application/json");
        answer(request.json(body).send().await.unwrap()).await
    }

    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        self.request(Method::POST, path).form(fields).send().await.unwrap()
    }

    pub async fn upload(&self, room: &str, file: Vec<u8>) -> (StatusCode, Value) {
        self.upload_as(room, file, None).await
    }

    pub async fn upload_as(
        &self,
        room: &str,
        file: Vec<u8>,
        client_id: Option<&str>,
    ) -> (StatusCode, Value) {
        self.try_upload_as(room, file, client_id).await.unwrap()
    }

    /// The same; `None` when there is no answer.
    pub async fn try_upload_as(
        &self,
        room: &str,
        file: Vec<u8>,
        client_id: Option<&str>,
    ) -> Option<(StatusCode, Value)> {
        let part = reqwest::multipart::Part::bytes(file).file_name("a.gif");
        let mut form = reqwest::multipart::Form::new();
        if let Some(id) = client_id {
            form = form.text("clientId", id.to_owned());
        }
        let path = format!("/room/{room}/gif");
        let request = self.request(Method::POST, &path).header(header::ACCEPT, "application/json");
        try_answer(request.multipart(form.part("gif", part)).send().await.ok()?).await
    }

    /// Makes a room, and gives its id.
    pub async fn create_room(&self, title: &str, max: u32) -> String {
        self.create(&json!({ "title": title, "max": max })).await
    }

    pub async fn create(&self, form: &Value) -> String {
        let (status, room) = self.post_json("/room", form).await;
        assert_eq!(status, StatusCode::CREATED, "{room}");
        room["id"].as_str().unwrap().to_owned()
    }

    /// Enters a room, and waits for its welcome.
    pub async fn enter(&self, room: &str) -> (Socket, Value) {
        self.enter_with(json!({ "room": room })).await
    }

    pub async fn enter_with(&self, auth: Value) -> (Socket, Value) {
        let mut socket = self.try_enter(auth).await.unwrap();
        let (event, welcome) = socket.next().await;
        assert_eq!(event, "welcome", "the first event");
        (socket, welcome)
    }

    /// The code of the refusal, if it is refused.
    pub async fn try_enter(&self, auth: Value) -> Result<Socket, String> {
        Socket::connect(self.address, self.cookie.as_deref(), "/chat", auth).await
    }

    /// Watches the lobby.
    pub async fn lobby(&self) -> Socket {
        let cookie = self.cookie.as_deref();
        Socket::connect(self.address, cookie, "/room", json!({})).await.unwrap()
    }

    /// A room as the lobby lists it, if it does.
    pub async fn listed(&self, room: &str) -> Option<Value> {
        let (_, lobby) = self.get_json("/").await;
        let rooms = lobby["rooms"].as_array().unwrap();
        rooms.iter().find(|listed| listed["id"] == room).cloned()
    }
}

async fn answer(response: Response) -> (StatusCode, Value) {
    try_answer(response).await.unwrap()
}

async fn try_answer(response: Response) -> Option<(StatusCode, Value)> {
    let status = response.status();
    let text = response.text().await.ok()?;
    Some((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
}
