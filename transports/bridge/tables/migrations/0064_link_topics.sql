-- The topic of the channel and the subject of the linked room that a link has carried, so that changes of both are noticed that came while the
-- gateway did not run.

-- +goose Up
ALTER TABLE bridge_links ADD COLUMN topic TEXT NOT NULL DEFAULT ''; -- of the channel
ALTER TABLE bridge_links ADD COLUMN subject TEXT NOT NULL DEFAULT ''; -- of the linked room
ALTER TABLE bridge_links ADD COLUMN compared BOOLEAN NOT NULL DEFAULT FALSE; -- whether the two are known

-- +goose Down
ALTER TABLE bridge_links DROP COLUMN compared;
ALTER TABLE bridge_links DROP COLUMN subject;
ALTER TABLE bridge_links DROP COLUMN topic;
