-- Schema version 4 of the embedded store. Times are in milliseconds since 1970, UTC.

CREATE TABLE rooms (
    id          TEXT PRIMARY KEY,
    title       TEXT NOT NULL,
    max         INTEGER NOT NULL,
    owner_id    TEXT NOT NULL,
    owner_color TEXT NOT NULL,
    owner_name  TEXT NOT NULL,
    password    TEXT,                        -- Argon2id, PHC string format
    locked      INTEGER NOT NULL DEFAULT 0,
    seq         INTEGER NOT NULL DEFAULT 0,
    head        INTEGER NOT NULL DEFAULT 0,
    people      INTEGER NOT NULL DEFAULT 0,  -- number of seats, kept by the triggers below
    created_at  INTEGER NOT NULL,
    empty_since INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX rooms_by_liveliness ON rooms (people DESC, created_at DESC, id);
CREATE INDEX rooms_unused ON rooms (empty_since) WHERE empty_since IS NOT NULL;

CREATE TABLE seats (
    place   INTEGER PRIMARY KEY AUTOINCREMENT,  -- order of entry
    room    TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    person  TEXT NOT NULL,
    color   TEXT NOT NULL,
    name    TEXT NOT NULL,
    since   INTEGER NOT NULL,
    left_at INTEGER,
    network TEXT,                               -- keyed hash of the latest network
    UNIQUE (room, person),
    UNIQUE (room, name)
) STRICT;
CREATE INDEX seats_by_person ON seats (person);
CREATE INDEX seats_away ON seats (left_at) WHERE left_at IS NOT NULL;
CREATE TRIGGER seat_taken AFTER INSERT ON seats BEGIN
    UPDATE rooms SET people = people + 1,
        empty_since = CASE WHEN new.name LIKE '% (bot)' THEN empty_since END  -- a room waits for a person
    WHERE id = new.room;
END;
CREATE TRIGGER seat_freed AFTER DELETE ON seats BEGIN
    UPDATE rooms SET people = people - 1 WHERE id = old.room;
END;

CREATE TABLE sockets (
    room   TEXT NOT NULL,
    person TEXT NOT NULL,
    id     TEXT NOT NULL,
    node   TEXT NOT NULL,
    PRIMARY KEY (room, person, id),
    FOREIGN KEY (room, person) REFERENCES seats (room, person) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX sockets_by_node ON sockets (node);

CREATE TABLE kicked (
    room   TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    person TEXT NOT NULL,
    PRIMARY KEY (room, person)
) STRICT, WITHOUT ROWID;

CREATE TABLE kicked_networks (
    room    TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    network TEXT NOT NULL,                      -- a keyed hash
    PRIMARY KEY (room, network)
) STRICT, WITHOUT ROWID;

-- No reference to rooms: messages outlive their room until the purge.
CREATE TABLE chats (
    room       TEXT NOT NULL,
    seq        INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    user       TEXT NOT NULL,
    color      TEXT NOT NULL,
    name       TEXT NOT NULL,
    chat       TEXT,                         -- text; for a system message, its code
    gif        TEXT,                         -- JSON
    to_id      TEXT,                         -- whisper: recipient; system: subject
    to_color   TEXT,
    to_name    TEXT,
    client_id  TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (room, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX chats_once ON chats (room, user, client_id) WHERE client_id IS NOT NULL;

CREATE TABLE sessions (
    key        TEXT PRIMARY KEY,             -- SHA-256 of the session's id
    data       TEXT NOT NULL,                -- JSON
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE passes (
    nth     INTEGER PRIMARY KEY AUTOINCREMENT,  -- order of addition
    session TEXT NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    room    TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    pass    TEXT NOT NULL,
    UNIQUE (session, room)
) STRICT;
CREATE INDEX passes_by_room ON passes (room);

CREATE TABLE tokens (
    id         TEXT PRIMARY KEY,
    hash       TEXT NOT NULL UNIQUE,         -- SHA-256 of the token
    session    TEXT NOT NULL,                -- the key of the session that made it
    label      TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_by_session ON tokens (session, created_at);
CREATE INDEX tokens_by_end ON tokens (expires_at);

CREATE TABLE store (
    id TEXT NOT NULL                         -- one row; the uploads folder carries the same id
) STRICT;

CREATE TABLE nodes (
    id      TEXT PRIMARY KEY,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 4;
