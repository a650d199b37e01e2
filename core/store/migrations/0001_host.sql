-- What the served host keeps for its accounts. Times are microseconds since 1970.
-- Every table but accounts hangs on accounts(jid): deleting the account deletes its rows.

-- +goose Up
CREATE TABLE accounts (
    jid            TEXT    NOT NULL PRIMARY KEY, -- bare, normalised
    created        BIGINT  NOT NULL,
    disabled       BIGINT,                       -- since when; NULL: may log in
    roster_version BIGINT  NOT NULL              -- XEP-0237; grows, never repeats
);

CREATE TABLE credentials ( -- RFC 5802 §3: what a server keeps instead of a password
    account    TEXT    NOT NULL REFERENCES accounts (jid) ON DELETE CASCADE,
    hash       TEXT    NOT NULL, -- SHA-1, SHA-256, SHA-512
    salt       BLOB    NOT NULL,
    iterations INTEGER NOT NULL,
    stored_key BLOB    NOT NULL,
    server_key BLOB    NOT NULL,
    PRIMARY KEY (account, hash)
);

CREATE TABLE roster ( -- RFC 6121 §2
    account      TEXT    NOT NULL REFERENCES accounts (jid) ON DELETE CASCADE,
    contact      TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    subscription TEXT    NOT NULL CHECK (subscription IN ('none', 'to', 'from', 'both')),
    ask          BOOLEAN NOT NULL, -- pending out
    approved     BOOLEAN NOT NULL, -- RFC 6121 §3.4
    PRIMARY KEY (account, contact)
);

CREATE TABLE roster_groups (
    account TEXT NOT NULL,
    contact TEXT NOT NULL,
    name    TEXT NOT NULL,
    PRIMARY KEY (account, contact, name),
    FOREIGN KEY (account, contact) REFERENCES roster (account, contact) ON DELETE CASCADE
);

CREATE TABLE roster_pending ( -- pending in: a request that the user has not answered
    account  TEXT   NOT NULL REFERENCES accounts (jid) ON DELETE CASCADE,
    contact  TEXT   NOT NULL,
    stanza   TEXT   NOT NULL,
    received BIGINT NOT NULL,
    PRIMARY KEY (account, contact)
);

CREATE TABLE offline ( -- XEP-0160
    account  TEXT    NOT NULL REFERENCES accounts (jid) ON DELETE CASCADE,
    id       TEXT    NOT NULL, -- sorts by time
    stanza   TEXT    NOT NULL,
    size     INTEGER NOT NULL,
    received BIGINT  NOT NULL,
    PRIMARY KEY (account, id)
);

CREATE TABLE vcards ( -- XEP-0054
    account TEXT   NOT NULL PRIMARY KEY REFERENCES accounts (jid) ON DELETE CASCADE,
    vcard   TEXT   NOT NULL,
    changed BIGINT NOT NULL
);

CREATE TABLE private_xml ( -- XEP-0049
    account TEXT    NOT NULL REFERENCES accounts (jid) ON DELETE CASCADE,
    space   TEXT    NOT NULL,
    name    TEXT    NOT NULL,
    xml     TEXT    NOT NULL,
    size    INTEGER NOT NULL,
    PRIMARY KEY (account, space, name)
);

CREATE TABLE last_activity ( -- XEP-0012
    account TEXT   NOT NULL PRIMARY KEY REFERENCES accounts (jid) ON DELETE CASCADE,
    at      BIGINT NOT NULL,
    status  TEXT   NOT NULL
);

-- +goose Down
DROP TABLE last_activity;
DROP TABLE private_xml;
DROP TABLE vcards;
DROP TABLE offline;
DROP TABLE roster_pending;
DROP TABLE roster_groups;
DROP TABLE roster;
DROP TABLE credentials;
DROP TABLE accounts;
