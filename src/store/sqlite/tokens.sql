-- Migrates version 2 to 3: bot tokens.

CREATE INDEX seats_by_person ON seats (person);

CREATE TABLE tokens (
    id         TEXT PRIMARY KEY,
    hash       TEXT NOT NULL UNIQUE,
    session    TEXT NOT NULL,
    label      TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_by_session ON tokens (session, created_at);
CREATE INDEX tokens_by_end ON tokens (expires_at);

PRAGMA user_version = 3;
