-- Sessions that can be resumed after the process has ended (XEP-0198), and what their clients have not acknowledged. Times are
-- microseconds since 1970.

-- +goose Up
CREATE TABLE resumable (
    account  TEXT   NOT NULL REFERENCES accounts (jid) ON DELETE CASCADE,
    id       TEXT   NOT NULL, -- the part of the client's id that is no secret
    resource TEXT   NOT NULL,
    hash     BLOB   NOT NULL, -- of the secret part
    client   TEXT   NOT NULL, -- its id, or empty
    seconds  BIGINT NOT NULL, -- how long it can be resumed after the start of a server
    since    BIGINT NOT NULL, -- when a server has stored it first, or continued it
    facts    TEXT   NOT NULL, -- presence, flags, addresses of directed presence
    handled  BIGINT NOT NULL, -- stanzas of the client
    acked    BIGINT NOT NULL, -- stanzas to the client that it has acknowledged, or more
    archived BIGINT NOT NULL, -- the time before which it has got all archived messages
    PRIMARY KEY (account, id)
);
CREATE INDEX resumable_since ON resumable (since);

CREATE TABLE unacknowledged (
    account TEXT   NOT NULL,
    session TEXT   NOT NULL,
    id      TEXT   NOT NULL, -- sorts by time
    number  BIGINT NOT NULL,
    entry   TEXT   NOT NULL, -- the id in the archive or in offline, or empty
    at      BIGINT NOT NULL, -- when it was delivered
    stanza  TEXT   NOT NULL,
    PRIMARY KEY (account, session, id),
    FOREIGN KEY (account, session) REFERENCES resumable (account, id) ON DELETE CASCADE
);

-- +goose Down
DROP TABLE unacknowledged;
DROP TABLE resumable;
