-- Accounts that are being deleted: nobody logs in any more, and a running server, or the next
-- one that starts, ends what they had with others before it deletes their rows.

-- +goose Up
CREATE TABLE removals (
    account TEXT   NOT NULL PRIMARY KEY REFERENCES accounts (jid) ON DELETE CASCADE,
    at      BIGINT NOT NULL
);

-- +goose Down
DROP TABLE removals;
