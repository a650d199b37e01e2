-- The accounts' message archives (XEP-0313).

-- +goose Up
CREATE TABLE archive (
    seq       INTEGER NOT NULL PRIMARY KEY, -- the order of arrival; PostgreSQL: BIGINT GENERATED ALWAYS AS IDENTITY
    account   TEXT    NOT NULL REFERENCES accounts (jid) ON DELETE CASCADE,
    id        TEXT    NOT NULL,
    at        BIGINT  NOT NULL,
    peer      TEXT    NOT NULL, -- the other side, bare
    resource  TEXT    NOT NULL, -- and its resource, or ''
    stanza    TEXT    NOT NULL
);
CREATE UNIQUE INDEX archive_id ON archive (account, id);
CREATE INDEX archive_order ON archive (account, seq);
CREATE INDEX archive_peer ON archive (account, peer, seq);

CREATE TABLE archive_prefs ( -- XEP-0441
    account TEXT NOT NULL PRIMARY KEY REFERENCES accounts (jid) ON DELETE CASCADE,
    policy  TEXT NOT NULL CHECK (policy IN ('always', 'never', 'roster'))
);

CREATE TABLE archive_prefs_contacts (
    account TEXT    NOT NULL REFERENCES archive_prefs (account) ON DELETE CASCADE,
    contact TEXT    NOT NULL,
    keep    BOOLEAN NOT NULL, -- always, or never
    PRIMARY KEY (account, contact, keep)
);

-- +goose Down
DROP TABLE archive_prefs_contacts;
DROP TABLE archive_prefs;
DROP TABLE archive;
