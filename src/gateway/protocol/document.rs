//! The frames as JSON Schemas, for `docs/gateway.md`.

use schemars::{SchemaGenerator, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Map, Value, json};

use super::{Frame, asked, told};
use crate::sockets::protocol::document::absent_rather_than_null;

/// What the part of the manual that is made of the code begins with.
pub const HEAD: &str = "## Schemas\n";

/// One schema of all frames. Those of the server are `told_…` among its definitions, and are what it describes;
/// those of a bot are `asked_…`.
#[must_use]
pub fn document() -> Value {
    let mut schemas = SchemaSettings::draft07()
        .with_transform(RecursiveTransform(absent_rather_than_null))
        .into_generator();
    let mut frames = Map::new();
    for (kind, all) in [("told", told::all()), ("asked", asked::all())] {
        for frame in all {
            frames.insert(format!("{kind}_{}", frame.op), schema(&frame, &mut schemas));
        }
    }
    let said: Vec<Value> = frames
        .keys()
        .filter(|name| name.starts_with("told_"))
        .map(|name| json!({ "$ref": format!("#/definitions/{name}") }))
        .collect();
    let mut definitions = schemas.take_definitions(true);
    definitions.extend(frames);
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A frame of the server",
        "oneOf": said,
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

/// The part of the manual that is made of the code.
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
        list(told::all()),
        list(asked::all()),
    )
}
