//! Conversion from columns to domain values. A value that does not parse was not written by this
//! program.

use rusqlite::{Row, types::Type};

use crate::domain::{
    Body, BotLabel, ClientId, Color, Gif, GifFacts, Message, Name, Person, PersonId, RoomId,
    RoomTitle, StoreId, SystemCode, Timestamp, TokenHash, TokenId,
};

#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no {1}: the file was changed from outside")]
struct Corrupt(String, &'static str);

fn parsed<T>(raw: &str, kind: &'static str, value: Option<T>) -> rusqlite::Result<T> {
    value.ok_or_else(|| {
        let cause = Box::new(Corrupt(raw.to_owned(), kind));
        rusqlite::Error::FromSqlConversionFailure(0, Type::Text, cause)
    })
}

pub(super) fn room_id(row: &Row<'_>, column: &str) -> rusqlite::Result<RoomId> {
    let raw: String = row.get(column)?;
    parsed(&raw, "room id", RoomId::parse(&raw).ok())
}

pub(super) fn person_id(row: &Row<'_>, column: &str) -> rusqlite::Result<PersonId> {
    let raw: String = row.get(column)?;
    parsed(&raw, "person id", PersonId::parse(&raw).ok())
}

pub(super) fn store_id(row: &Row<'_>) -> rusqlite::Result<StoreId> {
    let raw: String = row.get("id")?;
    parsed(&raw, "store id", StoreId::parse(&raw).ok())
}

pub(super) fn token_id(row: &Row<'_>) -> rusqlite::Result<TokenId> {
    let raw: String = row.get("id")?;
    parsed(&raw, "token id", TokenId::parse(&raw).ok())
}

pub(super) fn token_hash(row: &Row<'_>) -> rusqlite::Result<TokenHash> {
    row.get("hash").map(TokenHash::new::<String>)
}

pub(super) fn label(row: &Row<'_>) -> rusqlite::Result<BotLabel> {
    let raw: String = row.get("label")?;
    parsed(&raw, "label", BotLabel::parse(&raw).ok())
}

pub(super) fn title(row: &Row<'_>) -> rusqlite::Result<RoomTitle> {
    let raw: String = row.get("title")?;
    parsed(&raw, "title", RoomTitle::parse(&raw).ok())
}

pub(super) fn timestamp(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::from_millis)
}

pub(super) fn maybe_timestamp(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis))
}

/// A person from three columns: id, colour and name.
pub(super) fn person(row: &Row<'_>, [id, color, name]: [&str; 3]) -> rusqlite::Result<Person> {
    let (hex, called): (String, String) = (row.get(color)?, row.get(name)?);
    Ok(Person {
        id: person_id(row, id)?,
        color: parsed(&hex, "colour", Color::from_hex(&hex))?,
        name: parsed(&called, "name", Name::parse(&called))?,
    })
}

#[derive(serde::Serialize, serde::Deserialize)]
struct GifColumn {
    hash: String,
    width: u32,
    height: u32,
    bytes: u64,
    frames: u32,
    duration_ms: u64,
}

pub(super) fn gif_column(gif: &Gif) -> rusqlite::Result<String> {
    let Gif { hash, facts } = gif;
    let column = GifColumn {
        hash: hash.clone(),
        width: facts.width,
        height: facts.height,
        bytes: facts.bytes,
        frames: facts.frames,
        duration_ms: facts.duration_ms,
    };
    serde_json::to_string(&column)
        .map_err(|cause| rusqlite::Error::ToSqlConversionFailure(Box::new(cause)))
}

fn gif(raw: &str) -> rusqlite::Result<Gif> {
    let column: GifColumn = parsed(raw, "GIF", serde_json::from_str(raw).ok())?;
    Ok(Gif {
        hash: column.hash,
        facts: GifFacts {
            width: column.width,
            height: column.height,
            bytes: column.bytes,
            frames: column.frames,
            duration_ms: column.duration_ms,
        },
    })
}

fn body(row: &Row<'_>) -> rusqlite::Result<Body> {
    let kind: String = row.get("kind")?;
    let words: Option<String> = row.get("chat")?;
    let other = || person(row, ["to_id", "to_color", "to_name"]);
    match (kind.as_str(), words) {
        ("chat", Some(text)) => Ok(Body::Text(text)),
        ("chat", None) => Ok(Body::DeletedText),
        ("gif", _) => match row.get::<_, Option<String>>("gif")? {
            Some(facts) => Ok(Body::Gif(gif(&facts)?)),
            None => Ok(Body::DeletedGif),
        },
        ("whisper", Some(text)) => Ok(Body::Whisper { to: other()?, text }),
        ("whisper", None) => Ok(Body::DeletedWhisper { to: other()? }),
        ("system", Some(raw)) => {
            let code = parsed(&raw, "system code", SystemCode::from_code(&raw))?;
            Ok(Body::System { code, person: other()? })
        }
        (_, _) => parsed(&kind, "message", None),
    }
}

/// A message from the columns of `chats`.
pub(super) fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    let room = room_id(row, "room")?;
    let seq = row.get("seq")?;
    let client_id: Option<String> = row.get("client_id")?;
    Ok(Message {
        id: message_id(&room, seq),
        room,
        seq,
        by: person(row, ["user", "color", "name"])?,
        body: body(row)?,
        client_id: client_id
            .map(|raw| parsed(&raw, "client id", ClientId::parse(&raw).ok()))
            .transpose()?,
        at: timestamp(row, "created_at")?,
    })
}

/// The id of a message: its room and number.
pub(super) fn message_id(room: &RoomId, seq: i64) -> String {
    format!("{room}-{seq}")
}
