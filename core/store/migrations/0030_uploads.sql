-- Files that accounts have uploaded, and slots for them (XEP-0363). The contents are elsewhere: a row is deleted after its file.

-- +goose Up
CREATE TABLE uploads (
    id      TEXT   NOT NULL PRIMARY KEY,
    account TEXT   NOT NULL REFERENCES accounts (jid) ON DELETE CASCADE,
    name    TEXT   NOT NULL,
    type    TEXT   NOT NULL,
    size    BIGINT NOT NULL,
    purpose TEXT   NOT NULL, -- message, profile, ephemeral
    created BIGINT NOT NULL,
    until   BIGINT,          -- when an ephemeral file has to be gone
    expires BIGINT,          -- of a slot that is not used, then as until
    stored  BIGINT           -- NULL: a slot
);
CREATE INDEX uploads_account ON uploads (account, created);
CREATE INDEX uploads_expires ON uploads (expires) WHERE expires IS NOT NULL;
CREATE INDEX uploads_created ON uploads (created) WHERE purpose <> 'profile';

-- +goose Down
DROP TABLE uploads;
