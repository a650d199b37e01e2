-- A message knows its thread and what it answers: what answers it stays in the thread, and a correction keeps both.

-- +goose Up
ALTER TABLE bridge_ids ADD COLUMN thread TEXT NOT NULL DEFAULT ''; -- the network's id of the message that its thread hangs on
ALTER TABLE bridge_ids ADD COLUMN answers TEXT NOT NULL DEFAULT ''; -- the network's id of the message that it answers

-- +goose Down
ALTER TABLE bridge_ids DROP COLUMN thread;
ALTER TABLE bridge_ids DROP COLUMN answers;
