//! A Socket.IO client that uses long polling only, as one behind a network that blocks `WebSockets`.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Browser, soon};

pub struct Polling {
    browser: Browser,
    path: String,
    /// Packets that have arrived and were not looked at.
    packets: Vec<String>,
}

impl Polling {
    /// Enters a room.
    pub async fn enter(browser: &Browser, room: &str) -> Self {
        let path = "/socket.io/?EIO=4&transport=polling".to_owned();
        let mut polling = Self { browser: browser.clone(), path, packets: Vec::new() };
        let open = polling.packet("0").await;
        let open: Value = serde_json::from_str(&open).unwrap();
        polling.path = format!("{}&sid={}", polling.path, open["sid"].as_str().unwrap());
        polling.send(format!("40/chat,{}", json!({ "room": room }))).await;
        polling.packet("42/chat,[\"welcome\",").await;
        polling
    }

    pub async fn send(&self, packet: String) {
        let sent = self.browser.request(Method::POST, &self.path).body(packet).send();
        assert_eq!(soon("a packet to be taken", sent).await.unwrap().status(), StatusCode::OK);
    }

    /// What follows this beginning in the next packet that has it; what comes before it is passed over.
    pub async fn packet(&mut self, beginning: &str) -> String {
        loop {
            while !self.packets.is_empty() {
                let packet = self.packets.remove(0);
                if let Some(rest) = packet.strip_prefix(beginning) {
                    return rest.to_owned();
                }
            }
            let polled = soon("a poll", self.browser.get(&self.path)).await;
            assert_eq!(polled.status(), StatusCode::OK);
            let body = polled.text().await.unwrap();
            self.packets = body.split('\x1e').map(ToOwned::to_owned).collect();
            if self.packets.iter().any(|packet| packet == "2") {
                self.send("3".to_owned()).await;
            }
        }
    }
}
