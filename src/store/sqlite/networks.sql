-- Migrates version 1 to 2: network bans.

ALTER TABLE seats ADD COLUMN network TEXT;

CREATE TABLE kicked_networks (
    room    TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    network TEXT NOT NULL,
    PRIMARY KEY (room, network)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 2;
