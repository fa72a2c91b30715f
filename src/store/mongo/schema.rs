//! Applies the validators and indexes in `schemas/`.

use mongodb::{
    Database,
    bson::{Document, doc},
    error::{Error as DriverError, ErrorKind},
};
use serde::Deserialize;

use crate::store::{Error, Result};

const SCHEMAS: [(&str, &str); 6] = [
    ("rooms", include_str!("../../../schemas/rooms.json")),
    ("chats", include_str!("../../../schemas/chats.json")),
    ("sessions", include_str!("../../../schemas/sessions.json")),
    ("tokens", include_str!("../../../schemas/tokens.json")),
    ("nodes", include_str!("../../../schemas/nodes.json")),
    ("store", include_str!("../../../schemas/store.json")),
];
const NAMESPACE_EXISTS: i32 = 48;

#[derive(Deserialize)]
struct Schema {
    validator: Document,
    indexes: Vec<Document>,
}

/// Creates or updates the collections. Several nodes may do so concurrently.
///
/// No deadline: building an index over a large collection takes time.
pub(super) async fn apply(database: &Database) -> Result<()> {
    for (collection, json) in SCHEMAS {
        let schema: Schema = serde_json::from_str(json).map_err(Error::new)?;
        require_valid(database, collection, schema.validator).await?;
        if schema.indexes.is_empty() {
            continue;
        }
        database
            .run_command(doc! { "createIndexes": collection, "indexes": schema.indexes })
            .await?;
    }
    Ok(())
}

async fn require_valid(database: &Database, collection: &str, validator: Document) -> Result<()> {
    let create = doc! { "create": collection, "validator": &validator };
    match database.run_command(create).await {
        Ok(_) => return Ok(()),
        Err(cause) if code(&cause) == Some(NAMESPACE_EXISTS) => {}
        Err(cause) => return Err(cause.into()),
    }
    // `collMod` takes an exclusive lock, and needs a privilege that `readWrite` lacks.
    if current(database, collection).await? != Some(validator.clone()) {
        database.run_command(doc! { "collMod": collection, "validator": validator }).await?;
    }
    Ok(())
}

async fn current(database: &Database, collection: &str) -> Result<Option<Document>> {
    let mut found = database.list_collections().filter(doc! { "name": collection }).await?;
    if !found.advance().await? {
        return Ok(None);
    }
    Ok(found.deserialize_current()?.options.validator)
}

fn code(error: &DriverError) -> Option<i32> {
    match &*error.kind {
        ErrorKind::Command(failed) => Some(failed.code),
        _ => None,
    }
}
