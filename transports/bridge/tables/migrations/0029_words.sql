-- Which words occur in which messages of the rooms' archives (XEP-0431); see package core/store/wordindex. A room is two owners: its live
-- messages (twice its id), and the older ones that were read as history (one more).

-- +goose Up
CREATE TABLE bridge_words_owners (
    owner   BIGINT NOT NULL PRIMARY KEY,
    room    BIGINT NOT NULL REFERENCES bridge_rooms (id) ON DELETE CASCADE,
    indexed BIGINT NOT NULL, -- the last position that is indexed
    changed BIGINT NOT NULL, -- how often a message was removed
    next    BIGINT NOT NULL  -- number of the next segment
);
CREATE INDEX bridge_words_room ON bridge_words_owners (room);

CREATE TABLE bridge_words_segments (
    owner  BIGINT  NOT NULL REFERENCES bridge_words_owners (owner) ON DELETE CASCADE,
    number BIGINT  NOT NULL,
    state  INTEGER NOT NULL, -- 0 is being written, 1 complete, 2 is being deleted
    docs   BIGINT  NOT NULL, -- messages
    first  BIGINT  NOT NULL, -- positions
    last   BIGINT  NOT NULL,
    PRIMARY KEY (owner, number)
);
CREATE INDEX bridge_words_unfinished ON bridge_words_segments (owner) WHERE state <> 1;

CREATE TABLE bridge_words_chunks (
    id      INTEGER NOT NULL PRIMARY KEY,
    owner   BIGINT  NOT NULL REFERENCES bridge_words_owners (owner) ON DELETE CASCADE,
    segment BIGINT  NOT NULL,
    term    BIGINT  NOT NULL, -- the first one
    part    BIGINT  NOT NULL, -- of a term with many positions
    data    BLOB    NOT NULL
);
CREATE UNIQUE INDEX bridge_words_chunk ON bridge_words_chunks (owner, segment, term, part);

-- +goose Down
DROP TABLE bridge_words_chunks;
DROP TABLE bridge_words_segments;
DROP TABLE bridge_words_owners;
