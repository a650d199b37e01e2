-- Which words occur at which positions of the archives of rooms (XEP-0431); see package store/wordindex.

-- +goose Up
CREATE TABLE room_words_owners (
    owner   BIGINT NOT NULL PRIMARY KEY REFERENCES room_archives (number) ON DELETE CASCADE,
    indexed BIGINT NOT NULL, -- the last position that is indexed
    changed BIGINT NOT NULL, -- how often a message was removed
    next    BIGINT NOT NULL  -- number of the next segment
);

CREATE TABLE room_words_segments (
    owner  BIGINT  NOT NULL REFERENCES room_words_owners (owner) ON DELETE CASCADE,
    number BIGINT  NOT NULL,
    state  INTEGER NOT NULL, -- 0 is being written, 1 complete, 2 is being deleted
    docs   BIGINT  NOT NULL, -- messages
    first  BIGINT  NOT NULL, -- positions
    last   BIGINT  NOT NULL,
    PRIMARY KEY (owner, number)
);
CREATE INDEX room_words_unfinished ON room_words_segments (owner) WHERE state <> 1;

CREATE TABLE room_words_chunks (
    id      INTEGER NOT NULL PRIMARY KEY,
    owner   BIGINT  NOT NULL REFERENCES room_words_owners (owner) ON DELETE CASCADE,
    segment BIGINT  NOT NULL,
    term    BIGINT  NOT NULL, -- the first one
    part    BIGINT  NOT NULL, -- of a term with many positions
    data    BLOB    NOT NULL
);
CREATE UNIQUE INDEX room_words_chunk ON room_words_chunks (owner, segment, term, part);

-- +goose Down
DROP TABLE room_words_chunks;
DROP TABLE room_words_segments;
DROP TABLE room_words_owners;
