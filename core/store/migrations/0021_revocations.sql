-- Accounts whose password another process has changed: a running server ends their sessions.

-- +goose Up
CREATE TABLE revocations (
    account TEXT   NOT NULL PRIMARY KEY REFERENCES accounts (jid) ON DELETE CASCADE,
    at      BIGINT NOT NULL
);

-- +goose Down
DROP TABLE revocations;
