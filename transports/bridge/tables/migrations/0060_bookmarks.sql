-- Rooms of the network among the bookmarks of those whose logins are in them (XEP-0402).

-- +goose Up
CREATE TABLE bridge_bookmarks (
    login TEXT    NOT NULL REFERENCES bridge_accounts (id) ON DELETE CASCADE,
    room  BIGINT  NOT NULL REFERENCES bridge_rooms (id) ON DELETE CASCADE,
    name  TEXT    NOT NULL, -- of the room, as it was last compared with the bookmark
    state INTEGER NOT NULL, -- 0: no bookmark, the room was only noted; 1: the gateway has made it; 2: it was there
    PRIMARY KEY (login, room)
);
CREATE INDEX bridge_bookmarks_room ON bridge_bookmarks (room);

-- +goose Down
DROP TABLE bridge_bookmarks;
