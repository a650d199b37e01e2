-- What accounts have entered about themselves in the user directory (XEP-0055). The keys are the fields as searches
-- compare them: in lower case, with a space before and behind each word.

-- +goose Up
CREATE TABLE directory (
    account    TEXT NOT NULL PRIMARY KEY REFERENCES accounts (jid) ON DELETE CASCADE,
    host       TEXT NOT NULL,
    given      TEXT NOT NULL,
    family     TEXT NOT NULL,
    nick       TEXT NOT NULL,
    email      TEXT NOT NULL,
    given_key  TEXT NOT NULL,
    family_key TEXT NOT NULL,
    nick_key   TEXT NOT NULL,
    email_key  TEXT NOT NULL
);
CREATE INDEX directory_host ON directory (host, account);

-- +goose Down
DROP TABLE directory;
