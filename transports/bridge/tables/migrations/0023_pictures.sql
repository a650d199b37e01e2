-- What is known of a person's picture: where it was read, and its hash (XEP-0153). It is read again once it is somewhere else.

-- +goose Up
ALTER TABLE bridge_people ADD COLUMN picture TEXT NOT NULL DEFAULT '';
ALTER TABLE bridge_people ADD COLUMN picture_hash TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE bridge_people DROP COLUMN picture_hash;
ALTER TABLE bridge_people DROP COLUMN picture;
