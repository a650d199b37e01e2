-- The order of an account's offline messages, which was that of SQLite's hidden row numbers: the
-- time in microseconds, or one more than the last one's.

-- +goose Up
ALTER TABLE offline ADD COLUMN position BIGINT NOT NULL DEFAULT 0;
UPDATE offline SET position = rowid;

-- +goose Down
ALTER TABLE offline DROP COLUMN position;
