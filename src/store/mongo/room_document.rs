//! Conversion between documents of `rooms` and domain values.

use mongodb::bson::DateTime;
use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        Capacity, Color, Name, NetworkHash, NodeId, PasswordHash, Person, PersonId, Room, RoomId,
        RoomSummary, RoomTitle, Seat, SeatSocket, SocketId, Timestamp,
    },
    store::{Error, NewRoom, Result},
};

/// A value that does not parse, and so was not written by this program.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no {1}: the database was changed from outside")]
struct Corrupt(String, &'static str);

pub(super) fn parsed<T>(raw: &str, kind: &'static str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| Error::new(Corrupt(raw.to_owned(), kind)))
}

pub(super) fn room_id(raw: &str) -> Result<RoomId> {
    parsed(raw, "room id", RoomId::parse(raw).ok())
}

fn person_id(raw: &str) -> Result<PersonId> {
    parsed(raw, "person id", PersonId::parse(raw).ok())
}

pub(super) fn date(at: Timestamp) -> DateTime {
    DateTime::from_millis(at.as_millis())
}

pub(super) fn timestamp(date: DateTime) -> Timestamp {
    Timestamp::from_millis(date.timestamp_millis())
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PersonDocument {
    pub id: String,
    pub color: String,
    pub name: String,
}

impl From<&Person> for PersonDocument {
    fn from(person: &Person) -> Self {
        Self {
            id: person.id.as_str().to_owned(),
            color: person.color.hex().to_owned(),
            name: person.name.to_string(),
        }
    }
}

impl PersonDocument {
    pub(super) fn person(&self) -> Result<Person> {
        person(&self.id, &self.color, &self.name)
    }
}

pub(super) fn person(id: &str, hex: &str, called: &str) -> Result<Person> {
    Ok(Person {
        id: person_id(id)?,
        color: color(hex)?,
        name: parsed(called, "name", Name::parse(called))?,
    })
}

fn color(hex: &str) -> Result<Color> {
    parsed(hex, "colour", Color::from_hex(hex))
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SocketDocument {
    pub id: String,
    pub node: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SeatDocument {
    pub id: String,
    pub color: String,
    pub name: String,
    pub sockets: Vec<SocketDocument>,
    pub since: DateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_at: Option<DateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
}

impl From<&SeatSocket> for SocketDocument {
    fn from(socket: &SeatSocket) -> Self {
        Self { id: socket.id.as_str().to_owned(), node: socket.node.as_str().to_owned() }
    }
}

impl From<&Seat> for SeatDocument {
    fn from(seat: &Seat) -> Self {
        let PersonDocument { id, color, name } = PersonDocument::from(&seat.person);
        Self {
            id,
            color,
            name,
            sockets: seat.sockets.iter().map(SocketDocument::from).collect(),
            since: date(seat.since),
            left_at: seat.left_at.map(date),
            network: seat.network.as_ref().map(|network| network.as_str().to_owned()),
        }
    }
}

impl SeatDocument {
    fn seat(self) -> Result<Seat> {
        let socket = |socket: SocketDocument| SeatSocket {
            id: SocketId::new(socket.id),
            node: NodeId::new(socket.node),
        };
        Ok(Seat {
            person: person(&self.id, &self.color, &self.name)?,
            sockets: self.sockets.into_iter().map(socket).collect(),
            since: timestamp(self.since),
            left_at: self.left_at.map(timestamp),
            network: self.network.map(NetworkHash::new),
        })
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoomDocument {
    #[serde(rename = "_id")]
    pub id: String,
    pub title: String,
    pub max: u32,
    pub owner: PersonDocument,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    pub locked: bool,
    pub seq: i64,
    pub head: i64,
    pub people: Vec<SeatDocument>,
    pub kicked: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kicked_networks: Vec<String>,
    pub created_at: DateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub empty_since: Option<DateTime>,
}

impl From<&NewRoom> for RoomDocument {
    fn from(room: &NewRoom) -> Self {
        Self {
            id: room.id.as_str().to_owned(),
            title: room.title.as_str().to_owned(),
            max: room.max.get(),
            owner: PersonDocument::from(&room.owner),
            password: room.password.as_ref().map(|hash| hash.as_str().to_owned()),
            locked: false,
            seq: 0,
            head: 0,
            people: Vec::new(),
            kicked: Vec::new(),
            kicked_networks: Vec::new(),
            created_at: date(room.created_at),
            empty_since: Some(date(room.created_at)),
        }
    }
}

impl RoomDocument {
    pub(super) fn room(self) -> Result<Room> {
        Ok(Room {
            id: room_id(&self.id)?,
            title: title(&self.title)?,
            max: Capacity::new(self.max),
            owner: self.owner.person()?,
            password: self.password.map(PasswordHash::new),
            locked: self.locked,
            people: self.people.into_iter().map(SeatDocument::seat).collect::<Result<_>>()?,
            kicked: self.kicked.iter().map(|id| person_id(id)).collect::<Result<_>>()?,
            kicked_networks: self.kicked_networks.into_iter().map(NetworkHash::new).collect(),
            created_at: timestamp(self.created_at),
            empty_since: self.empty_since.map(timestamp),
        })
    }
}

fn title(raw: &str) -> Result<RoomTitle> {
    parsed(raw, "title", RoomTitle::parse(raw).ok())
}

#[derive(Debug, Deserialize)]
struct ColorDocument {
    color: String,
}

/// A room as the lobby's aggregation returns it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SummaryDocument {
    #[serde(rename = "_id")]
    id: String,
    title: String,
    max: u32,
    count: u32,
    /// Colours of the first people.
    people: Vec<ColorDocument>,
    owner: PersonDocument,
    has_password: bool,
    locked: bool,
    created_at: DateTime,
}

impl SummaryDocument {
    pub(super) fn summary(self) -> Result<RoomSummary> {
        Ok(RoomSummary {
            id: room_id(&self.id)?,
            title: title(&self.title)?,
            max: Capacity::new(self.max),
            count: self.count,
            colors: self.people.iter().map(|seat| color(&seat.color)).collect::<Result<_>>()?,
            owner: self.owner.person()?,
            has_password: self.has_password,
            locked: self.locked,
            created_at: timestamp(self.created_at),
        })
    }
}
