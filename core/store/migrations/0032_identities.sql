-- Accounts that a back end other than the server's own keys authenticates, and whose they are there. The subject is never given to
-- another person, whatever names the back end gives to whom.

-- +goose Up
CREATE TABLE identities (
    account TEXT   NOT NULL PRIMARY KEY REFERENCES accounts (jid) ON DELETE CASCADE,
    host    TEXT   NOT NULL, -- of the account: one person may have an account on each host
    backend TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    since   BIGINT NOT NULL, -- microseconds since 1970
    UNIQUE (host, backend, subject)
);

-- +goose Down
DROP TABLE identities;
