-- The order of an account's offline messages: the time in microseconds, or one more than the
-- last one's.

-- +goose Up
ALTER TABLE offline ADD COLUMN position BIGINT NOT NULL;

-- +goose Down
ALTER TABLE offline DROP COLUMN position;
