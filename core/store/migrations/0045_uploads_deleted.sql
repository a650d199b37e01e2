-- What accounts have uploaded of late and is deleted already, such as ephemeral files: it counts for the quota of the day.

-- +goose Up
CREATE TABLE uploads_deleted (
    id      TEXT   NOT NULL PRIMARY KEY,
    account TEXT   NOT NULL REFERENCES accounts (jid) ON DELETE CASCADE,
    size    BIGINT NOT NULL,
    created BIGINT NOT NULL -- as it was in uploads
);
CREATE INDEX uploads_deleted_account ON uploads_deleted (account, created);

-- +goose Down
DROP TABLE uploads_deleted;
