-- What accounts report about addresses that they block (XEP-0377), and what they accept from strangers.

-- +goose Up
CREATE TABLE reports (
    id          TEXT    NOT NULL PRIMARY KEY, -- sorts by time
    host        TEXT    NOT NULL,
    account     TEXT    NOT NULL REFERENCES accounts (jid) ON DELETE CASCADE,
    at          BIGINT  NOT NULL,
    reported    TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    comment     TEXT    NOT NULL,
    stanza_ids  TEXT    NOT NULL, -- one a line
    to_origin   BOOLEAN NOT NULL, -- may be forwarded to the domain of the reported address
    third_party BOOLEAN NOT NULL  -- may be forwarded to others
);
CREATE INDEX reports_account ON reports (account, at);
CREATE INDEX reports_host ON reports (host, id);

CREATE TABLE stranger_policies (
    account TEXT NOT NULL PRIMARY KEY REFERENCES accounts (jid) ON DELETE CASCADE,
    policy  TEXT NOT NULL
);

-- +goose Down
DROP TABLE stranger_policies;
DROP TABLE reports;
