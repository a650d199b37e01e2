-- Who has sent an offline message, so that the limits hold for each sender. It is not known of older ones.

-- +goose Up
ALTER TABLE offline ADD COLUMN sender TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE offline DROP COLUMN sender;
