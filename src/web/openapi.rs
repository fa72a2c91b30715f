//! Writes the `OpenAPI` document of the operations.
//!
//! The format is <https://spec.openapis.org/oas/v3.1.1.html>.

use std::collections::{BTreeMap, BTreeSet};

use schemars::{SchemaGenerator, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Map, Value, json};

use super::{
    errors::{RetryAfter, status},
    operation::{Answer, Body, Content, Header, Limit, Operation},
    operations::ALL,
};
use crate::{
    chat::ErrorCode,
    protocol::{ErrorBody, document::absent_rather_than_null},
};

const ABOUT: &str = "Everything that the server takes over HTTP. A route for pages responds with HTML, or with JSON when `Accept` \
    prefers `application/json`. A form of a page has the field `csrf_token` besides. An address that does not exist is refused \
    with 404 `not_found`, and a method that an address does not take with 405 `method_not_allowed` and `Allow`. \
    `docs/protocol.md` describes the use.";

/// The codes with which any operation refuses people by a page; middleware is the source of most.
const WITH_PAGE: [ErrorCode; 4] =
    [ErrorCode::ForeignOrigin, ErrorCode::SlowDown, ErrorCode::Unavailable, ErrorCode::NotFound];

/// The `OpenAPI` document of all operations.
#[must_use]
pub fn document() -> Value {
    let mut schemas = SchemaSettings::draft2020_12()
        .with(|settings| settings.definitions_path = "/components/schemas".into())
        .with_transform(RecursiveTransform(absent_rather_than_null))
        .into_generator();
    let (mut paths, mut refusals) = (Map::new(), Map::new());
    for operation in ALL {
        let path = operation.path.replace("{*", "{");
        let described = describe(operation, &mut schemas, &mut refusals);
        let methods = paths.entry(path).or_insert_with(|| json!({}));
        methods[operation.method.to_lowercase()] = described;
    }
    let schemas = schemas.take_definitions(true);
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Huechat",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "servers": [{ "url": "http://localhost:8005", "description": "Wherever you run it." }],
        "security": [{ "session": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": refusals,
            "securitySchemes": {
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "huechat.sid",
                    "description": "The first response sets it; over https it is `__Host-huechat.sid`.",
                },
                "bot": { "type": "http", "scheme": "bearer", "description": "A bot's token." },
            },
        },
    })
}

fn describe(
    operation: &Operation,
    schemas: &mut SchemaGenerator,
    refusals: &mut Map<String, Value>,
) -> Value {
    let mut described = json!({
        "operationId": operation.name.to_lowercase(),
        "summary": operation.about.trim(),
        "x-rate-limit": match operation.limit {
            Limit::Requests => "RATE_REQUESTS".to_owned(),
            Limit::Handshakes => "RATE_HANDSHAKES".to_owned(),
            Limit::Unlimited(reason) => format!("none: {reason}"),
        },
        "responses": responses(operation, schemas, refusals),
    });
    if operation.refusals.iter().any(|codes| codes.contains(&ErrorCode::InvalidToken)) {
        described["security"] = json!([{ "session": [] }, { "bot": [] }]);
    }
    let mut parameters = path_parameters(operation.path);
    parameters.extend(query_parameters(operation, schemas));
    parameters.extend(operation.headers.iter().map(|Header(name, about)| {
        json!({ "name": name, "in": "header", "description": about, "schema": { "type": "string" } })
    }));
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Some(body) = operation.body {
        described["requestBody"] = request_body(body, schemas);
    }
    described
}

/// The parameters of a path. What stands before one says what it names.
fn path_parameters(path: &str) -> Vec<Value> {
    let mut before = "";
    let mut parameters = Vec::new();
    for segment in path.split('/') {
        let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        if let Some(name) = name.map(|name| name.trim_start_matches('*')) {
            let (about, schema) = match before {
                "room" | "gif" => ("The room's id.", id(16)),
                "person" | "chatter" => ("The person's id.", id(12)),
                "token" => ("The token's id.", id(16)),
                "chat" => ("The message's number in the room.", json!({ "type": "integer" })),
                "{room}" => ("The name of the file, as in a message's `gif`.", file_name()),
                "public" => ("The version of the files, as in pages.", text()),
                _ => ("The path of the file.", text()),
            };
            parameters.push(json!({
                "name": name, "in": "path", "required": true, "description": about, "schema": schema,
            }));
        }
        before = segment;
    }
    parameters
}

/// An id of base 32.
fn id(length: u8) -> Value {
    json!({ "type": "string", "pattern": format!("^[a-z2-7]{{{length}}}$") })
}

fn file_name() -> Value {
    json!({ "type": "string", "pattern": "^[0-9a-f]{64}\\.(gif|png)$" })
}

fn text() -> Value {
    json!({ "type": "string", "minLength": 1 })
}

fn query_parameters(operation: &Operation, schemas: &mut SchemaGenerator) -> Vec<Value> {
    let Some(query) = operation.query else { return Vec::new() };
    let mut query = query(schemas);
    schemas.transforms_mut().for_each(|transform| transform.transform(&mut query));
    let required = query.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let Some(properties) = query.get("properties").and_then(Value::as_object) else {
        return Vec::new();
    };
    let parameter = |(name, schema): (&String, &Value)| {
        let mut schema = schema.clone();
        let about = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        json!({
            "name": name,
            "in": "query",
            "required": required.iter().any(|key| key == name),
            "description": about,
            "schema": schema,
        })
    };
    properties.iter().map(parameter).collect()
}

