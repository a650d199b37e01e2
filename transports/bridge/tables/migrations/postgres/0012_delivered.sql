-- Events whose messages were delivered, before bridge_inbox says so. Where the table is lost in a failure of the server,
-- they are delivered again.

-- +goose Up
CREATE UNLOGGED TABLE bridge_delivered (
    seq      BIGINT  NOT NULL PRIMARY KEY, -- of bridge_inbox
    archived BOOLEAN NOT NULL              -- and archived for the receiver
);

-- +goose Down
DROP TABLE bridge_delivered;
