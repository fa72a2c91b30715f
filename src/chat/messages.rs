//! Messages: said, shared, and read back.

use std::{future::Future, num::NonZeroU32, time::Duration};

use bytes::Bytes;
use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

use super::{
    Caller, Chat, Error, Presence,
    work::{Announce, Asker, Say, Work},
};
use crate::{
    domain::{
        Author, ClientId, Draft, DraftBody, Event, History, InvalidText, Message, MessageText,
        Person, PersonId, RoomId, SystemCode, Timestamp, Window,
    },
    media::{FileError, GetRange, MediaError, MediaFile, StorageError},
};

/// Whoever says something hears within this time whether it is stored: the five seconds of the
/// contract, less the way there and back.
const ANSWERED_WITHIN: Duration = Duration::from_millis(4_500);

/// A file of a room: a GIF, or its poster.
pub type GifFile = MediaFile;

impl From<MediaError> for Error {
    fn from(error: MediaError) -> Self {
        match error {
            MediaError::NotAGif => Self::NotAGif,
            MediaError::BadGif(flaw) => Self::BadGif(flaw.to_string()),
            MediaError::TooLarge => Self::TooLarge,
            MediaError::NoSpace => Self::UploadsFull,
            MediaError::Storage(cause) => Self::Unavailable(cause),
        }
    }
}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        match error {
            FileError::OutOfRange { size } => Self::OutOfRange { size },
            FileError::Storage(cause) => Self::Unavailable(cause),
        }
    }
}

impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl Chat {
    /// Says something to a room. The order of calls is the order of messages, whichever answer is
    /// waited for first; the answer comes once the message is stored. The same `client_id` from
    /// the same person is stored once, and answered with what was stored then.
    ///
    /// # Errors
    /// [`Error::NotInRoom`], [`Error::NoSuchRoom`], [`Error::TooLong`], [`Error::Invalid`],
    /// [`Error::SlowDown`].
    pub fn say(
        &self,
        room: &RoomId,
        me: Caller<'_>,
        text: &str,
        client_id: Option<ClientId>,
    ) -> impl Future<Output = Result<Message, Error>> + Send + use<> {
        let said = words(text).and_then(|text| {
            self.limits.chats.check(me)?;
            Ok(self.append(room, me.id, DraftBody::Text(text), client_id))
        });
        async move { said?.await }
    }

    /// Says something to one person in the room; like [`Chat::say`] otherwise.
    ///
    /// # Errors
    /// Those of [`Chat::say`], [`Error::Yourself`], [`Error::NotHere`].
    pub fn whisper(
        &self,
        room: &RoomId,
        me: Caller<'_>,
        to: &PersonId,
        text: &str,
        client_id: Option<ClientId>,
    ) -> impl Future<Output = Result<Message, Error>> + Send + use<> {
        let said = words(text).and_then(|text| {
            if to == me.id {
                return Err(Error::Yourself);
            }
            self.limits.whispers.check(me)?;
            let body = DraftBody::Whisper { to: to.clone(), text };
            Ok(self.append(room, me.id, body, client_id))
        });
        async move { said?.await }
    }

    fn append(
        &self,
        room: &RoomId,
        me: &PersonId,
        body: DraftBody,
        client_id: Option<ClientId>,
    ) -> impl Future<Output = Result<Message, Error>> + Send + use<> {
        let author = Author::Seated(me.clone());
        let draft = Draft { author, body, client_id, at: Timestamp::now() };
        let (answer, answered) = oneshot::channel();
        let until = Instant::now() + ANSWERED_WITHIN;
        let asker = Some(Asker { answer, until });
        self.queue(room, Work::Say(Box::new(Say { draft, announce: Announce::Said, asker })));
        async move {
            let answered = timeout_at(until, answered).await;
            let answered = answered.map_err(|late| Error::Unavailable(late.into()))?;
            answered.map_err(|lost| Error::Unavailable(lost.into()))?
        }
    }

    /// Tells a room what happened to a person, or what they did.
    pub(super) fn note(
        &self,
        room: &RoomId,
        code: SystemCode,
        person: &Person,
        announce: Announce,
    ) {
        let draft = Draft {
            author: Author::System(person.clone()),
            body: DraftBody::System { code, person: person.clone() },
            client_id: None,
            at: Timestamp::now(),
        };
        self.queue(room, Work::Say(Box::new(Say { draft, announce, asker: None })));
    }

    /// Whether this person may share a GIF now; asked before any of it is read.
    ///
    /// # Errors
    /// [`Error::NotInRoom`], [`Error::NoSuchRoom`], [`Error::SlowDown`].
    pub async fn may_share(&self, room: &RoomId, me: Caller<'_>) -> Result<(), Error> {
        let room = self.store.room(room).await?.ok_or(Error::NoSuchRoom)?;
        if room.seat(me.id).is_none() {
            return Err(Error::NotInRoom);
        }
        self.limits.gifs.check(me)
    }

    /// Shares a GIF: checks it by its content, keeps it with its poster, and says it.
    ///
    /// # Errors
    /// [`Error::NotAGif`], [`Error::BadGif`], [`Error::TooLarge`], [`Error::NotInRoom`],
    /// [`Error::NoSuchRoom`], [`Error::SlowDown`] after too many bytes, [`Error::UploadsFull`].
    pub async fn share(
        &self,
        room: &RoomId,
        me: Caller<'_>,
        file: Bytes,
        client_id: Option<ClientId>,
    ) -> Result<Message, Error> {
        let kib = u32::try_from(file.len().div_ceil(1024)).unwrap_or(u32::MAX);
        self.limits.gif_kib.check_many(me, NonZeroU32::new(kib).unwrap_or(NonZeroU32::MIN))?;
        let gif = self.media.keep(room, file).await?;
        let shared = self.append(room, me.id, DraftBody::Gif(gif), client_id).await;
        if matches!(shared, Err(Error::NoSuchRoom)) {
            self.queue(room, Work::Purge); // The room closed meanwhile, and its files with it.
        }
        shared
    }

    /// Messages of a room, for somebody who is let in.
    ///
    /// # Errors
    /// The reasons of [`Chat::knock`], [`Error::SlowDown`].
    pub async fn history(
        &self,
        room: &RoomId,
        caller: Caller<'_>,
        window: Window,
    ) -> Result<History, Error> {
        self.limits.reads.check(caller)?;
        Ok(self.look_in(room, caller, window).await?.1)
    }

    /// A GIF or a poster of a room, or a part of it, for somebody who is let in; `None` when there
    /// is no such file.
    ///
    /// # Errors
    /// The reasons of [`Chat::knock`], [`Error::OutOfRange`].
    pub async fn file(
        &self,
        room: &RoomId,
        caller: Caller<'_>,
        name: &str,
        range: Option<GetRange>,
    ) -> Result<Option<GifFile>, Error> {
        self.knock(room, caller).await?;
        Ok(self.media.file(room, name, range).await?)
    }

    /// Tells a room that somebody is typing, or stopped; but not too often.
    pub async fn typing(&self, presence: &Presence, typing: bool) {
        if self.limits.typing.check(presence.caller()).is_err() {
            return;
        }
        let (room, person) = (presence.room.clone(), presence.person.clone());
        let event = Event::Typing { room, person, typing };
        self.bus.announce(event).await;
    }
}

fn words(text: &str) -> Result<MessageText, Error> {
    MessageText::parse(text).map_err(|error| match error {
        InvalidText::Empty => Error::field("chat", "chat_empty"),
        InvalidText::TooLong => Error::TooLong,
    })
}
