-- The time by which old rows are deleted, for each part of the server that deletes some (Clock).

-- +goose Up
CREATE TABLE deletion_clock (
    name   TEXT   NOT NULL PRIMARY KEY,
    seen   BIGINT NOT NULL, -- microseconds since 1970
    waited BIGINT NOT NULL  -- how long the server has run with a clock that is far ahead of seen
);
INSERT INTO deletion_clock (name, seen, waited) SELECT 'archive', position - late, 0 FROM archive_messages ORDER BY number DESC LIMIT 1;

-- +goose Down
DROP TABLE deletion_clock;
