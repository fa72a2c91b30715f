//! The HTTP operations: the one table of everything that this server takes over HTTP.
//!
//! [`routes`](super::routes) serves these and nothing else, [`openapi`](super::openapi) writes them
//! as `docs/openapi.yaml`, and tests walk them.

use axum::routing::MethodFilter;

use super::{
    direct_messages::MessagePost,
    engine_io::{self, Refusal as EngineIo},
    lobby::LobbyParams,
    operation::{
        Answer, Body,
        Content::{self, Json, Page, Raw},
        Header, Limit, Operation, reference_to, schema_of,
    },
    room::{Password, ReportForm, Unlock},
    tokens::{List, Made, TokenForm},
};
use crate::{
    chat::ErrorCode::{
        self, BadGif, ForeignOrigin, Invalid, InvalidToken, Kicked, Locked, Malformed,
        NoSuchMessage, NoSuchRoom, NotAGif, NotFound, NotHere, NotInRoom, NotOwner, OutOfRange,
        Restarting, RoomFull, SlowDown, TooLarge, TooLong, TooManyConnections, TooManyRooms,
        TooManyTokens, TooSlow, Unauthorized, Unavailable, UploadsFull, WrongPassword, Yourself,
    },
    protocol::{
        Chat, ChatGet, ChatPost, Chats, Person, ReaderPut, Refusal, Room, RoomPatch, RoomPost,
        Rooms, WhisperPost, Whom,
    },
};

/// What may refuse every request that reads, and every request that changes something.
const READ: &[ErrorCode] = &[ForeignOrigin, SlowDown, Unavailable];
const CHANGE: &[ErrorCode] = &[ForeignOrigin, SlowDown, Unavailable, TooLarge];
/// A path, a query or a body that cannot be read.
const PARSED: &[ErrorCode] = &[Malformed];
/// The reasons against entering a room, in their order.
const ENTRY: &[ErrorCode] = &[NoSuchRoom, WrongPassword, Kicked, Locked, RoomFull];
const MEMBER: &[ErrorCode] = &[NoSuchRoom, NotInRoom];
const OWNER: &[ErrorCode] = &[NoSuchRoom, NotOwner];
const TEXT: &[ErrorCode] = &[Invalid, TooLong];

const LOCATION: Header = Header("Location", "The address of what this is about.");
const ALLOWED_RANGES: Header = Header("Accept-Ranges", "`bytes`");
const DONE: Answer = Answer { status: 204, about: "Done.", content: &[], headers: &[] };
const ELSEWHERE: Answer = Answer {
    status: 303,
    about: "For people: to the next page, or to the lobby with the reason of a refusal.",
    content: &[],
    headers: &[LOCATION],
};
const OPEN: Answer =
    Answer { status: 101, about: "The WebSocket is open.", content: &[], headers: &[] };
const NO_CONNECTION: Answer =
    answer(400, "Not Socket.IO, or an unknown connection.", &[Json(reference_to::<EngineIo>)]);
const FILE: &[Content] = &[Raw("image/gif"), Raw("image/png")];

const fn answer(status: u16, about: &'static str, content: &'static [Content]) -> Answer {
    Answer { status, about, content, headers: &[] }
}

const IN_MEMORY: Limit =
    Limit::Unlimited("the program holds it in memory and reads nothing for it");
const HEALTH: Limit = Limit::Unlimited("it must respond when everything else is refused");

/// `Some` of one expression, and `None` of none.
macro_rules! optional {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}

