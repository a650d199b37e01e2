-- Whom accounts have blocked (XEP-0191).

-- +goose Up
CREATE TABLE blocked (
    account TEXT NOT NULL REFERENCES accounts (jid) ON DELETE CASCADE,
    jid     TEXT NOT NULL,
    PRIMARY KEY (account, jid)
);

-- +goose Down
DROP TABLE blocked;
