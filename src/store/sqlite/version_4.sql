-- Migrates version 3 to 4: room passes, which go with their room; the store's id; and a bot ends no
-- room's wait for a person.

CREATE TABLE passes (
    nth     INTEGER PRIMARY KEY AUTOINCREMENT,  -- order of addition
    session TEXT NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    room    TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    pass    TEXT NOT NULL,
    UNIQUE (session, room)
) STRICT;
CREATE INDEX passes_by_room ON passes (room);

UPDATE sessions SET data = json_remove(data, '$.passes');

CREATE TABLE store (
    id TEXT NOT NULL                         -- one row; the uploads folder carries the same id
) STRICT;

DROP TRIGGER seat_taken;
CREATE TRIGGER seat_taken AFTER INSERT ON seats BEGIN
    UPDATE rooms SET people = people + 1,
        empty_since = CASE WHEN new.name LIKE '% (bot)' THEN empty_since END  -- a room waits for a person
    WHERE id = new.room;
END;

PRAGMA user_version = 4;
