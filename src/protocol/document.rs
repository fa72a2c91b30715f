//! Generates the `AsyncAPI` document from the events and the types of their payloads.
//!
//! The format is <https://www.asyncapi.com/docs/reference/specification/v3.0.0>.

use schemars::{
    JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, transform::RecursiveTransform,
};
use serde_json::{Map, Value, json};

use super::{ErrorBody, Event, Handshake, client_events, server_events};

/// The `AsyncAPI` document of the Socket.IO protocol.
#[must_use]
pub fn asyncapi() -> Value {
    let mut parts =
        Parts {
            schemas: SchemaSettings::draft07()
                .with(|settings| settings.definitions_path = "/components/schemas".into())
                .with_transform(RecursiveTransform(absent_rather_than_null))
                .into_generator(),
            messages: Map::new(),
            channels: [(super::LOBBY, LOBBY), (super::CHAT, CHAT)]
                .map(|(address, about)| Channel { address, about, messages: Map::new() }),
            operations: Map::new(),
        };
    for event in server_events::all() {
        parts.add_server_event(&event);
    }
    for event in client_events::all() {
        parts.add_client_event(&event);
    }
    parts.document()
}

const ABOUT: &str = "Socket.IO 4 at `/socket.io/`, by WebSocket or polling, with the cookie `huechat.sid` of a page or \
    route (`__Host-huechat.sid` over https). A channel is a namespace, a message the first argument of an event, and a reply what its acknowledgement \
    is called with.";
const LOBBY: &str = "The lobby: which rooms there are, and how full they are.";
const CHAT: &str = "The inside of one room. The handshake's `auth` says which.";

struct Channel {
    address: &'static str,
    about: &'static str,
    messages: Map<String, Value>,
}

impl Channel {
    fn name(&self) -> &'static str {
        self.address.trim_start_matches('/')
    }
}

struct Parts {
    schemas: SchemaGenerator,
    messages: Map<String, Value>,
    channels: [Channel; 2],
    operations: Map<String, Value>,
}

impl Parts {
    fn add_server_event(&mut self, event: &Event) {
        let payload = (event.payload)(&mut self.schemas);
        let message = format!("told_{}", key(event.name));
        self.add_message(&message, event.name, event.about, payload.as_value());
        for channel in self.add_to_channels(event, &[&message]) {
            let operation = json!({
                "action": "send",
                "channel": reference(&["channels", channel]),
                "summary": event.about.trim(),
                "messages": [reference(&["channels", channel, "messages", &message])],
            });
            self.operations.insert(format!("{channel}_{message}"), operation);
        }
    }

    fn add_client_event(&mut self, event: &Event) {
        let payload = (event.payload)(&mut self.schemas);
        let message = format!("asked_{}", key(event.name));
        self.add_message(&message, event.name, event.about, payload.as_value());
        let reply = event.answer.map(|answer| {
            let name = format!("answered_{}", key(event.name));
            let about = format!("What `{}` is acknowledged with.", event.name);
            let schema = reply_schema(&mut self.schemas, answer);
            self.add_message(&name, event.name, &about, &schema);
            name
        });
        let names: Vec<&str> =
            [Some(&message), reply.as_ref()].into_iter().flatten().map(String::as_str).collect();
        for channel in self.add_to_channels(event, &names) {
            let mut operation = json!({
                "action": "receive",
                "channel": reference(&["channels", channel]),
                "summary": event.about.trim(),
                "messages": [reference(&["channels", channel, "messages", &message])],
            });
            if let Some(reply) = &reply {
                operation["reply"] = json!({
                    "channel": reference(&["channels", channel]),
                    "messages": [reference(&["channels", channel, "messages", reply])],
                });
            }
            self.operations.insert(format!("{channel}_{message}"), operation);
        }
    }

    fn add_message(&mut self, key: &str, name: &str, about: &str, payload: &Value) {
        let message = json!({ "name": name, "summary": about.trim(), "payload": payload });
        self.messages.insert(key.to_owned(), message);
    }

    /// Adds messages to the channels of an event, and returns the channels' names.
    fn add_to_channels(&mut self, event: &Event, messages: &[&str]) -> Vec<&'static str> {
        let channels =
            self.channels.iter_mut().filter(|channel| event.namespaces.contains(&channel.address));
        channels
            .map(|channel| {
                for message in messages {
                    let component = reference(&["components", "messages", message]);
                    channel.messages.insert((*message).to_owned(), component);
                }
                channel.name()
            })
            .collect()
    }

    fn document(mut self) -> Value {
        let handshake = self.schemas.subschema_for::<Handshake>();
        let channels = self.channels.map(|channel| {
            let mut described = json!({
                "address": channel.address,
                "description": channel.about,
                "messages": channel.messages,
            });
            if channel.address == super::CHAT {
                described["bindings"] = json!({ "ws": { "query": {
                    "type": "object",
                    "description": "Not of the query, but of `auth` in the packet that connects to the namespace.",
                    "properties": { "auth": handshake.as_value() },
                } } });
            }
            (channel.name().to_owned(), described)
        });
        let schemas = self.schemas.take_definitions(true);
        json!({
            "asyncapi": "3.0.0",
            "info": {
                "title": "Huechat",
                "version": env!("CARGO_PKG_VERSION"),
                "description": ABOUT,
                "license": { "name": "MIT" },
            },
            "defaultContentType": "application/json",
            "servers": { "own": {
                "host": "localhost:8005", "pathname": "/socket.io/", "protocol": "ws",
                "description": "Wherever you run it.",
            } },
            "channels": Map::from_iter(channels),
            "operations": self.operations,
            "components": { "messages": self.messages, "schemas": schemas },
        })
    }
}

/// The schema of `{ok: true, data}` or `{ok: false, error}`, as [`super::Reply`] serializes.
fn reply_schema(
    schemas: &mut SchemaGenerator,
    answer: fn(&mut SchemaGenerator) -> Schema,
) -> Value {
    let data = answer(schemas);
    let error = <ErrorBody as JsonSchema>::schema_name();
    let refusal = schemas.subschema_for::<ErrorBody>();
    json!({ "oneOf": [
        {
            "type": "object",
            "required": ["ok", "data"],
            "properties": { "ok": { "const": true }, "data": data.as_value() },
        },
        {
            "type": "object",
            "required": ["ok", "error"],
            "description": format!("Refused: see {error}."),
            "properties": { "ok": { "const": false }, "error": refusal.as_value() },
        },
    ] })
}

/// Removes null from the types of optional properties: the server omits them and never sends null.
pub fn absent_rather_than_null(schema: &mut Schema) {
    let required = schema.get("required").cloned().unwrap_or_default();
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    for (name, property) in properties {
        if required.as_array().is_some_and(|required| required.iter().any(|key| key == name)) {
            continue;
        }
        if let Some(Value::Array(types)) = property.get_mut("type") {
            types.retain(|kind| kind != "null");
            if let [only] = types.as_slice() {
                property["type"] = only.clone();
            }
        }
        let Some(Value::Array(any)) = property.get_mut("anyOf") else { continue };
        any.retain(|schema| schema["type"] != "null");
        let [only] = any.as_mut_slice() else { continue };
        *property = only.take(); // Draft 7 ignores siblings of `$ref`.
    }
}

/// An event's name without colons, which keys of `AsyncAPI` do not allow.
fn key(name: &str) -> String {
    name.replace(':', "_")
}

fn reference(path: &[&str]) -> Value {
    json!({ "$ref": format!("#/{}", path.join("/")) })
}
