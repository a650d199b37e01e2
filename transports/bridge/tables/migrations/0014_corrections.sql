-- A correction in the archive of a room names the message that it corrects: a retraction removes both.
-- Secrets of a gateway that belong to no login are encrypted like those of logins.

-- +goose Up
ALTER TABLE bridge_archive ADD COLUMN corrects TEXT NOT NULL DEFAULT ''; -- id of the first version
UPDATE bridge_archive SET corrects = (SELECT min(i.first) FROM bridge_ids i WHERE i.room = bridge_archive.room AND i.stanza = bridge_archive.id AND i.first <> '')
WHERE (room, id) IN (SELECT room, stanza FROM bridge_ids WHERE first <> '');
CREATE INDEX bridge_archive_corrects ON bridge_archive (room, corrects) WHERE corrects <> '';

-- Corrections of messages that were retracted before.
UPDATE bridge_archive SET payload = '', extra = '' WHERE corrects <> '' AND EXISTS (
  SELECT 1 FROM bridge_archive o WHERE o.room = bridge_archive.room AND o.id = bridge_archive.corrects AND o.payload = '');

CREATE TABLE bridge_secrets (
    gateway BIGINT NOT NULL REFERENCES bridge_gateways (id) ON DELETE CASCADE,
    name    TEXT   NOT NULL,
    key_id  TEXT   NOT NULL, -- which key has encrypted the secret
    secret  BLOB   NOT NULL,
    PRIMARY KEY (gateway, name)
);

-- +goose Down
DROP TABLE bridge_secrets;
DROP INDEX bridge_archive_corrects;
ALTER TABLE bridge_archive DROP COLUMN corrects;
