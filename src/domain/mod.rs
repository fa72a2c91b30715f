//! What a room, a person and a message are: pure rules, without input or output.
//!
//! Everything that comes from outside is parsed into one of these types at an edge; inside, a
//! value is already right.

mod capacity;
mod choices;
mod color;
mod event;
mod gif;
mod id;
mod message;
mod network;
mod password;
mod person;
mod room;
mod time;
mod title;
mod token;
mod visible;

pub use capacity::{Capacity, InvalidCapacity};
pub use choices::{Choices, Language, Theme};
pub use color::{Color, Hue};
pub use event::Event;
pub use gif::{Gif, GifFacts};
pub use id::{ClientId, InvalidId, NodeId, PersonId, RoomId, SocketId, TokenId};
pub use message::{
    Author, Body, Draft, DraftBody, History, InvalidText, Message, MessageText, Seq, SystemCode,
    Window,
};
pub use network::{Network, NetworkHash, NetworkKey};
pub use password::{InvalidPassword, Password, PasswordHash};
pub use person::{Name, Person};
pub use room::{Knock, Refusal, Room, RoomChange, RoomSummary, Seat, SeatSocket, Undone};
pub use time::Timestamp;
pub use title::{InvalidTitle, RoomTitle};
pub use token::{BotLabel, InvalidLabel, InvalidToken, Token, TokenHash};
