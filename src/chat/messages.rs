//! Messages: sending, sharing GIFs, and reading history.

use std::{future::Future, num::NonZeroU32, time::Duration};

use bytes::Bytes;
use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

use super::{
    ChatService, Error, Requester, SeatGuard,
    command::{Announce, Command, Say, Waiter},
};
use crate::{
    domain::{
        Author, Body, ClientId, Draft, DraftBody, Event, History, InvalidText, Message,
        MessageText, PersonId, RoomId, Timestamp, Window,
    },
    media::{FileError, GetRange, MediaError, MediaFile, StorageError},
};

/// Deadline for the answer to a sender: the five seconds of the protocol, less the network round
/// trip.
const ANSWERED_WITHIN: Duration = Duration::from_millis(4_500);

/// A file of a room: a GIF or its poster.
pub type GifFile = MediaFile;

impl From<MediaError> for Error {
    fn from(error: MediaError) -> Self {
        match error {
            MediaError::NotAGif => Self::NotAGif,
            MediaError::BadGif(gif_error) => Self::BadGif(gif_error.to_string()),
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

impl ChatService {
    /// Sends a message to a room. Messages are stored in the order of the calls; the future
    /// resolves once the message is stored. A repeated `client_id` of the same person is stored
    /// once, and every call returns the stored message.
    ///
    /// # Errors
    /// [`Error::NotInRoom`], [`Error::NoSuchRoom`], [`Error::TooLong`], [`Error::Invalid`],
    /// [`Error::SlowDown`].
    pub fn say(
        &self,
        room: &RoomId,
        me: Requester<'_>,
        text: &str,
        client_id: Option<ClientId>,
    ) -> impl Future<Output = Result<Message, Error>> + Send + use<> {
        let pending = message_text(text).and_then(|text| {
            self.limits.chats.check(me)?;
            Ok(self.queue_message(room, me.id, DraftBody::Text(text), client_id))
        });
        async move { pending?.await }
    }

    /// Sends a message to one person in the room; otherwise like [`ChatService::say`].
    ///
    /// # Errors
    /// Those of [`ChatService::say`], [`Error::Yourself`], [`Error::NotHere`].
    pub fn whisper(
        &self,
        room: &RoomId,
        me: Requester<'_>,
        to: &PersonId,
        text: &str,
        client_id: Option<ClientId>,
    ) -> impl Future<Output = Result<Message, Error>> + Send + use<> {
        let pending = message_text(text).and_then(|text| {
            if to == me.id {
                return Err(Error::Yourself);
            }
            self.limits.whispers.check(me)?;
            let body = DraftBody::Whisper { to: to.clone(), text };
            Ok(self.queue_message(room, me.id, body, client_id))
        });
        async move { pending?.await }
    }

    /// Queues a person's message. The future resolves to the stored message.
    fn queue_message(
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
        let waiter = Some(Waiter { answer, until });
        let say = Box::new(Say { draft, announce: Announce::Posted, waiter });
        self.room_tasks.queue(room, Command::Say(say));
        async move {
            let answered = timeout_at(until, answered).await;
            let answered = answered.map_err(|late| Error::Unavailable(late.into()))?;
            answered.map_err(|lost| Error::Unavailable(lost.into()))?
        }
    }

    /// Checks whether a person may share a GIF, before its upload is read.
    ///
    /// # Errors
    /// [`Error::NotInRoom`], [`Error::NoSuchRoom`], [`Error::SlowDown`].
    pub async fn may_share(&self, room: &RoomId, me: Requester<'_>) -> Result<(), Error> {
        self.room_with_seat(room, me.id).await?;
        self.limits.gifs.check(me)
    }

    /// Shares a GIF: checks its content, stores it with its poster, and sends the message.
    ///
    /// # Errors
    /// [`Error::NotAGif`], [`Error::BadGif`], [`Error::TooLarge`], [`Error::NotInRoom`],
    /// [`Error::NoSuchRoom`], [`Error::SlowDown`] after too many bytes, [`Error::UploadsFull`].
    pub async fn share(
        &self,
        room: &RoomId,
        me: Requester<'_>,
        file: Bytes,
        client_id: Option<ClientId>,
    ) -> Result<Message, Error> {
        let kib = u32::try_from(file.len().div_ceil(1024)).unwrap_or(u32::MAX);
        self.limits.gif_kib.check_many(me, NonZeroU32::new(kib).unwrap_or(NonZeroU32::MIN))?;
        let gif = match self.media.keep(room, file.clone()).await {
            Ok(gif) => gif,
            Err(error) => return Err(self.unless_closed(room, error.into()).await),
        };
        let body = DraftBody::Gif(gif.clone());
        let shared = self.queue_message(room, me.id, body, client_id).await;
        match &shared {
            // The room task has removed the file if an older message that showed it was deleted
            // before this one was stored.
            Ok(message) if message.body == Body::Gif(gif.clone()) => {
                if !self.media.has(room, &gif).await? {
                    self.media.keep(room, file).await?;
                }
            }
            // The room closed during the upload.
            Err(Error::NoSuchRoom) => self.room_tasks.queue(room, Command::Purge),
            // The message may be stored.
            Err(Error::Unavailable(_)) => {}
            // Another GIF was sent under this client id, or its sender has left.
            Ok(_) | Err(_) => self.room_tasks.queue(room, Command::Discard(gif)),
        }
        match shared {
            Err(error) => Err(self.unless_closed(room, error).await),
            stored => stored,
        }
    }

    /// The error of an upload. If the room has closed meanwhile, that is [`Error::NoSuchRoom`], and
    /// what was written is purged: the upload and the removal of the room's folder each fail because
    /// of the other.
    async fn unless_closed(&self, room: &RoomId, error: Error) -> Error {
        if matches!(error, Error::Unavailable(_)) && matches!(self.store.room(room).await, Ok(None))
        {
            self.room_tasks.queue(room, Command::Purge);
            return Error::NoSuchRoom;
        }
        error
    }

    /// A page of a room's messages, for a person with a seat.
    ///
    /// # Errors
    /// [`Error::NoSuchRoom`], [`Error::NotInRoom`], [`Error::SlowDown`].
    pub async fn history(
        &self,
        room: &RoomId,
        me: Requester<'_>,
        window: Window,
    ) -> Result<History, Error> {
        self.limits.reads.check(me)?;
        self.room_with_seat(room, me.id).await?;
        Ok(self.store.history(room, me.id, window).await?)
    }

    /// A GIF or poster of a room, or a byte range of it, for a person with a seat. `None` when the
    /// file does not exist.
    ///
    /// # Errors
    /// [`Error::NoSuchRoom`], [`Error::NotInRoom`], [`Error::OutOfRange`].
    pub async fn file(
        &self,
        room: &RoomId,
        me: &PersonId,
        name: &str,
        range: Option<GetRange>,
    ) -> Result<Option<GifFile>, Error> {
        self.room_with_seat(room, me).await?;
        Ok(self.media.file(room, name, range).await?)
    }

    /// Announces that a person is typing or has stopped. Drops the event above the rate limit.
    pub async fn typing(&self, seat: &SeatGuard, typing: bool) {
        if self.limits.typing.check(seat.requester()).is_ok() {
            let (room, person) = (seat.room.clone(), seat.person.clone());
            self.bus.announce(Event::Typing { room, person, typing }).await;
        }
    }
}

fn message_text(text: &str) -> Result<MessageText, Error> {
    MessageText::parse(text).map_err(|error| match error {
        InvalidText::Empty => Error::field("chat", "chat_empty"),
        InvalidText::TooLong => Error::TooLong,
    })
}
