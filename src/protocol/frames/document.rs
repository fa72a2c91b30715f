//! Generates the JSON Schemas of the frames for `docs/gateway.md`.

use schemars::{SchemaGenerator, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Map, Value, json};

use super::{Frame, client_events, server_events};
use crate::protocol::document::absent_rather_than_null;

/// The heading of the generated section of the manual.
pub const HEAD: &str = "## Schemas\n";

/// One schema of all frames. It accepts the server's frames, which its definitions list as
/// `told_…`; the definitions list a bot's frames as `asked_…`.
#[must_use]
pub fn document() -> Value {
    let mut schemas = SchemaSettings::draft07()
        .with_transform(RecursiveTransform(absent_rather_than_null))
        .into_generator();
    let mut frames = Map::new();
    for (kind, all) in [("told", server_events::all()), ("asked", client_events::all())] {
        for frame in all {
            frames.insert(format!("{kind}_{}", frame.op), schema(&frame, &mut schemas));
        }
    }
    let server_frames: Vec<Value> = frames
        .keys()
        .filter(|name| name.starts_with("told_"))
        .map(|name| json!({ "$ref": format!("#/definitions/{name}") }))
        .collect();
    let mut definitions = schemas.take_definitions(true);
    definitions.extend(frames);
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A frame of the server",
        "oneOf": server_frames,
        "definitions": definitions,
    })
}

fn schema(frame: &Frame, schemas: &mut SchemaGenerator) -> Value {
    let data = (frame.data)(schemas);
    let empty = data.get("type").is_some_and(|kind| kind == "null");
    let required = if empty { vec!["op"] } else { vec!["op", "d"] };
    json!({
        "type": "object",
        "description": frame.about.trim(),
        "required": required,
        "properties": { "op": { "const": frame.op }, "d": data.as_value() },
    })
}

/// The generated section of the manual.
#[must_use]
pub fn section() -> String {
    let list = |frames: Vec<Frame>| -> String {
        let line = |frame: Frame| format!("| `{}` | {} |\n", frame.op, frame.about.trim());
        frames.into_iter().map(line).collect()
    };
    let schema = serde_json::to_string_pretty(&document()).unwrap_or_default();
    format!(
        "{HEAD}\nMade of the code by `make protocol`.\n\n| the server says | |\n|---|---|\n{}\n| a bot says | \
         |\n|---|---|\n{}\n```json\n{schema}\n```\n",
        list(server_events::all()),
        list(client_events::all()),
    )
}
