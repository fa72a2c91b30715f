//! The domain: types and pure rules for rooms, people and messages, without input or output.
//!
//! The edges parse all input into these types, so that every value inside is valid.

mod capacity;
mod color;
mod event;
mod gif;
mod id;
mod message;
mod network;
mod password;
mod person;
mod preferences;
mod room;
mod room_summary;
mod time;
mod title;
mod token;
mod visible;

pub use capacity::{Capacity, InvalidCapacity};
pub use color::{Color, Hue};
pub use event::{Ended, Event};
pub use gif::{Gif, GifFacts};
pub use id::{ClientId, InvalidId, NodeId, PersonId, RoomId, SocketId, StoreId, TokenId};
pub use message::{
    AppendError, Author, Body, Draft, DraftBody, History, InvalidText, Message, MessageText, Seq,
    SystemCode, Window,
};
pub use network::{Network, NetworkHash, NetworkKey};
pub use password::{InvalidPassword, Password, PasswordHash};
pub use person::{Name, Person};
pub use preferences::{Language, Preferences, Theme};
pub use room::{
    Connection, EntryError, EntryRequest, OwnerActionError, Room, RoomChange, Seat, SeatSocket,
};
pub use room_summary::RoomSummary;
pub use time::Timestamp;
pub use title::{InvalidTitle, RoomTitle};
pub use token::{BotLabel, InvalidLabel, InvalidToken, Token, TokenHash};
