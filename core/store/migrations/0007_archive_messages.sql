-- The archives of the accounts (XEP-0313): each message once, with an entry in the archive of each account
-- of ours that it belongs to. Migration 9 moves what was archived before.

-- +goose Up
CREATE TABLE archive_accounts (
    number  BIGINT NOT NULL PRIMARY KEY, -- of archive_state; not used again
    account TEXT   NOT NULL UNIQUE REFERENCES accounts (jid) ON DELETE CASCADE,
    drift   BIGINT NOT NULL -- how far an entry's position is behind its time at most, in microseconds
);

-- Sender and receiver are accounts of ours, or NULL. They are no foreign keys: a message is deleted
-- with the last of the two, and its position and contacts stay what they are.
CREATE TABLE archive_messages (
    number           INTEGER NOT NULL PRIMARY KEY, -- of archive_state; rises in the order of writing
    position         BIGINT  NOT NULL, -- in the archives: microseconds since 1970, and more than that of the entry before
    late             BIGINT  NOT NULL, -- the position less the time of arrival; not 0 where the clock was set back
    id               BLOB    NOT NULL, -- a UUID of version 7 as 16 bytes, or text
    sender           BIGINT,
    receiver         BIGINT,
    sender_contact   BIGINT,           -- hash of the bare address of the other side
    receiver_contact BIGINT,
    message          BLOB    NOT NULL  -- archive_message.go, or XML
);

CREATE TABLE archive_entries (
    archive BIGINT NOT NULL REFERENCES archive_accounts (number) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    contact BIGINT NOT NULL,
    message BIGINT NOT NULL, -- archive_messages.number
    PRIMARY KEY (archive, position)
) WITHOUT ROWID;

-- In which minutes an archive has entries with a contact: an index on each entry costs a quarter more for each message.
CREATE TABLE archive_contacts (
    archive BIGINT NOT NULL REFERENCES archive_accounts (number) ON DELETE CASCADE,
    contact BIGINT NOT NULL,
    minute  BIGINT NOT NULL, -- the position by 60000000
    PRIMARY KEY (archive, contact, minute)
) WITHOUT ROWID;

CREATE TABLE archive_state ( -- one row
    next    BIGINT NOT NULL, -- number that has not been given out
    indexed BIGINT NOT NULL  -- the last message whose entries are written
);
INSERT INTO archive_state (next, indexed) VALUES (1, 0);

-- +goose Down
DROP TABLE archive_state;
DROP TABLE archive_contacts;
DROP TABLE archive_entries;
DROP TABLE archive_messages;
DROP TABLE archive_accounts;