macro_rules! operations {
    ($(
        $(#[doc = $about:literal])+
        $name:ident = $method:ident $path:literal, $limit:expr,
        $(query $query:ty,)? $(headers $headers:expr,)? $(body $body:expr,)?
        answers $answers:expr, refuses $refusals:expr;
    )+) => {
        $(
            $(#[doc = $about])+
            pub const $name: Operation = Operation {
                name: stringify!($name),
                method: stringify!($method),
                filter: MethodFilter::$method,
                path: $path,
                about: concat!($($about),+),
                limit: $limit,
                query: optional!($(schema_of::<$query>)?),
                headers: &[$($headers)?],
                body: optional!($($body)?),
                answers: &$answers,
                refusals: &$refusals,
            };
        )+

        /// All operations.
        pub const ALL: &[Operation] = &[$($name),+];
    };
}

operations! {
    /// The lobby: its rooms, the liveliest first.
    LOBBY = GET "/", Limit::Requests,
        query LobbyParams,
        answers [answer(200, "A page of rooms.", &[Json(reference_to::<Rooms>), Page]), ELSEWHERE],
        refuses [READ, PARSED];
    /// End the session.
    LOG_OUT = POST "/logout", Limit::Requests,
        answers [DONE, ELSEWHERE], refuses [CHANGE];
    /// Choose the language and the theme of this session's pages.
    CHOOSE = POST "/reader", Limit::Requests,
        body Body::Fields(schema_of::<ReaderPut>),
        answers [DONE, ELSEWHERE], refuses [CHANGE, PARSED, &[Invalid]];

    /// The form for a new room.
    ROOM_FORM = GET "/room", Limit::Requests,
        answers [answer(200, "The form.", &[Page]), ELSEWHERE], refuses [READ];
    /// Create a room.
    CREATE_ROOM = POST "/room", Limit::Requests,
        body Body::Fields(schema_of::<RoomPost>),
        answers [
            Answer {
                status: 201,
                about: "The new room.",
                content: &[Json(reference_to::<Room>)],
                headers: &[LOCATION],
            },
            ELSEWHERE,
        ],
        refuses [CHANGE, PARSED, &[Invalid, TooManyRooms, Restarting]];
    /// A room, for somebody who is in it or may enter; with a password, shows that password first.
    ROOM = GET "/room/{id}", Limit::Requests,
        query Password,
        answers [answer(200, "The room.", &[Json(reference_to::<Room>), Page]), ELSEWHERE],
        refuses [READ, PARSED, ENTRY];
    /// Change a room; only its owner may. Absent fields stay as they are.
    CHANGE_ROOM = PATCH "/room/{id}", Limit::Requests,
        body Body::Fields(schema_of::<RoomPatch>),
        answers [answer(200, "The room.", &[Json(reference_to::<Room>)]), ELSEWHERE],
        refuses [CHANGE, PARSED, OWNER, &[Invalid]];
    /// Close a room; only its owner may.
    CLOSE_ROOM = DELETE "/room/{id}", Limit::Requests,
        answers [DONE, ELSEWHERE], refuses [READ, PARSED, OWNER];
    /// Show a room's password, or take a seat for a minute.
    ENTER_ROOM = POST "/room/{id}/enter", Limit::Requests,
        body Body::Fields(schema_of::<Unlock>),
        answers [DONE, ELSEWHERE],
        refuses [CHANGE, PARSED, ENTRY, &[TooManyConnections, Restarting]];
    /// Leave a room, without the grace.
    LEAVE_ROOM = POST "/room/{id}/leave", Limit::Requests,
        answers [DONE, ELSEWHERE], refuses [CHANGE, PARSED, &[NoSuchRoom]];

    /// Read history.
    HISTORY = GET "/room/{id}/chat", Limit::Requests,
        query ChatGet,
        answers [answer(200, "Messages, in rising order.", &[Json(reference_to::<Chats>)])],
        refuses [READ, PARSED, MEMBER];
    /// Send a message.
    SAY = POST "/room/{id}/chat", Limit::Requests,
        body Body::Fields(schema_of::<ChatPost>),
        answers [answer(201, "The stored message.", &[Json(reference_to::<Chat>)])],
        refuses [CHANGE, PARSED, MEMBER, TEXT];
    /// Delete a message: one's own, or as the owner anybody's.
    DELETE_CHAT = DELETE "/room/{id}/chat/{seq}", Limit::Requests,
        answers [answer(200, "The message without its content.", &[Json(reference_to::<Chat>)])],
        refuses [READ, PARSED, MEMBER, &[NoSuchMessage, NotOwner]];
    /// Send a whisper to one person in the room.
    WHISPER = POST "/room/{id}/whisper", Limit::Requests,
        body Body::Fields(schema_of::<WhisperPost>),
        answers [answer(201, "The stored message.", &[Json(reference_to::<Chat>)])],
        refuses [CHANGE, PARSED, MEMBER, TEXT, &[NotHere, Yourself]];
    /// Share a GIF.
    SHARE = POST "/room/{id}/gif", Limit::Requests,
        body Body::Upload,
        answers [answer(201, "The stored message.", &[Json(reference_to::<Chat>)])],
        refuses [CHANGE, PARSED, MEMBER, &[Invalid, NotAGif, BadGif, TooSlow, UploadsFull]];
    /// A GIF, or its first frame.
    GIF = GET "/gif/{room}/{name}", Limit::Requests,
        headers Header("Range", "A range of bytes; of several, none counts."),
        answers [
            Answer { status: 200, about: "The file.", content: FILE, headers: &[ALLOWED_RANGES] },
            Answer {
                status: 206,
                about: "The part of the file that the header `Range` names.",
                content: FILE,
                headers: &[ALLOWED_RANGES, Header("Content-Range", "Which part.")],
            },
        ],
        refuses [READ, PARSED, MEMBER, &[NotFound, OutOfRange]];
    /// Kick a person; only the owner may.
    KICK = DELETE "/room/{id}/person/{who}", Limit::Requests,
        answers [DONE], refuses [READ, PARSED, OWNER, &[NotHere, Yourself]];
    /// Give the room to a person in it; only the owner may.
    HAND_OVER = PUT "/room/{id}/owner", Limit::Requests,
        body Body::Fields(schema_of::<Whom>),
        answers [answer(200, "The new owner.", &[Json(reference_to::<Person>)])],
        refuses [CHANGE, PARSED, OWNER, &[NotHere, Yourself]];
    /// Report a message, a person or the room to the operator.
    REPORT = POST "/room/{id}/report", Limit::Requests,
        body Body::Fields(schema_of::<ReportForm>),
        answers [DONE], refuses [CHANGE, PARSED, MEMBER, &[NoSuchMessage, NotHere, Invalid]];
    /// Send a whisper to a person in any room that the sender shares with them. Takes the cookie,
    /// or a bot's token.
    WHISPER_ANYWHERE = POST "/chatter/{id}/message", Limit::Requests,
        body Body::Fields(schema_of::<MessagePost>),
        answers [answer(201, "The stored message.", &[Json(reference_to::<Chat>)])],
        refuses [CHANGE, PARSED, TEXT, &[Unauthorized, InvalidToken, NotHere, Yourself]];

    /// The tokens of this session's bots, without their secrets.
    TOKENS = GET "/token", Limit::Requests,
        answers [answer(200, "The tokens.", &[Json(reference_to::<List>), Page]), ELSEWHERE],
        refuses [READ];
    /// Create a token for a bot.
    CREATE_TOKEN = POST "/token", Limit::Requests,
        body Body::Fields(schema_of::<TokenForm>),
        answers [
            answer(201, "The token, with its secret.", &[Json(reference_to::<Made>), Page]),
            ELSEWHERE,
        ],
        refuses [CHANGE, PARSED, &[Invalid, TooManyTokens]];
    /// Revoke all tokens.
    REVOKE_TOKENS = DELETE "/token", Limit::Requests,
        answers [DONE, ELSEWHERE], refuses [READ];
    /// Revoke all tokens, for forms.
    REVOKE_TOKENS_BY_FORM = POST "/token/revoke", Limit::Requests,
        answers [DONE, ELSEWHERE], refuses [CHANGE];
    /// Revoke a token. One that does not exist counts as revoked.
    REVOKE_TOKEN = DELETE "/token/{id}", Limit::Requests,
        answers [DONE, ELSEWHERE], refuses [READ, PARSED];
    /// Revoke a token, for forms.
    REVOKE_TOKEN_BY_FORM = POST "/token/{id}/revoke", Limit::Requests,
        answers [DONE, ELSEWHERE], refuses [CHANGE, PARSED];

    /// Socket.IO: opens a connection, or waits for packets. See `asyncapi.yaml`.
    SOCKET_IO = GET "/socket.io/", Limit::Handshakes,
        query engine_io::Query,
        answers [
            OPEN,
            answer(200, "Packets.", &[Raw("text/plain")]),
            NO_CONNECTION,
        ],
        refuses [READ, PARSED];
    /// Socket.IO: sends packets over a connection that was opened by polling.
    SOCKET_IO_PACKETS = POST "/socket.io/", Limit::Handshakes,
        query engine_io::Query,
        body Body::Packets,
        answers [
            answer(200, "The packets have arrived.", &[Raw("text/plain")]),
            NO_CONNECTION,
        ],
        refuses [READ, &[Malformed, TooLarge]];
    /// The gateway: opens the WebSocket of a bot. See `gateway.md`.
    GATEWAY = GET "/gateway", Limit::Handshakes,
        answers [
            OPEN,
            Answer {
                status: 426,
                about: "This is for WebSocket clients.",
                content: &[Json(reference_to::<Refusal>)],
                headers: &[Header("Upgrade", "`websocket`")],
            },
        ],
        refuses [&[ForeignOrigin, SlowDown]];

    /// Styles, scripts, icons and texts of the pages. The path may contain slashes.
    ASSET = GET "/public/{version}/{*path}", IN_MEMORY,
        answers [answer(200, "The file.", &[Raw("*/*")])], refuses [PARSED, &[NotFound]];
    /// The icon, for clients that do not read the pages' own.
    FAVICON = GET "/favicon.ico", IN_MEMORY,
        answers [answer(200, "The icon.", &[Raw("image/svg+xml")])], refuses [];
    /// What search engines may read.
    ROBOTS = GET "/robots.txt", IN_MEMORY,
        answers [answer(200, "The rules.", &[Raw("text/plain")])], refuses [];
    /// Liveness: the process responds.
    LIVE = GET "/healthz", HEALTH,
        answers [answer(200, "It does.", &[Raw("text/plain")])], refuses [];
    /// Readiness: the store responds, and the server accepts new rooms and people.
    READY = GET "/readyz", Limit::Requests,
        answers [
            answer(200, "It is ready.", &[Raw("text/plain")]),
            answer(503, "It is not.", &[Raw("text/plain")]),
        ],
        refuses [&[SlowDown]];
}
