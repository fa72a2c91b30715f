-- Migrates version 3 to 4: room passes, which go with their room.

CREATE TABLE passes (
    nth     INTEGER PRIMARY KEY AUTOINCREMENT,  -- order of addition
    session TEXT NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    room    TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    pass    TEXT NOT NULL,
    UNIQUE (session, room)
) STRICT;
CREATE INDEX passes_by_room ON passes (room);

UPDATE sessions SET data = json_remove(data, '$.passes');

PRAGMA user_version = 4;
