-- Who has bookmarked a room (XEP-0402), for notifications: the id of a bookmark's item is the address of the room.

-- +goose Up
CREATE INDEX pubsub_items_bookmarks ON pubsub_items (item) WHERE node = 'urn:xmpp:bookmarks:1';

-- +goose Down
DROP INDEX pubsub_items_bookmarks;
