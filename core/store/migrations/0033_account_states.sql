-- Accounts that nobody may log in to for a time, why sessions are ended, the names of deleted accounts, which are not given away
-- again at once, and the roles that were granted at run time: these end with their account.

-- +goose Up
ALTER TABLE accounts ADD COLUMN locked BIGINT; -- until when nobody may log in; NULL: not locked

ALTER TABLE revocations ADD COLUMN reason TEXT NOT NULL DEFAULT 'password'; -- password, disabled or locked

CREATE TABLE deleted_names (
    name TEXT   NOT NULL PRIMARY KEY, -- the bare address of the deleted account
    at   BIGINT NOT NULL
);

CREATE TABLE account_roles (
    account TEXT   NOT NULL PRIMARY KEY REFERENCES accounts (jid) ON DELETE CASCADE,
    role    TEXT   NOT NULL, -- operator or admin
    granted BIGINT NOT NULL
);

-- +goose Down
DROP TABLE account_roles;
DROP TABLE deleted_names;
ALTER TABLE revocations DROP COLUMN reason;
ALTER TABLE accounts DROP COLUMN locked;
