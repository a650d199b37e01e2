-- Events whose messages were delivered, before bridge_inbox says so. With SQLite they are noted in a file; rows come
-- here in a copy of a PostgreSQL database only.

-- +goose Up
CREATE TABLE bridge_delivered (
    seq      INTEGER NOT NULL PRIMARY KEY, -- of bridge_inbox
    archived BOOLEAN NOT NULL              -- and archived for the receiver
);

-- +goose Down
DROP TABLE bridge_delivered;