fn request_body(body: Body, schemas: &mut SchemaGenerator) -> Value {
    match body {
        Body::Fields(describe) => {
            let mut schema = describe(schemas);
            schemas.transforms_mut().for_each(|transform| transform.transform(&mut schema));
            let required = schema.get("required").is_some();
            let content = json!({ "schema": schema });
            json!({
                "required": required,
                "content": {
                    "application/json": content,
                    "application/x-www-form-urlencoded": content,
                },
            })
        }
        Body::Upload => json!({
            "required": true,
            "content": { "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["gif"],
                    "properties": {
                        "gif": {
                            "type": "string",
                            "contentMediaType": "image/gif",
                            "description": "The file.",
                        },
                        "clientId": {
                            "type": "string",
                            "description": "The sender's name for the message; the server stores repeated sends once.",
                        },
                    },
                    "additionalProperties": false,
                },
                "encoding": { "gif": { "contentType": "image/gif" } },
            } },
        }),
        Body::Packets => json!({
            "required": true,
            "content": { "text/plain": { "schema": { "type": "string" } } },
        }),
    }
}

/// The responses of the handler, and those of the refusals, by their status.
fn responses(
    operation: &Operation,
    schemas: &mut SchemaGenerator,
    refusals: &mut Map<String, Value>,
) -> Value {
    let mut responses = Map::new();
    for answer in operation.answers {
        responses.insert(answer.status.to_string(), response(answer, schemas));
    }
    let is_page = operation.answers.iter().any(|answer| answer.status == 303);
    let mut by_status: BTreeMap<u16, BTreeSet<ErrorCode>> = BTreeMap::new();
    for code in operation.refusals.iter().copied().flatten() {
        by_status.entry(status(*code).as_u16()).or_default().insert(*code);
    }
    for (status, codes) in by_status {
        // Pages open sockets by script, and so get JSON.
        let may_have_page = operation.limit != Limit::Handshakes;
        let has_page =
            is_page || (may_have_page && codes.iter().any(|code| WITH_PAGE.contains(code)));
        let refused = refusal(&codes, has_page, schemas);
        let status = status.to_string();
        let response = match responses.remove(&status) {
            Some(answer) => merged(&answer, &refused),
            None => shared(&codes, has_page, refused, refusals),
        };
        responses.insert(status, response);
    }
    responses.into()
}

fn response(answer: &Answer, schemas: &mut SchemaGenerator) -> Value {
    let mut response = json!({ "description": answer.about });
    for content in answer.content {
        let (kind, schema) = match content {
            Content::Json(describe) => ("application/json", describe(schemas).to_value()),
            Content::Page => ("text/html", json!({ "type": "string" })),
            Content::Raw(kind) => (*kind, json!({})),
        };
        response["content"][kind] = json!({ "schema": schema });
    }
    for Header(name, about) in answer.headers {
        response["headers"][name] =
            json!({ "required": true, "description": about, "schema": { "type": "string" } });
    }
    response
}

/// The response to a request that is refused for one of these reasons, all of one status.
fn refusal(codes: &BTreeSet<ErrorCode>, has_page: bool, schemas: &mut SchemaGenerator) -> Value {
    let names: Vec<&str> = codes.iter().map(<&str>::from).collect();
    let mut error = schemas.subschema_for::<ErrorBody>();
    error.insert("properties".to_owned(), json!({ "code": { "enum": names } }));
    let body = json!({
        "type": "object",
        "required": ["error"],
        "properties": { "error": error },
    });
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let mut response = json!({
        "description": quoted.join(", "),
        "content": { "application/json": { "schema": body } },
    });
    if has_page {
        response["content"]["text/html"] = json!({ "schema": { "type": "string" } });
    }
    let waits = |code: &&ErrorCode| RetryAfter::of(**code) != RetryAfter::Never;
    let waiting = codes.iter().filter(waits).count();
    if waiting > 0 {
        response["headers"]["Retry-After"] = json!({
            "required": waiting == codes.len(),
            "description": "Seconds after which a retry may succeed.",
            "schema": { "type": "integer" },
        });
    }
    response
}

/// A reference to a refusal, which many operations share.
fn shared(
    codes: &BTreeSet<ErrorCode>,
    has_page: bool,
    refusal: Value,
    refusals: &mut Map<String, Value>,
) -> Value {
    let names: Vec<&str> = codes.iter().map(<&str>::from).collect();
    let form = if has_page { "json_or_page" } else { "json" };
    let name = format!("{}.{form}", names.join("-"));
    let reference = json!({ "$ref": format!("#/components/responses/{name}") });
    refusals.insert(name, refusal);
    reference
}

/// Two responses of one status.
fn merged(answer: &Value, refusal: &Value) -> Value {
    let mut both = answer.clone();
    let about = |response: &Value| response["description"].as_str().unwrap_or_default().to_owned();
    both["description"] = format!("{} Or {}", about(answer), about(refusal)).into();
    for part in ["content", "headers"] {
        for (key, value) in refusal[part].as_object().into_iter().flatten() {
            both[part][key] = match answer[part].get(key) {
                Some(other) => json!({ "schema": { "anyOf": [other["schema"], value["schema"]] } }),
                None => value.clone(),
            };
        }
    }
    both
}
