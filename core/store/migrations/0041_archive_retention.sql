-- How long the archives of accounts are kept, where that is not as the configuration says.

-- +goose Up
CREATE TABLE archive_retention (
    account TEXT   NOT NULL PRIMARY KEY REFERENCES accounts (jid) ON DELETE CASCADE,
    own     BIGINT NOT NULL, -- seconds that the account has chosen, which count where they are fewer; 0: none
    granted BIGINT NOT NULL  -- seconds that an administrator has set in place of those of the configuration; 0: none, -1: for ever
);

-- +goose Down
DROP TABLE archive_retention;
