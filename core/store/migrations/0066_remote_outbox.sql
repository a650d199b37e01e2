-- Messages to other servers that are not known to have arrived there. A row has messages of one pair of domains that were accepted
-- at about the same time, so that it is written and deleted once for all of them.

-- +goose Up
CREATE TABLE remote_outbox (
    position INTEGER NOT NULL PRIMARY KEY, -- microseconds since 1970, or one more than that of the row before
    ours     TEXT    NOT NULL, -- the domain of the senders
    theirs   TEXT    NOT NULL,
    handled  BIGINT  NOT NULL, -- bit n is set if message n is done with
    messages BLOB    NOT NULL  -- each with its length before it
);

-- +goose Down
DROP TABLE remote_outbox;
